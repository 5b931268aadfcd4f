/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that were just opened for execution, or closed after writing, held open by fanotify(7): what is deleted a
 * millisecond later can still be read. The object owns its descriptors and belongs to the main thread.
 *
 * The kernel queues an executed file before the program starts, so the file is there when the record of the execution is. A
 * closed one is queued when its last descriptor goes, which can be just behind the record. Only
 * file systems are watched where opening a file asks no server: of the sensor's own mount namespace, and local.
 */
#ifndef KUNAI_ENRICH_EXEC_FILES_H
#define KUNAI_ENRICH_EXEC_FILES_H

#include "base/str.h"
#include "enrich/file_hashes.h"

enum {
	EXEC_FILES_MAX = 512,         /* held until their execution's record was read, the oldest go first */
	CLOSED_FILES_MAX = 2048,      /* the same for closed ones */
	EXEC_FILES_MOUNTS_MAX = 4096, /* looked at when mounts change */
};

/* An execution that failed has no record: its files are held so long. */
#define EXEC_FILES_HOLD_NS UINT64_C(1000000000)

/*
 * Most that is closed is of no interest, and what is held keeps its file system from being unmounted: until the record has
 * surely been read, and no longer. The rings are read every 50 ms at least.
 */
#define CLOSED_FILES_HOLD_NS UINT64_C(60000000)

/* Mounts may change all the time; they are looked at this often at most. */
#define EXEC_FILES_MOUNTS_NS UINT64_C(100000000)

struct exec_files;

struct exec_files_stats {
	uint64_t found;     /* files that were asked for */
	uint64_t evicted;   /* closed early for want of room */
	uint64_t overflow;  /* times the kernel's queue was full */
	uint64_t unwatched; /* times a file system could not be watched */
	uint64_t unopened;  /* files that the kernel could not open for us */
	uint32_t held;
};

enum exec_files_kind { EXEC_FILES_EXECUTED, EXEC_FILES_CLOSED };

/* NULL with errno: the kernel has no fanotify, or privileges are missing. */
struct exec_files *exec_files_new(enum exec_files_kind kind);
void exec_files_free(struct exec_files *x);

/* POLLPRI once when mounts have changed, to be told then; the next exec_files_read() looks at them. */
int exec_files_mounts_fd(const struct exec_files *x);
void exec_files_mounts_changed(struct exec_files *x);

/* Takes what the kernel has queued and closes what nobody asked for. Call it often: queued files keep mounts busy. */
void exec_files_read(struct exec_files *x, uint64_t now_ns);

/*
 * Of closed files reading does not close any: a storm of records may take its time. To be called when all records of now
 * have been read.
 */
void exec_files_expire(struct exec_files *x, uint64_t now_ns);

/*
 * A descriptor of the newest file that the process executes, or closed, and that has this identity, whatever its ctime; when
 * the inode is unknown, this path. It is the caller's. A closed one is given away once. -1: there is none.
 */
int exec_files_take(struct exec_files *x, uint32_t tgid, const struct file_id *wanted, struct str path);

/*
 * The record of an execution has been read: closes what the process opened up to the file that was taken, and what still
 * has a name, as its loader. A deleted one may be of its next execution, whose record is on its way.
 */
void exec_files_forget(struct exec_files *x, uint32_t tgid);

void exec_files_read_stats(const struct exec_files *x, struct exec_files_stats *ret_stats);

#endif
