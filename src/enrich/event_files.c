/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files whose digests an event shows: asked for when its record is read, filled in when it is completed. */
#include "enrich/internal.h"

static struct file_id id_of(const struct path *path)
{
	struct file_id id = {0};

	if (path->wire && path->wire->inode) {
		id.inode = path->wire->inode;
		id.size = path->wire->size;
		id.mtime_ns = path->wire->mtime;
		id.known = FILE_ID_INODE | FILE_ID_SIZE | FILE_ID_MTIME;
		id.ctime_ns = path->wire->ctime;
		if (id.ctime_ns)
			id.known |= FILE_ID_CTIME;
	}
	return id;
}

struct file_id enrich_file_id(const struct path *path)
{
	return id_of(path);
}

static bool is_execution(const struct event *event)
{
	return event->type == EVENT_execve || event->type == EVENT_execve_script;
}

void enrich_submit_file(struct enricher *e, const struct event *event, const struct path *path, bool is_image,
			struct file_digest *ret)
{
	const struct wire_task *task = &event->wire->task;
	const struct hash_request request = {
		.mnt_ns = wire_mnt_ns(task),
		.pid = task->tgid,
		.exe_of = is_image ? task->tgid : 0,
		.opened = is_execution(event) ? e->exec_files : NULL,
		.opened_by = task->tgid,
		.path = path->raw,
		.id = id_of(path),
	};

	enrich_hold_file(e, event, path, is_image, ret);
	hasher_submit(e->hasher, e->namespaces, &request, &ret->hashes, &ret->ticket);
}

void enrich_fill_hashes(struct obj_hashes *ret, struct str path, const struct file_digest *file)
{
	const struct file_hashes *h = file->hashes;

	if (!h && file->ticket)
		h = hash_ticket_result(file->ticket);
	ret->path = path;
	ret->magic = ret->md5 = ret->sha1 = ret->sha256 = ret->sha512 = STR("");
	ret->error = file->ticket ? STR("hashing failed: the file was not read in time")
				  : STR("hashing failed: out of memory");
	if (!h)
		return;
	ret->magic = str_of(h->magic);
	ret->md5 = str_of(h->md5);
	ret->sha1 = str_of(h->sha1);
	ret->sha256 = str_of(h->sha256);
	ret->sha512 = str_of(h->sha512);
	ret->size = h->size;
	ret->error = str_of(h->error);
}
