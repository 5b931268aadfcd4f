/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mount namespaces and how to open files as they see them. The table owns its descriptors and belongs to the main
 * thread; a view is a copy that one other thread may use until the main thread gives it back.
 *
 * A namespace's id is its inode number, in the upper half with what tells it from earlier ones: the kernel gives the
 * number of one that ended to the next.
 *
 * No namespace is ever entered: a path is resolved below /proc/<pid>/root of a process that is verified to be in
 * the namespace, and symbolic links cannot lead out of that root.
 */
#ifndef KUNAI_ENRICH_MOUNT_NS_H
#define KUNAI_ENRICH_MOUNT_NS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/wire.h"

enum {
	MOUNT_NS_MAX = 16384,     /* namespaces with members */
	MOUNT_NS_ROOTS_MAX = 256, /* root descriptors held open, least recently renewed ones go first */
	MOUNT_NS_OLDEST = 4,      /* members remembered because they came first: a container's init */
	MOUNT_NS_NEWEST = 4,      /* members remembered because they came last */
	MOUNT_NS_HINTS = MOUNT_NS_OLDEST + MOUNT_NS_NEWEST,
};

/* A root outlives the last member by this long, for events that are still on their way. */
#define MOUNT_NS_LINGER_NS UINT64_C(2000000000)

/* The task's mount namespace as this file identifies it; 0 none. */
static inline uint64_t wire_mnt_ns(const struct wire_task *task)
{
	return task->mnt_ns ? (uint64_t)task->mnt_seq << 32 | task->mnt_ns : 0;
}

struct mount_ns_table;
struct mount_ns_root;

struct mount_ns_view {
	uint64_t id;
	uint32_t pid_count;
	uint32_t pids[3 + MOUNT_NS_HINTS]; /* in the order of preference */
	int proc;
	bool climb;
	struct mount_ns_root *root; /* may be NULL */
};

/*
 * proc is "/proc", or a directory of the same shape for tests. Works without privileges too, but then most
 * namespaces stay unknown. NULL with errno when proc cannot be opened or memory is short.
 */
struct mount_ns_table *mount_ns_new(const char *proc);
void mount_ns_free(struct mount_ns_table *t);

/* The host's mount namespace, that of pid 1; 0 when it could not be read and was not set. */
uint64_t mount_ns_host(const struct mount_ns_table *t);
/* For who knows it from elsewhere: a security module may hide pid 1 from us. */
void mount_ns_set_host(struct mount_ns_table *t, uint64_t id);

/*
 * A process came into being in the namespace or moved into it; start_ns tells processes of the same tgid apart,
 * now_ns is any monotonic clock. Each successful join is undone by exactly one leave. -ENOSPC: MOUNT_NS_MAX
 * namespaces are known; files are then found through the event's own process only.
 */
int mount_ns_join(struct mount_ns_table *t, uint64_t id, uint32_t tgid, uint64_t start_ns, uint64_t now_ns);
void mount_ns_leave(struct mount_ns_table *t, uint64_t id, uint32_t tgid, uint64_t start_ns, uint64_t now_ns);

/*
 * A living process was seen in the namespace, at execve for example: renew the cached root from it, since a
 * container's root changes (pivot_root) between the namespace's birth and its first program. Does nothing most of
 * the time: the older the namespace, the rarer, at most once a second.
 */
void mount_ns_refresh(struct mount_ns_table *t, uint64_t id, uint32_t pid, uint64_t now_ns);

/* Forgets namespaces whose last member ended MOUNT_NS_LINGER_NS ago. Call it now and then. */
void mount_ns_expire(struct mount_ns_table *t, uint64_t now_ns);

/* Joins that were not undone. */
uint32_t mount_ns_member_count(const struct mount_ns_table *t, uint64_t id);
uint32_t mount_ns_root_count(const struct mount_ns_table *t);

/* pid: a task that was in the namespace when the event happened, 0 if none is known. */
void mount_ns_view_init(struct mount_ns_table *t, uint64_t id, uint32_t pid, struct mount_ns_view *ret_view);
void mount_ns_view_fini(struct mount_ns_view *view);

/*
 * Opens with O_PATH, which has no side effect on whatever is there. Errors: -ENOENT and -ENOTDIR only when a living
 * member of the namespace has no such file; -ENXIO when the namespace is unknown or cannot be reached any more;
 * other errors as openat2(2) has them. Safe in any thread, as long as the table lives.
 */
int mount_ns_view_open(const struct mount_ns_view *view, const char *path);

/* The same in one go. */
int mount_ns_open(struct mount_ns_table *t, uint64_t id, uint32_t pid, const char *path);

/*
 * Opens a path with O_PATH and the given flags to see where it leads, from the root of the namespace; with links or
 * without, in which case one is -ELOOP. Does not wait for a disk or a server, where the kernel can tell (5.12): -EAGAIN.
 * Errors say nothing about the file. Main thread only.
 */
int mount_ns_peek(struct mount_ns_table *t, uint64_t id, uint32_t pid, const char *path, bool links,
		  int flags);
/* The same below a directory, which is not left. */
int mount_ns_peek_at(struct mount_ns_table *t, int dir, const char *path, bool links, int flags);

/* The path of a descriptor within its namespace; its length, or -errno when it has none any more. */
int mount_ns_path_of(struct mount_ns_table *t, int fd, char *ret, size_t size);

/* An O_PATH descriptor of the program that the process runs, even if its file is deleted; -errno. Never waits. */
int mount_ns_open_exe(struct mount_ns_table *t, uint32_t pid);

/*
 * Opens for reading what an O_PATH descriptor stands for, without waiting. -EISDIR for a directory, -EINVAL for what
 * else is no regular file, -EOPNOTSUPP in file systems where reading is an act (proc, sysfs, tracefs, ...).
 */
int mount_ns_reopen(int path_fd);

#endif
