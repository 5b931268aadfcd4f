/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads that read files whole and match their contents. A job is the caller's: it lends it to the pool with
 * scan_pool_add() and has it back from scan_pool_take_done(). All functions are for one thread, the main one.
 *
 *     main -> reader: opens, reads, digests -> matchers: look at the bytes -> main
 *
 * The reader has the sensor's privileges, as it opens files of anybody. Matchers run an engine that takes hostile files
 * apart: they have no capabilities, and never open anything.
 */
#ifndef KUNAI_ENRICH_SCAN_POOL_H
#define KUNAI_ENRICH_SCAN_POOL_H

#include "enrich/file_reader.h"
#include "enrich/mount_ns.h"
#include "enrich/worker_pool.h"
#include "event/content_scan.h"

enum {
	SCAN_POOL_MATCHERS_MAX = 16,
	SCAN_POOL_READERS_MAX = 8, /* one, and others beside those that wait for files that do not answer */
};

/* Of one file, as Kunai has it; what comes behind is not matched. */
#define SCAN_POOL_FILE_MAX FILE_READER_SIZE_MAX

/* Contents in memory at a time, or a single larger one. */
#define SCAN_POOL_BYTES_MAX (UINT64_C(128) << 20)

struct scan_pool;

struct scan_job {
	/* The caller's to set before the job is added, and constant until it is back. */
	struct mount_ns_view view;
	const char *path;
	struct file_id wanted; /* what the kernel saw */
	struct file_id cached; /* OUTCOME_SAME when the file still is this one; known is 0 if there is none */
	void *rules;           /* for the engine; NULL: the file is not matched, only digested */

	/* The pool's. */
	struct pool_job job;
	int fd; /* O_PATH, or -1: to be opened by path */
	void *bytes;
	size_t len;
	size_t size; /* mapped */
	uint32_t owner;

	/* Result. */
	struct file_outcome outcome;
	struct findings findings; /* the caller's to finish */
};

/* timeout_s: of one match. NULL with errno, EINVAL unless matchers is 1 to the bound. */
struct scan_pool *scan_pool_new(const struct content_engine *engine, uint32_t matchers, uint32_t timeout_s);

/*
 * Waits for files being read and matched, but not for those that do not answer: false, and their jobs stay with the pool for
 * ever. All other unfinished ones are given back as done, with a result of no meaning.
 */
bool scan_pool_stop(struct scan_pool *p);
/* Stopped and empty. Left alone while a thread still works. */
void scan_pool_free(struct scan_pool *p);

/* Now and then: as hash_pool_watch(). */
uint32_t scan_pool_watch(struct scan_pool *p, uint64_t now);

/* Readable when jobs are done. */
int scan_pool_event_fd(const struct scan_pool *p);

/* fd is an O_PATH descriptor of the file, which the pool closes, or -1. */
void scan_pool_add(struct scan_pool *p, struct scan_job *job, int fd);

/* NULL when no more jobs are done; the event descriptor is not readable then. */
struct scan_job *scan_pool_take_done(struct scan_pool *p);

#endif
