/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The older parts of an output file: FILE.1 is the oldest, the greatest number the newest, and numbers only grow. A thread
 * of the lowest priority turns FILE.n into FILE.n.gz. Everything is safe from any thread.
 */
#ifndef KUNAI_SINK_ARCHIVES_H
#define KUNAI_SINK_ARCHIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARCHIVES_MAX = 1 << 20 };

/* What is in the directory, for whoever reads it. */
struct archive {
	uint64_t index;
	uint64_t size; /* bytes as it is stored */
	bool compressed;
	bool given_up; /* could not be compressed: tried again with the next one */
};

struct archive_list {
	struct archive *v; /* oldest first */
	size_t count;
};

/* The archives of the file at path. Of one that is there twice, the compressed one. Returns 0 or -errno. */
int archive_list_read(const char *path, struct archive_list *ret);
void archive_list_fini(struct archive_list *list);

/* The name of an archive; free(3) it. NULL: no memory. */
char *archive_path(const char *path, const struct archive *archive);

struct archives;

/* path is copied. What an earlier run left half done is cleaned up. Returns 0 or -errno. */
int archives_open(const char *path, struct archives **ret);
/* Waits for what is being compressed no longer than for one block of it; the next run does the rest. */
void archives_close(struct archives *a);

/* The file at path becomes the newest archive. Returns 0 or -errno. */
int archives_add(struct archives *a, uint64_t size);

/* Deletes the oldest ones until all together have less than max bytes, or none is left. */
void archives_trim(struct archives *a, uint64_t max);

struct archives_stats {
	uint64_t count;
	uint64_t bytes;
	uint64_t deleted;
	uint64_t compressed;
	uint64_t failures; /* to compress or to delete */
};

void archives_read_stats(struct archives *a, struct archives_stats *ret);

/* Until nothing is left to compress, for tests. */
void archives_wait(struct archives *a);

#endif
