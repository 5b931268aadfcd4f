/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which files of an event are scanned, and how to get hold of the very files that it was about. */
#include <stdio.h>
#include <unistd.h>

#include "base/utc_clock.h"
#include "base/utf8.h"
#include "enrich/internal.h"

enum { HELD_MAX = 8192, LINK_MAX = 4096 };

/* The kernel's object has an inode; what user memory said is whatever is there. */
static struct file_id wanted_of(const struct path *path)
{
	struct file_id id = enrich_file_id(path);

	/* a file that is written to while it waits is still the one: its content is what counts */
	id.known &= FILE_ID_INODE;
	return id;
}

static int open_image(struct enricher *e, uint32_t tgid, const struct file_id *wanted)
{
	struct file_id seen;
	int fd = mount_ns_open_exe(e->namespaces, tgid);

	if (fd < 0)
		return -1;
	int err = file_id_read(fd, &seen, NULL);
	seen.known &= ~(uint32_t)FILE_ID_CTIME; /* changes when a link goes */
	if (!err && file_id_matches(wanted, &seen))
		return fd;
	close(fd);
	return -1;
}

/* The kernel may tell of the closing a little later than of the call that led to it. */
static int take_closed(struct enricher *e, const struct event *event, const struct path *path,
		       const struct file_id *wanted)
{
	uint32_t tgid = event->wire->task.tgid;
	int fd = exec_files_take(e->closed_files, tgid, wanted, path->raw);

	if (fd >= 0)
		return fd;
	exec_files_read(e->closed_files, boot_time_now());
	return exec_files_take(e->closed_files, tgid, wanted, path->raw);
}

static int open_now(struct enricher *e, const struct event *event, const struct path *path, bool is_image)
{
	const struct wire_task *task = &event->wire->task;
	/* another file system may have a file of the same number: size and time tell them apart */
	const struct file_id wanted = enrich_file_id(path);
	bool executed = event->type == EVENT_execve || event->type == EVENT_execve_script;
	bool closed = event->type == EVENT_write_close && e->closed_files;
	int fd = -1;

	if (executed && e->exec_files)
		fd = exec_files_take(e->exec_files, task->tgid, &wanted, path->raw);
	if (closed)
		fd = take_closed(e, event, path, &wanted);
	if (fd < 0 && is_image && wanted.known)
		fd = open_image(e, task->tgid, &wanted);
	if (fd < 0 && path->raw.len && path->raw.p[0] == '/')
		fd = mount_ns_peek(e->namespaces, wire_mnt_ns(task), task->tgid, path->raw.p, true, 0);
	/* deleted between the two looks: then its closing has been told by now */
	if (fd < 0 && closed)
		fd = take_closed(e, event, path, &wanted);
	return fd;
}

/* path->raw ends in NUL. */
void enrich_hold_file(struct enricher *e, const struct event *event, const struct path *path, bool is_image,
		      struct file_digest *ret)
{
	if (!(e->scan_events >> event->type & 1) || ret->held)
		return;
	if (e->held >= HELD_MAX) {
		e->stats.scans_unheld++;
		return;
	}
	int fd = open_now(e, event, path, is_image);
	if (fd < 0)
		return;
	ret->held = fd + 1;
	ret->held_path = path->wire;
	e->held++;
}

/* The descriptor is the caller's; -1: there is none. */
static int take_held(struct enricher *e, struct file_digest *file)
{
	int fd = file->held - 1;

	e->held -= file->held != 0;
	file->held = 0;
	return fd;
}

void enrich_drop_held(struct enricher *e, struct file_digest *file)
{
	int fd = take_held(e, file);

	if (fd >= 0)
		close(fd);
}

/* The file beside the executable; false when the event has none. */
static bool named_file(const struct event *event, struct path *ret)
{
	switch (event->type) {
	case EVENT_execve_script:
		*ret = path_decode(event, &((const struct wire_execve *)event_wire(event))->image);
		return true;
	case EVENT_mmap_exec:
		*ret = path_decode(event, &((const struct wire_mmap_exec *)event_wire(event))->file);
		return true;
	case EVENT_read:
	case EVENT_read_config:
		*ret = event->data.read.path;
		return true;
	case EVENT_write:
	case EVENT_write_config:
		*ret = event->data.write.path;
		return true;
	case EVENT_write_close:
		*ret = event->data.write_close.path;
		return true;
	case EVENT_file_create:
		*ret = event->data.file_create.path;
		return true;
	case EVENT_file_rename:
		*ret = event->data.file_rename.new;
		return true;
	default:
		return false;
	}
}

