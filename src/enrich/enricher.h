/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From what the kernel sent to what people read: names, ancestors, hashes, containers. The enricher owns every table
 * that outlives an event; events borrow from it until the next call.
 *
 * A record is seen twice: enricher_prefetch() at once, in the order of reading, starts what takes time; and
 * enricher_apply() in the order of time completes the event and keeps the tables.
 */
#ifndef KUNAI_ENRICH_ENRICHER_H
#define KUNAI_ENRICH_ENRICHER_H

#include "enrich/file_scans.h"
#include "enrich/hasher.h"
#include "enrich/process.h"
#include "enrich/names.h"
#include "enrich/prog_digests.h"
#include "event/event.h"

struct enricher;

/* Files of a record that are being hashed, or held open. All zero is nothing. */
struct prefetch {
	uint64_t mnt_ns; /* joined until the event has been applied: its process may be gone by then */
	uint32_t tgid;
	struct file_digest {
		const struct file_hashes *hashes;
		struct hash_ticket *ticket;
		int held; /* an O_PATH descriptor and 1, in case a scan is asked for; 0: none */
		const struct wire_path *held_path;
	} files[2];
	struct name_lookup names[2];
	struct prog_ticket *prog;           /* digests of a BPF program */
	struct container_lookup *container; /* of the cgroup that the record names */
};

enum { PREFETCH_EXE, PREFETCH_INTERPRETER, PREFETCH_MAPPED = 0, PREFETCH_MODULE = 0 };
enum { PREFETCH_HELD = 0 }; /* the file of events whose files are not hashed */
enum { PREFETCH_PATH = 0, PREFETCH_OLD = 0, PREFETCH_NEW = 1 };

struct enricher_stats {
	uint64_t dns_truncated; /* messages */
	uint64_t dns_malformed;
	struct process_losses process_losses;
	size_t process_bytes;      /* of texts of processes */
	uint64_t names_unverified; /* paths of user memory that could not be looked up */
	uint64_t renames_left_out; /* of what is no regular file */
	uint32_t processes;
	struct hasher_stats hasher;
	struct exec_files_stats executed;
	struct exec_files_stats closed; /* after writing, while scans of them are expected */
	uint64_t progs_refused;         /* requests for digests of BPF programs that were not made */
	uint64_t progs_unknown;         /* that gave nothing, mostly because the program was gone */
	struct container_lookup_stats containers;
	struct file_scan_stats scans;
	uint32_t unanswered; /* threads that wait for files that do not answer */
	uint64_t
		scans_unheld; /* files that could not be held for want of descriptors: they may be gone when they are scanned */
};

/* Called for each finished event: one record can be several, or none. */
typedef void (*enricher_emit_fn)(void *context, struct event *e);

/* host_uuid: 36 characters. workers: hashing threads. NULL with errno. */
struct enricher *enricher_new(const char *host_uuid, uint32_t workers);
void enricher_free(struct enricher *e);

/* The socket of a helper that answers event/prog_message.h; it stays the caller's. Without one, digests of BPF programs are
 * unknown. */
void enricher_set_prog_helper(struct enricher *e, int fd);

/* Executed files are held open until their record is read (exec_files.h); -errno: they are opened afterwards then. */
int enricher_hold_executed(struct enricher *e);
/* POLLPRI: enricher_mounts_changed() is wanted. -1: none. */
int enricher_mounts_fd(const struct enricher *e);
void enricher_mounts_changed(struct enricher *e);
/* After each reading of the rings: what is read later is looked up anew. Takes the executed files that came meanwhile. */
void enricher_end_reading(struct enricher *e, uint64_t now);

/*
 * Files of these events, bits 1 << enum event_type, are held open from the reading of their record on, so that a scan sees
 * them even when they were deleted meanwhile. Of write_close even from the closing on (exec_files.h); -errno: that cannot be.
 */
int enricher_expect_scans(struct enricher *e, uint64_t events);

/* Starts what scans files; without it they are not scanned. -errno. See scan_pool.h. */
int enricher_start_scans(struct enricher *e, const struct content_engine *engine, uint32_t matchers,
			 uint32_t timeout_s);

/*
 * Asks for a scan of the files of an event that is being emitted; prefetch NULL: of none of its own. Of file_scan itself and
 * of the sensor's own events there are none.
 */
void enricher_scan_files(struct enricher *e, const struct event *event, struct prefetch *prefetch,
			 void *rules);

/* The next file_scan, complete; valid until the next call. False when none is done. */
bool enricher_next_scan(struct enricher *e, struct arena *arena, struct event *ret);
/* Readable when scans are done; -1: none were started. */
int enricher_scans_fd(const struct enricher *e);

/* The snapshot of the processes that exist: a record each, then once done. */
int enricher_seed(struct enricher *e, const void *record, size_t len);
void enricher_seed_done(struct enricher *e);

void enricher_prefetch(struct enricher *e, const void *record, size_t len, struct prefetch *ret);
/* All is there, or will not come. */
bool prefetch_is_ready(const struct enricher *e, const struct prefetch *p);
void prefetch_drop(struct enricher *e, struct prefetch *p);

/* Takes decoded events in the order of time; the prefetch stays the caller's. utc_time and batch are the caller's. */
void enricher_apply(struct enricher *e, struct event *event, const struct prefetch *prefetch,
		    enricher_emit_fn emit, void *context);

/* An event of the sensor itself: info is filled as for its other events. */
void enricher_fill_own(struct enricher *e, struct event *event);

/* Readable when hashes are ready; then collect. */
int enricher_fd(const struct enricher *e);
int enricher_prog_fd(const struct enricher *e); /* -1 for none */
void enricher_collect(struct enricher *e);

/* Housekeeping, at least once a second; now is boot time in ns. */
void enricher_tick(struct enricher *e, uint64_t now);

/* What the start event says of this machine and this executable. */
void enricher_fill_start(struct enricher *e, struct event *event);

void enricher_read_stats(const struct enricher *e, struct enricher_stats *ret);

#endif
