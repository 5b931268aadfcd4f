/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small files, or pieces of files, read while the caller waits, but not for ever: the file of a FUSE or network file system may
 * never answer, and whoever has a mount namespace of his own chooses what its /etc/passwd is. A thread reads. One that does not
 * come back in time is left behind and another one takes its place; FILE_PEEK_STUCK_MAX may be left behind at a time, one a
 * mount namespace. All functions are for one thread, the main one.
 */
#ifndef KUNAI_ENRICH_FILE_PEEK_H
#define KUNAI_ENRICH_FILE_PEEK_H

#include "enrich/file_hashes.h"
#include "enrich/mount_ns.h"

enum { FILE_PEEK_STUCK_MAX = 8 };

/* So long an answer is waited for. */
#define FILE_PEEK_PATIENCE_NS UINT64_C(1000000000)

struct file_peeker;

struct file_peek_request {
	uint64_t mnt_ns;
	uint32_t pid; /* a task in that namespace, 0: none is known */
	const char *path;
	const struct file_id *known;  /* the file is not read when it still is this one; or NULL */
	const struct file_id *wanted; /* -ESTALE unless it is this one, before and after; or NULL */
	uint64_t offset;
	size_t max;
	bool whole; /* -EFBIG when the file has more than max bytes */
};

struct file_peek_result {
	struct file_id id;
	bool unchanged; /* it is `known` */
	char *text;     /* to be freed; NULL if it was not read. One byte longer than len. */
	size_t len;
};

/* NULL with errno. A thread is started when it is needed. */
struct file_peeker *file_peeker_new(struct mount_ns_table *namespaces);
/* False: a thread was left behind, and all that it uses, the namespaces too, must stay. */
bool file_peeker_free(struct file_peeker *p);

/*
 * 0; errors of mount_ns_open() and mount_ns_reopen(), -EIO, -ENOMEM; -ETIMEDOUT when there was no answer in time; -EBUSY when
 * none is to be expected: one that was asked of the same namespace has not come, or too many have not.
 */
int file_peek(struct file_peeker *p, const struct file_peek_request *request, struct file_peek_result *ret);

/* Threads that are left behind now, and requests since the start that had no answer. */
uint32_t file_peek_stuck(const struct file_peeker *p);
uint64_t file_peek_unanswered(const struct file_peeker *p);

#endif