/* Of executions and mappings that was done where their files are hashed. */
void enrich_hold_files(struct enricher *e, const struct event *event, struct prefetch *ret)
{
	struct path path;

	if (event->type != EVENT_execve_script && event->type != EVENT_mmap_exec && named_file(event, &path))
		enrich_hold_file(e, event, &path, false, &ret->files[PREFETCH_HELD]);
}

/* What has no path, as a memfd, can be scanned when it is held. */
static bool is_scannable(const struct scan_target *t)
{
	return t->fd >= 0 || (t->shown.len > 0 && t->shown.p[0] == '/');
}

/* What the process runs when that is what the event shows: not for a script, whose process runs its interpreter. */
static int open_running(struct enricher *e, const struct event *event, struct str shown)
{
	char link[32], target[LINK_MAX];
	int fd = mount_ns_open_exe(e->namespaces, event->wire->task.tgid);

	if (fd < 0)
		return -1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, target, sizeof(target));
	struct str seen = {target, n > 0 ? (uint32_t)n : 0};
	if (str_ends_with(seen, STR(" (deleted)")) && !str_ends_with(shown, STR(" (deleted)")))
		seen.len -= (uint32_t)strlen(" (deleted)");
	if (str_starts_with(seen, STR("/memfd:")) && str_starts_with(shown, STR("memfd:")))
		seen = (struct str){seen.p + 1, seen.len - 1};
	if (str_eq(utf8_repair(event->arena, seen), shown))
		return fd;
	close(fd);
	return -1;
}

static void take(struct enricher *e, struct prefetch *prefetch, int index, const struct path *path,
		 struct str shown, struct scan_target *ret)
{
	struct file_digest *file = prefetch ? &prefetch->files[index] : NULL;
	bool held = file && file->held && file->held_path == path->wire;

	*ret = (struct scan_target){
		.shown = shown,
		.raw = path->raw,
		.wanted = wanted_of(path),
		.fd = held ? take_held(e, file) : -1,
	};
}

static bool exe_target(struct enricher *e, struct event *event, struct prefetch *prefetch,
		       struct scan_target *ret)
{
	struct data_common *common = event_common(event);
	bool unverified;

	if (event->type == EVENT_execve || event->type == EVENT_execve_script) {
		const struct wire_execve *wire = event_wire(event);
		struct path path = event->type == EVENT_execve ? path_decode(event, &wire->image)
							       : enrich_script_path(event, &unverified);
		take(e, prefetch, PREFETCH_EXE, &path, event->data.execve.exe.path, ret);
		return is_scannable(ret);
	}
	if (!common)
		return false;
	*ret = (struct scan_target){.shown = common->exe.path, .raw = common->exe.path};
	ret->fd = open_running(e, event, ret->shown);
	return is_scannable(ret);
}

static bool named_target(struct enricher *e, struct event *event, struct prefetch *prefetch,
			 struct scan_target *ret)
{
	struct path path;

	if (!named_file(event, &path))
		return false;
	take(e, prefetch, event->type == EVENT_execve_script ? PREFETCH_INTERPRETER : PREFETCH_HELD, &path,
	     path.text, ret);
	return is_scannable(ret);
}

void enricher_scan_files(struct enricher *e, const struct event *event, struct prefetch *prefetch,
			 void *rules)
{
	struct scan_target targets[FILE_SCANS_TARGETS_MAX];
	struct event *borrowed = (struct event *)event; /* event_common() has no other way */
	uint32_t n = 0;

	if (!e->scans || !event_catalogue[event->type].from_kernel)
		return;
	n += exe_target(e, borrowed, prefetch, &targets[n]);
	n += named_target(e, borrowed, prefetch, &targets[n]);
	if (n == 2 && str_eq(targets[0].shown, targets[1].shown)) {
		/* the second one may be held from the time of the event */
		if (targets[0].fd >= 0)
			close(targets[0].fd);
		targets[0] = targets[1];
		n = 1;
	}
	file_scans_request(e->scans, e->namespaces, event, targets, n, rules);
}
