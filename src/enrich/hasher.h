/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digests and types of files, computed by worker threads, remembered per mount namespace and path. All functions are
 * for one thread, the main one; it owns the hasher, its tickets and all results.
 *
 * A request is answered at once from the cache, or by a ticket, which has its result once hasher_collect() has run
 * after the event descriptor became readable.
 */
#ifndef KUNAI_ENRICH_HASHER_H
#define KUNAI_ENRICH_HASHER_H

#include "base/str.h"
#include "enrich/exec_files.h"
#include "enrich/file_hashes.h"
#include "enrich/mount_ns.h"

enum {
	HASHER_CACHE_MAX = 10000,  /* results remembered, least recently used ones go first */
	HASHER_PENDING_MAX = 4096, /* requests without result; more are answered with an error at once */
};

struct hasher;
struct hash_ticket;

struct hash_request {
	uint64_t mnt_ns; /* as mount_ns.h identifies it; 0: the event had none */
	uint32_t pid;    /* task in that namespace when the event happened, 0: none */
	uint32_t exe_of; /* process that runs the file, tried first through its exe link; 0: none */
	struct exec_files
		*opened; /* by a process that executes the file, tried before everything else; NULL: none */
	uint32_t opened_by;
	struct str path; /* raw bytes */
	struct file_id id;
};

struct hasher_stats {
	uint64_t requests;
	uint64_t hits;      /* answered without looking at the file, or by seeing that it is unchanged */
	uint64_t merged;    /* joined a request that waited already */
	uint64_t files;     /* read */
	uint64_t bytes;     /* of these files */
	uint64_t not_found; /* could not be looked up, or changed */
	uint64_t refused;   /* because HASHER_PENDING_MAX requests waited */
	uint32_t pending;
	uint32_t cached;
	uint32_t stuck; /* threads that wait for a file that does not answer, as of the last hasher_watch() */
};

/* Starts the threads, 1 to HASH_POOL_WORKERS_MAX of them, with all signals blocked. NULL with errno. */
struct hasher *hasher_new(uint32_t workers);

/*
 * Waits for the chunks being read; pending tickets stay without result. The mount_ns table must still live. False: a thread
 * still waits for a file that does not answer, and all that it uses, the table too, must stay.
 */
bool hasher_free(struct hasher *h);

/* Once a second. now: boot time. */
void hasher_watch(struct hasher *h, uint64_t now);

/* Readable when results wait to be collected. */
int hasher_event_fd(const struct hasher *h);

/*
 * 1: *ret_hashes is the result, to be released by the caller. 0: *ret_ticket will have it; with ret_ticket NULL the
 * file is hashed for the cache only, and both are left alone. -ENOMEM.
 */
int hasher_submit(struct hasher *h, struct mount_ns_table *namespaces, const struct hash_request *request,
		  const struct file_hashes **ret_hashes, struct hash_ticket **ret_ticket);

/* Returns the number of requests that were completed. */
uint32_t hasher_collect(struct hasher *h);

/* As of the last hasher_watch(), its file does not answer. */
bool hasher_has_lost(const struct hasher *h, const struct hash_ticket *ticket);

/* NULL while pending. Lives as long as the ticket; share it to keep it. */
const struct file_hashes *hash_ticket_result(const struct hash_ticket *ticket);
void hash_ticket_drop(struct hash_ticket *ticket);

void hasher_read_stats(const struct hasher *h, struct hasher_stats *ret_stats);

/* Reads the file behind the descriptor now, without cache. Never NULL; to be released. */
const struct file_hashes *hasher_file_now(int fd);

#endif
