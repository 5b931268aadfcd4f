/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is told about a file: digests, type, size, or why not. Shared by counted references that only the main thread
 * counts; immutable once made.
 */
#ifndef KUNAI_ENRICH_FILE_HASHES_H
#define KUNAI_ENRICH_FILE_HASHES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "enrich/file_magic.h"

enum { FILE_ERROR_SIZE = 160 }; /* with NUL; longer texts are cut */

/* Digests are lower-case hex; "" when the file could not be looked up, "?" when it could not be read. */
struct file_hashes {
	uint32_t references;
	uint64_t size;
	char md5[33];
	char sha1[41];
	char sha256[65];
	char sha512[129];
	const char *magic;
	const char *error; /* NULL when all went well */
	char text[];       /* the bytes of both */
};

/* What makes a file the one that the kernel saw. Devices are left out: overlayfs and btrfs show others than they use. */
struct file_id {
	uint64_t inode;
	uint64_t size;
	uint64_t mtime_ns;
	uint64_t ctime_ns; /* changes when a link goes too, so it only guards the cache */
	uint32_t known;    /* FILE_ID_* */
};

enum {
	FILE_ID_INODE = 1u << 0,
	FILE_ID_SIZE = 1u << 1,
	FILE_ID_MTIME = 1u << 2,
	FILE_ID_CTIME = 1u << 3,
	FILE_ID_ALL = FILE_ID_INODE | FILE_ID_SIZE | FILE_ID_MTIME | FILE_ID_CTIME,
};

/* As a reader left it; also what a file_hashes is made from. */
struct file_outcome {
	enum {
		OUTCOME_NOT_FOUND, /* could not be looked up, or is another file by now */
		OUTCOME_FOUND,     /* whether readable or not */
		OUTCOME_SAME,      /* has the identity that the request said is known already */
	} kind;
	bool cacheable;
	struct file_id id;
	uint64_t size;
	char md5[33];
	char sha1[41];
	char sha256[65];
	char sha512[129];
	char magic[FILE_MAGIC_TEXT_SIZE];
	char error[FILE_ERROR_SIZE]; /* "" for none */
};

/* Sets what is not known of the file: empty texts for OUTCOME_NOT_FOUND, else "?". */
void file_outcome_fail(struct file_outcome *o, int kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* error is "<what>: <text of the errno> (os error <number>)". */
void file_outcome_fail_errno(struct file_outcome *o, int kind, const char *what, int error);

/* Why mount_ns_view_open() did not find it, in the words that rules know. */
void file_outcome_fail_lookup(struct file_outcome *o, uint64_t mnt_ns, int error);

/* Never NULL: short of memory, a constant that says so. */
const struct file_hashes *file_hashes_new(const struct file_outcome *o);
const struct file_hashes *file_hashes_share(const struct file_hashes *h);
void file_hashes_release(const struct file_hashes *h);

/* 0, or -errno; never waits for the server of a FUSE or network file system. */
int file_id_read(int fd, struct file_id *ret_id, uint32_t *ret_mode);

/* All that both know is the same. */
bool file_id_matches(const struct file_id *wanted, const struct file_id *seen);

#endif
