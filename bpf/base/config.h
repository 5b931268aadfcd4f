/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options, fixed before load. The verifier knows them as constants, so what is switched off costs nothing.
 * User space writes this struct into the section .rodata.config: src/probe/load.c. What else both sides must agree about,
 * beside the records, stands here, too.
 */
#ifndef KUNAI_BPF_BASE_CONFIG_H
#define KUNAI_BPF_BASE_CONFIG_H

#include "schema/wire.h"

enum {
	SMALL_SLOTS = 4, /* a CPU: hooks may be preempted and nested by interrupts */
	LARGE_SLOTS = 2, /* a CPU, with room for the argument area */
	CPU_SLOTS = SMALL_SLOTS + LARGE_SLOTS,
	SLOT_CLAIMED = 1, /* in struct slot_state */
};

enum { HELD_RECORDS = 128 };      /* see emit/held.h */
enum { RATED_TASKS = 16384 };     /* see emit/throttle.h */
enum { ACCESS_BUCKET_BITS = 16 }; /* see emit/access.h */
enum { FRESH_MARK_BITS = 12 };    /* see emit/file.h */

/* The entries of a hook: see turns.h of the tracepoint tier. */
#define TURN_LEVELS(LEVEL, ...) \
	LEVEL(0, __VA_ARGS__)   \
	LEVEL(1, __VA_ARGS__) LEVEL(2, __VA_ARGS__) LEVEL(3, __VA_ARGS__) LEVEL(4, __VA_ARGS__)
#define TRAMPOLINE_TURN_LEVELS(LEVEL, ...) LEVEL(0, __VA_ARGS__) LEVEL(1, __VA_ARGS__) LEVEL(2, __VA_ARGS__)
#define ONE_LEVEL(level, ...)              +1
enum {
	TURN_ENTRIES = TURN_LEVELS(ONE_LEVEL),
	TRAMPOLINE_TURN_ENTRIES = TRAMPOLINE_TURN_LEVELS(ONE_LEVEL),
};
#undef ONE_LEVEL

struct bpf_config {
	u64 wanted;       /* bit set by enum event_type */
	u64 trampoline;   /* those of them that the trampoline tier serves */
	u64 mutable;      /* those of them that may be muted while the sensor runs */
	u64 send_min_len; /* smallest send_data */
	u32 self_tgid;    /* own activity is never reported */
	u32 max_args;     /* bytes of the argument area kept, at most WIRE_ARGS_MAX */
	u32 possible_cpus;
	u32 wakeup_process; /* bytes: a ring fuller than this wakes the reader */
	u32 wakeup_other;
	u32 uring_request; /* which argument of the tracepoint of a new io_uring request is the request */
	u32 uring_told;    /* the tracepoint of its end tells which request it is */
	u32 id_mapped;     /* functions on inodes begin with an argument for the mount's ids: since 5.12 */
	u64 secret;        /* of hashes; random */
	u64 files_limit; /* file events a second and CPU: this one and those after it are left out; 0: none are */
	u64 files_limit_task; /* and of a task */
};

/* How system calls access files, by call number: schema/trampolines.def. In .rodata.calls, the native ones, then those of
 * 32-bit programs. */
enum {
	CALL_NUMBERS = 512,
	CALL_READS = 1 << 15, /* beside WRITTEN_* */
	CALL_SENDS = 1 << 14,
	CALL_RECEIVES = 1 << 13,
	CALL_CONNECTS = 1 << 12,
	CALL_SOCKETS = CALL_SENDS | CALL_RECEIVES | CALL_CONNECTS,
};

/* What learn.h finds out after the load: in .bss. */
struct bpf_facts {
	u64 trial_inode; /* of the file that user space closes to see what happens */
	u64 fput_func;   /* the callback with which it waits, ____fput; 0 unknown */
	u64 preemptible; /* a tracepoint's programs can be preempted */
	u64 spin_ns;     /* for how long to try that */
	u64 spin_task;   /* in which thread */
};

#endif
