/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scans of files that events name, from the request to the event `file_scan`. The object owns all that a request was
 * about; everything is for the main thread, which never waits for a file.
 */
#ifndef KUNAI_ENRICH_FILE_SCANS_H
#define KUNAI_ENRICH_FILE_SCANS_H

#include "enrich/mount_ns.h"
#include "enrich/scan_pool.h"
#include "event/event.h"

enum {
	FILE_SCANS_PENDING_MAX = 4096, /* files that wait, most of them held open; more are told as refused */
	FILE_SCANS_CACHE_MAX = 10000,  /* results remembered, least recently used ones go first */
	FILE_SCANS_TARGETS_MAX = 2,    /* files of one event */
};

struct file_scans;

/* A file of an event. */
struct scan_target {
	struct str shown; /* as the event names it */
	struct str raw;   /* bytes to open it by */
	struct file_id wanted;
	int fd; /* O_PATH, the callee's; -1: none */
};

struct file_scan_stats {
	uint64_t requested; /* files */
	uint64_t refused;   /* because FILE_SCANS_PENDING_MAX waited, they had no path, or memory was short */
	uint64_t scanned;
	uint64_t hits; /* answered by seeing that the file is unchanged */
	uint64_t positive;
	uint64_t timed_out;
	uint64_t failed; /* not found, changed, not readable */
	uint32_t pending;
	uint32_t
		stuck; /* threads that wait for a file that does not answer, as of the last file_scans_watch() */
};

/* rules of requests are for the engine. NULL with errno. */
struct file_scans *file_scans_new(const struct content_engine *engine, uint32_t matchers, uint32_t timeout_s);
/* The mount_ns table must still live. False: a thread still waits for a file, and all that it uses must stay. */
bool file_scans_free(struct file_scans *s);

/* Once a second. now: boot time. */
void file_scans_watch(struct file_scans *s, uint64_t now);

/* Readable when scans are done. */
int file_scans_fd(const struct file_scans *s);

/*
 * Asks for the files of an event, which is copied; rules may be NULL: digests only. What comes of it is an event each, in
 * this order.
 */
void file_scans_request(struct file_scans *s, struct mount_ns_table *namespaces, const struct event *event,
			const struct scan_target *targets, uint32_t count, void *rules);

/*
 * Makes the event of a file that is done, in the arena; its uuid is left to the caller. Valid until the next call. False
 * when there is none.
 */
bool file_scans_next(struct file_scans *s, struct arena *arena, struct event *ret);

void file_scans_read_stats(const struct file_scans *s, struct file_scan_stats *ret);

#endif
