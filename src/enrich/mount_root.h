/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Roots of processes, and paths below a root; mount_ns.h says whose roots these are. Descriptors are the caller's. proc is a
 * descriptor of /proc. Safe in any thread.
 */
#ifndef KUNAI_ENRICH_MOUNT_ROOT_H
#define KUNAI_ENRICH_MOUNT_ROOT_H

#include <stdbool.h>
#include <stdint.h>

/* The namespace that a link like "self/ns/mnt" names, its inode number. 0: the process has none any more. */
uint32_t mount_root_read_ns(int dir, const char *path);

/* Whether the process is in the namespace. */
bool mount_root_is_member(int proc, uint64_t id, uint32_t pid);

/*
 * The root of a process that is in the namespace; climb: the namespace's, should the process have called chroot. -ESRCH: it
 * is not in it. Or -errno.
 */
int mount_root_open_member(int proc, bool climb, uint64_t id, uint32_t pid);

/* Opens with O_PATH and these flags. resolve: RESOLVE_* besides those that keep it below the root. -errno. */
int mount_root_open_below(int root, const char *path, uint64_t flags, uint64_t resolve);

#endif
