/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads that read files. A job is the caller's: it lends it to the pool with hash_pool_add() and has it back from
 * hash_pool_take_done(). All functions are for one thread, the main one.
 *
 * Large files are read a chunk at a time and take turns with small ones, so neither waits for all of the others.
 */
#ifndef KUNAI_ENRICH_HASH_POOL_H
#define KUNAI_ENRICH_HASH_POOL_H

#include "enrich/file_reader.h"
#include "enrich/mount_ns.h"
#include "enrich/worker_pool.h"

enum {
	HASH_POOL_FDS_MAX = 1024, /* descriptors held by waiting jobs; beyond it files are opened by path */
	HASH_POOL_LARGE_MAX = 4,  /* large files read in turns */
	HASH_POOL_WORKERS_MAX = 64,
};

struct hash_pool;

struct hash_job {
	/* The caller's to set before the job is added, and constant until it is back. */
	struct mount_ns_view view;
	const char *path;
	struct file_id wanted; /* what the kernel saw */
	struct file_id cached; /* OUTCOME_SAME when the file still is this one; known is 0 if there is none */

	/* The pool's. */
	struct pool_job job;
	bool started;
	bool counted; /* fd is one of HASH_POOL_FDS_MAX */
	int fd;       /* O_PATH, or -1: to be opened by path */
	struct file_reading reading;
	struct file_digests *digests; /* of a large file that has its turns */
	bool lost; /* a thread has waited for its file for too long, and may come back nevertheless; the main thread's */

	/* Result. */
	struct file_outcome outcome;
	uint64_t bytes; /* read */
};

/* Starts the threads, with all signals blocked. NULL with errno, EINVAL unless workers is 1 to the bound. */
struct hash_pool *hash_pool_new(uint32_t workers);

/*
 * Waits for the chunks being read, but not for files that do not answer: false, and their jobs stay with the pool for ever. All
 * other unfinished ones are given back as done, with an outcome of no meaning.
 */
bool hash_pool_stop(struct hash_pool *p);
/* Stopped and empty. Left alone while a thread still works. */
void hash_pool_free(struct hash_pool *p);

/*
 * Now and then: threads that wait for a file that does not answer get others beside them, up to HASH_POOL_WORKERS_MAX, and their
 * jobs are lost. When there are no others, so are all. Returns the number of these threads. now: boot time.
 */
uint32_t hash_pool_watch(struct hash_pool *p, uint64_t now);

/* It is not worth waiting for. */
bool hash_pool_has_lost(const struct hash_pool *p, const struct hash_job *job);

/* Readable when jobs are done. */
int hash_pool_event_fd(const struct hash_pool *p);

bool hash_pool_has_room_for_fd(struct hash_pool *p);

/* fd is an O_PATH descriptor of the file, which the pool closes, or -1. */
void hash_pool_add(struct hash_pool *p, struct hash_job *job, int fd);

/* A thread has begun with it: it may have read the file already. */
bool hash_pool_has_started(struct hash_pool *p, const struct hash_job *job);

/* NULL when no more jobs are done; the event descriptor is not readable then. */
struct hash_job *hash_pool_take_done(struct hash_pool *p);

#endif
