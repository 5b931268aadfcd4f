/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/file_hashes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct file_hashes no_memory = {
	.md5 = "?",
	.sha1 = "?",
	.sha256 = "?",
	.sha512 = "?",
	.magic = "?",
	.error = "failed to create lazy cache: out of memory",
};

static void set_texts(struct file_outcome *o, const char *text)
{
	strcpy(o->md5, text);
	strcpy(o->sha1, text);
	strcpy(o->sha256, text);
	strcpy(o->sha512, text);
	strcpy(o->magic, text);
}

void file_outcome_fail(struct file_outcome *o, int kind, const char *format, ...)
{
	o->kind = kind;
	o->cacheable = false;
	set_texts(o, kind == OUTCOME_NOT_FOUND ? "" : "?");
	if (kind == OUTCOME_NOT_FOUND)
		o->size = 0;

	va_list args;
	va_start(args, format);
	vsnprintf(o->error, sizeof(o->error), format, args);
	va_end(args);
}

void file_outcome_fail_errno(struct file_outcome *o, int kind, const char *what, int error)
{
	const char *text = strerrordesc_np(error);
	file_outcome_fail(o, kind, "%s: %s (os error %d)", what, text ? text : "Unknown error", error);
}

void file_outcome_fail_lookup(struct file_outcome *o, uint64_t mnt_ns, int error)
{
	if (error == ENXIO && mnt_ns == 0)
		file_outcome_fail(o, OUTCOME_NOT_FOUND, "unknown namespace");
	else if (error == ENXIO)
		file_outcome_fail(o, OUTCOME_NOT_FOUND, "unknown namespace kind=mnt inum=%u",
				  (uint32_t)mnt_ns);
	else if (error == ENOENT || error == ENOTDIR)
		file_outcome_fail(o, OUTCOME_NOT_FOUND, "file not found");
	else
		file_outcome_fail_errno(o, OUTCOME_FOUND, "failed to get metadata", error);
}

const struct file_hashes *file_hashes_new(const struct file_outcome *o)
{
	size_t magic_size = strlen(o->magic) + 1;
	size_t error_size = o->error[0] ? strlen(o->error) + 1 : 0;
	struct file_hashes *h = malloc(sizeof(*h) + magic_size + error_size);
	if (!h)
		return &no_memory;

	h->references = 1;
	h->size = o->size;
	memcpy(h->md5, o->md5, sizeof(h->md5));
	memcpy(h->sha1, o->sha1, sizeof(h->sha1));
	memcpy(h->sha256, o->sha256, sizeof(h->sha256));
	memcpy(h->sha512, o->sha512, sizeof(h->sha512));
	memcpy(h->text, o->magic, magic_size);
	memcpy(h->text + magic_size, o->error, error_size);
	h->magic = h->text;
	h->error = error_size ? h->text + magic_size : NULL;
	return h;
}

const struct file_hashes *file_hashes_share(const struct file_hashes *h)
{
	if (h && h != &no_memory)
		((struct file_hashes *)h)->references++;
	return h;
}

void file_hashes_release(const struct file_hashes *h)
{
	if (!h || h == &no_memory)
		return;
	if (--((struct file_hashes *)h)->references == 0)
		free((void *)h);
}

static uint64_t to_ns(const struct statx_timestamp *t)
{
	return (uint64_t)t->tv_sec * UINT64_C(1000000000) + t->tv_nsec;
}

int file_id_read(int fd, struct file_id *ret_id, uint32_t *ret_mode)
{
	struct statx st;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &st) < 0)
		return -errno;
	*ret_id = (struct file_id){
		.inode = st.stx_ino,
		.size = st.stx_size,
		.mtime_ns = to_ns(&st.stx_mtime),
		.ctime_ns = to_ns(&st.stx_ctime),
		.known = FILE_ID_ALL,
	};
	if (ret_mode)
		*ret_mode = st.stx_mode;
	return 0;
}

bool file_id_matches(const struct file_id *wanted, const struct file_id *seen)
{
	uint32_t both = wanted->known & seen->known;
	return (!(both & FILE_ID_INODE) || wanted->inode == seen->inode) &&
	       (!(both & FILE_ID_SIZE) || wanted->size == seen->size) &&
	       (!(both & FILE_ID_MTIME) || wanted->mtime_ns == seen->mtime_ns) &&
	       (!(both & FILE_ID_CTIME) || wanted->ctime_ns == seen->ctime_ns);
}
