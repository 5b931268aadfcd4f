/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads one file in steps, for all digests and its type at once. Tools belong to one thread; a reading owns its
 * descriptor and is finished by one thread at a time, but may go from one to another between steps.
 */
#ifndef KUNAI_ENRICH_FILE_READER_H
#define KUNAI_ENRICH_FILE_READER_H

#include "enrich/file_hashes.h"

enum { FILE_READER_CHUNK = 256 * 1024 };

/* Kunai's scan limit: larger files get no digests. */
#define FILE_READER_SIZE_MAX (UINT64_C(100) << 20)

struct file_digests;
struct file_tools;

struct file_reading {
	int fd;
	uint32_t mode;
	struct file_id wanted; /* what the kernel saw */
	struct file_id seen;
	uint64_t offset;
	bool cold;    /* the file was not in the page cache, and need not stay there because of us */
	bool settled; /* so long unchanged that a later change cannot have the same time stamps */
	struct file_outcome *outcome;
};

/* NULL with errno when memory is short. */
struct file_digests *file_digests_new(void);
void file_digests_free(struct file_digests *d);

struct file_tools *file_tools_new(void);
void file_tools_free(struct file_tools *t);

/*
 * Looks at the file behind a descriptor, which may be an O_PATH one and stays the caller's. 1: file_reading_step() is
 * to be called; 0: the outcome is complete, nothing to close. cached is the identity of a known result, or NULL.
 */
int file_reading_open(struct file_reading *r, int path_fd, const struct file_id *wanted,
		      const struct file_id *cached, struct file_outcome *ret_outcome);

/* More than one step will be needed: worth a turn of its own. */
bool file_reading_is_long(const struct file_id *seen);

/* Reads one chunk. 1: call again; 0: the outcome is complete and the reading closed. */
int file_reading_step(struct file_reading *r, struct file_tools *tools, struct file_digests *digests);

/* What the last step read, to be looked at before the next one. */
const unsigned char *file_tools_chunk(const struct file_tools *t);

void file_reading_close(struct file_reading *r);

#endif
