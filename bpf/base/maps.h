/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every map that all tiers share. Sizes marked "load" are set by user space before load. */
#ifndef KUNAI_BPF_BASE_MAPS_H
#define KUNAI_BPF_BASE_MAPS_H

#include "base/config.h"
#include "schema/wire.h"

enum {
	/* Offsets into a record are masked with this; one more item of at most ITEM_MAX bytes may follow. */
	RECORD_MASK = 16383,
	ITEM_MAX = 4096,
	CONNECTING_SOCKS = 16384,
	LOADING_MODULES = 1024, /* threads that are in the midst of it */
	CLOSING_TABLES = 1024,  /* processes whose last threads die at one moment */
	SYSCALLS = CALL_NUMBERS,
	CHANGING_NAMES = 1024, /* that are being deleted or changed at one moment */
};

/* Where a path walk is: see extract/path.h. */
struct walk {
	u64 parent, mountpoint, root; /* of the mount, in the order of struct mount */
	u64 mount;
	u64 dentry;
	u32 limit; /* offset in the record */
	u32 flags; /* PATH_* */
};
enum { WALK_MOUNT_SIZE = 3 * sizeof(u64) };

/* Where a record is built. The bytes after ITEM_MAX exist in large slots only. */
struct scratch {
	u32 handle;
	u32 used;  /* bytes of the record so far */
	u64 found; /* for loops that are functions */
	struct walk walk;
	u8 record[RECORD_MASK + 1 + ITEM_MAX];
};

/* 0 free, SLOT_CLAIMED just taken, else the boot time of the record being built. User space maps it: events
 * older than every busy slot can be put in order. */
struct slot_state {
	u64 busy;
};

struct written_file {
	u64 inode;
	u64 mtime; /* when it was mapped; a later one means that the mapping was written */
	u32 how;   /* WRITTEN_* */
	u32 seen;  /* references found in the file table of the exiting task below */
	u64 seen_by;
};

/* What a TCP socket knew while it was connecting. */
struct connecting {
	u16 src_port, dst_port;
	u32 reserved;
	u8 src[16], dst[16];
};

struct module_name {
	char text[MODULE_NAME_LEN];
};

/* What threads read and wrote: see emit/access.h. */
struct access_bucket {
	u64 hashes[4];
};

/* The record of a request whose end is waited for. */
enum { HELD_SIZE = 4096 };
struct held_record {
	u8 bytes[HELD_SIZE];
};

/* A name that is about to go, and to come: the directory's lock is held until the function that does it returns. */
struct changing_name {
	u64 old_dir, new_dir, mnt;
	u32 len;
	u32 reserved;
	char old_name[256];
};

#define MAP(kind, entries, key_type, value_type, flags, name) \
	struct {                                              \
		__uint(type, kind);                           \
		__uint(max_entries, entries);                 \
		__uint(map_flags, flags);                     \
		__type(key, key_type);                        \
		__type(value, value_type);                    \
	} name SEC(".maps")

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 << 20); /* load */
} ring_process SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20); /* load */
} ring_other SEC(".maps");

MAP(BPF_MAP_TYPE_ARRAY, SMALL_SLOTS, u32, struct scratch, 0, scratch_small);       /* load: entries */
MAP(BPF_MAP_TYPE_ARRAY, LARGE_SLOTS, u32, struct scratch, 0, scratch_large);       /* load: entries, value */
MAP(BPF_MAP_TYPE_ARRAY, CPU_SLOTS, u32, struct slot_state, BPF_F_MMAPABLE, slots); /* load: entries */
MAP(BPF_MAP_TYPE_ARRAY, EVENT_COUNT, u32, struct wire_counters, BPF_F_MMAPABLE, counters); /* load: entries */
MAP(BPF_MAP_TYPE_LRU_HASH, WIRE_WRITTEN_FILES_MAX, u64, struct written_file, 0,
    written_files);                                                      /* key: struct file * */
MAP(BPF_MAP_TYPE_LRU_HASH, CLOSING_TABLES, u64, u32, 0, closing_tables); /* key: struct files_struct * */
MAP(BPF_MAP_TYPE_LRU_HASH, CONNECTING_SOCKS, u64, struct connecting, 0, connecting); /* key: struct sock * */
MAP(BPF_MAP_TYPE_LRU_HASH, LOADING_MODULES, u64, struct module_name, 0, loading_modules); /* key: pid_tgid */
MAP(BPF_MAP_TYPE_ARRAY, 1 << ACCESS_BUCKET_BITS, u32, struct access_bucket, 0, accesses); /* load: entries */
MAP(BPF_MAP_TYPE_ARRAY, 1 << FRESH_MARK_BITS, u32, u64, 0, fresh_marks);
MAP(BPF_MAP_TYPE_HASH, CHANGING_NAMES, u64, struct changing_name, 0,
    changing_names); /* key: struct dentry * */

MAP(BPF_MAP_TYPE_ARRAY, 1, u32, u64, 0, file_rates);                   /* load: entries */
MAP(BPF_MAP_TYPE_LRU_HASH, RATED_TASKS, u64, u64, 0, task_file_rates); /* load: entries; key: thread, CPU */

MAP(BPF_MAP_TYPE_HASH, HELD_RECORDS, u64, struct held_record, 0,
    held_records); /* load: entries; key: io_kiocb * */

#endif
