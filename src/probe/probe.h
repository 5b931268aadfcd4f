/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel side as the rest of the sensor sees it: load, attach, snapshot, read, count. The only user of libbpf.
 * A probe owns its programs, maps and links; records passed to a callback are valid until it returns.
 */
#ifndef KUNAI_PROBE_PROBE_H
#define KUNAI_PROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "schema/wire.h"

struct probe;

/* Where the hooks sit. AUTO: by event, on trampolines where this kernel allows it. */
enum probe_tier { PROBE_TIER_AUTO, PROBE_TIER_TRACEPOINT, PROBE_TIER_TRAMPOLINE };

struct probe_options {
	uint64_t wanted;       /* bit set by enum event_type */
	uint64_t mutable;      /* those that probe_mute() may name */
	uint64_t send_min_len; /* bytes */
	uint64_t files_limit;  /* file events a second and CPU; 0: any number */
	uint32_t max_args;     /* bytes */
	uint32_t ring_process; /* bytes, a power of two */
	uint32_t ring_other;   /* bytes, a power of two */
	enum probe_tier tier;
	const char *without; /* functions that are treated as missing, separated by commas; or NULL */
	bool force;          /* go on without programs that all others depend on */
	bool verbose;        /* libbpf's own messages go to stderr */
};

/* One record of the wire format. A negative result stops the reading after this record. */
typedef int (*probe_record_fn)(void *context, const void *record, size_t len);

/*
 * Loads the programs of the wanted events. On failure returns -errno and says in *ret_message what a person can do;
 * the caller owns the message. Programs that the kernel refuses are left out and named in probe_skipped().
 */
int probe_open(const struct probe_options *options, struct probe **ret, struct buf *ret_message);
int probe_attach(struct probe *p, struct buf *ret_message);
/* No more events come; what is in the rings can still be read. */
void probe_detach(struct probe *p);
/* Programs that were attached and are not any more, although nobody asked us. */
unsigned int probe_count_detached(const struct probe *p);
void probe_close(struct probe *p);

/* What was found out about this kernel, as one line of text. */
const char *probe_facts(const struct probe *p);

/*
 * From now on the kernel side makes no records of these events, a bit set by enum event_type, and of all others again;
 * events that are not mutable are never muted. Returns whether somebody else had changed the set since the last call.
 */
bool probe_mute(struct probe *p, uint64_t events);

/* Events that the trampoline tier serves, by enum event_type. */
uint64_t probe_trampoline(const struct probe *p);
/* Why it does not serve an event although it could elsewhere; "" when it does, when it was not asked to or cannot anywhere. */
const char *probe_fallback(const struct probe *p, int event);

/* Why that tier serves no event at all; NULL otherwise. */
const char *probe_no_trampolines(const struct probe *p);

/* Names of the programs that the kernel refused, separated by a space; empty when none. */
const char *probe_skipped(const struct probe *p);

/* Calls fn with a seed record for every process that exists. */
int probe_snapshot(struct probe *p, probe_record_fn fn, void *context);

/* Becomes readable when process events arrive or a ring fills up. */
int probe_fd(const struct probe *p);

/* Reads all that the rings hold. Returns the number of records or the callback's error. */
int probe_read(struct probe *p, probe_record_fn fn, void *context);

/* The last reading stopped before records that were there: the one in front of them is still being copied. */
bool probe_is_blocked(const struct probe *p);

/* Boot time in ns of the oldest record that is still being built, UINT64_MAX when there is none. */
uint64_t probe_oldest_busy(const struct probe *p);

/* Events of a row of hooks that the kernel left out, because the hook's programs were interrupted or preempted
 * on that CPU: nothing in the kernel side can count them. One that an entry has yet to take is counted meanwhile. */
uint64_t probe_missed(const struct probe *p, size_t hook);

/* Sums over all CPUs, by event type. */
void probe_counters(const struct probe *p, struct wire_counters ret[EVENT_COUNT]);

#endif
