/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel side writes and user space reads.
 *
 *   struct wire_header | struct wire_<event> | bytes
 *
 * A record is one header, the fixed struct of its event and the bytes that the slots of both point into.
 * All integers have the byte order of the machine. Every member is a multiple of eight bytes long or is
 * grouped so that no padding exists; the compiler proves it.
 */
#ifndef KUNAI_SCHEMA_WIRE_H
#define KUNAI_SCHEMA_WIRE_H

#ifndef __bpf__
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;
#endif

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

enum {
	WIRE_PATH_MAX = 4096,        /* bytes of a path's components, as Linux's PATH_MAX */
	WIRE_MODULE_ARGS_MAX = 1024, /* bytes kept of a module's parameters */
	WIRE_PAYLOAD_MAX = 4096,     /* bytes kept of what was sent or received */
	WIRE_ARGS_MAX = 131072,      /* upper bound of the option max_args; Linux's MAX_ARG_STRLEN */
	WIRE_COMM_LEN = 16,          /* TASK_COMM_LEN */
	WIRE_NODENAME_LEN = 65,      /* __NEW_UTS_LEN + 1 */
	PF_KTHREAD = 0x00200000,     /* in wire_task.flags: include/linux/sched.h */
};

enum event_type {
#define EVENT(name, id, on, ring, group, doc) EVENT_##name,
#include "schema/events.def"
#undef EVENT
	EVENT_COUNT
};

/* Bytes of this record, counted from its start. */
struct slot {
	u32 off;
	u32 len;
};

struct wire_task {
	u64 start; /* of the thread group leader: boot time in ns */
	u32 pid;   /* thread id, in the initial pid namespace */
	u32 tgid;
	u32 uid; /* real ids, in the initial user namespace */
	u32 gid;
	u32 euid;
	u32 egid;
	u32 loginuid;  /* (u32)-1 when not set */
	u32 sessionid; /* of audit; (u32)-1 when not set */
	u32 flags;     /* PF_* */
	u32 mnt_ns;    /* inode number of the mount namespace; 0 when the task has none any more */
	u32 mnt_seq;   /* tells it from earlier ones, whose number it may have got */
	/* The ids as the owner of the mount namespace sees them: as its /etc/passwd means them; (u32)-1 when it
	 * cannot. */
	u32 inner_uid;
	u32 inner_gid;
	u32 inner_euid;
	u32 inner_egid;
	u32 sid; /* process id of the session's leader, in the initial pid namespace; not of parents */
	u32 tty; /* the controlling terminal's number: major << 20 | minor; 0 none */
	u32 reserved;
	char comm[WIRE_COMM_LEN];
};

/* Single bits: of wire_path.flags, wire_sock.flags and how a file was written. */
#define FLAG(set, name, bit, doc) set##_##name = 1u << (bit),
enum wire_flag {
#include "schema/flags.def"
};
#undef FLAG

struct wire_path {
	struct slot components; /* leaf first, each ended by NUL */
	struct slot name; /* PATH_USER: what user memory says, below the components; its NUL may be there */
	u64 inode;
	u64 device; /* the superblock's dev_t as the kernel has it */
	u64 size;
	u64 mtime; /* ns since the epoch */
	u64 ctime; /* the same */
	u32 mode;  /* 0 when there is no such file */
	u32 flags; /* PATH_* */
};

struct wire_sock {
	u16 family;
	u16 type;
	u16 protocol;
	u16 src_port; /* host byte order */
	u16 dst_port;
	u16 flags; /* SOCK_* of flags.def */
	u32 reserved;
	u8 src[16]; /* IPv4 in the first four bytes */
	u8 dst[16];
};

struct wire_header {
	u32 length; /* of the whole record */
	u16 type;   /* enum event_type */
	u8 tier;    /* enum wire_tier */
	u8 via;     /* VIA_* */
	u32 cpu;
	u32 reserved_too;
	u64 time; /* boot time in ns, taken when the record was begun */
	struct wire_task task;
	struct wire_task parent;
};

enum { VIA_URING = 1, VIA_UNCONFIRMED = 2 };

enum wire_tier { TIER_TRACEPOINT = 1, TIER_TRAMPOLINE = 2 };

/* The wire types behind the kinds of the field lists. */
#define WIRE_KIND_U64     u64
#define WIRE_KIND_U32     u64
#define WIRE_KIND_HEX     u64
#define WIRE_KIND_OPT_U64 u64
#define WIRE_KIND_OPT_I32 u64
#define WIRE_KIND_BOOL    u64
#define WIRE_KIND_MARK    u64
#define WIRE_KIND_PATH    struct wire_path
#define WIRE_KIND_BYTES   struct slot
#define WIRE_KIND_SOCK    struct wire_sock
#define WIRE_KIND_TASK    struct wire_task

#define DATA(event, doc)              struct wire_##event {
#define WIRE(name, kind, doc)         WIRE_KIND_##kind name;
#define KERNEL(name, kind, doc)       WIRE_KIND_##kind name;
#define KERNEL_EXTRA(name, kind, doc) WIRE_KIND_##kind name;
#define END(event) \
	}          \
	;
#include "schema/fields.def"
#include "schema/undef.h"

#pragma GCC diagnostic pop

/* Codes of the event `error` that begin in the kernel; the others are the pipeline's. */
enum {
	ERROR_THROTTLE_TASK = 1,
	ERROR_THROTTLE_ALL = 2,
	ERROR_DENIED_SIGNAL = 20,
	ERROR_DENIED_TRACE = 21,
	ERROR_DENIED_PROC = 22, /* a file of /proc/PID was to be written */
	ERROR_DENIED_LIMIT = 23,
	ERROR_DENIED_SCHEDULING = 24,
	ERROR_DENIED_CGROUP = 25,
	ERROR_DENIED_BPF = 26,
	ERROR_DENIED_WRITE = 27,
	ERROR_DENIED_NAME = 28,   /* a file was to be deleted or renamed, or another one to take its place */
	ERROR_DENIED_LAPSED = 29, /* refused no longer: the lease has run out */
};

/* What the kernel counts for each event type: hits = emitted + filtered + throttled + lost + errors. */
struct wire_counters {
	u64 hits;
	u64 emitted;
	u64 filtered;
	u64 throttled;
	u64 lost;
	u64 errors;
	/* write_close only: files that began and ended to be followed from their first write to their close */
	u64 followed;
	u64 unfollowed;
};

/* Written files that are followed at a time; of more, those that were least recently written are forgotten. */
enum { WIRE_WRITTEN_FILES_MAX = 65536 };

#endif
