/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of users and groups as a mount namespace's /etc/passwd and /etc/group give them. The cache owns the names;
 * what it returns lives until the next call.
 */
#ifndef KUNAI_ENRICH_USERS_H
#define KUNAI_ENRICH_USERS_H

#include "base/str.h"
#include "enrich/file_peek.h"
#include "enrich/mount_ns.h"

enum {
	USERS_NAMES_MAX = 256 << 10,    /* in one file; further ones are not known */
	USERS_NAMESPACES_MAX = 256,     /* least recently used ones go first */
	USERS_FILE_SIZE_MAX = 16 << 20, /* larger files are not read */
	USERS_LINE_MAX = 64 << 10,      /* longer lines are skipped; a group's has its members */
	USERS_NAME_MAX = 256,           /* longer names are skipped; LOGIN_NAME_MAX */
	USERS_MEMORY_MAX = 64 << 20,    /* of all namespaces, but always enough for the one in use */
};

/* A namespace's files are looked at again after this long, huge files less often. */
#define USERS_CHECK_INTERVAL_NS UINT64_C(1000000000)
/* The same for namespaces that could not be reached: the next event may come from a process that still lives. */
#define USERS_RETRY_INTERVAL_NS UINT64_C(50000000)
/* The same for those whose file systems do not answer. */
#define USERS_SILENT_INTERVAL_NS UINT64_C(10000000000)

struct users;

/* Both stay the caller's and must outlive the cache. NULL with errno. */
struct users *users_new(struct mount_ns_table *namespaces, struct file_peeker *peeker);
void users_free(struct users *u);

/*
 * The name of an id in the namespace, the host's name for it if the namespace has no such file, "?" if there is none
 * or the namespace cannot be reached. pid is a task in the namespace, 0 if none is known; now_ns any monotonic clock
 * but never 0. The name's bytes are those of the file.
 */
struct str users_user_name(struct users *u, uint64_t mnt_ns, uint32_t pid, uint32_t uid, uint64_t now_ns);
struct str users_group_name(struct users *u, uint64_t mnt_ns, uint32_t pid, uint32_t gid, uint64_t now_ns);

/* Looks at the namespace's files again when next asked: a program starts in it, perhaps after a change of its root. */
void users_expect_change(struct users *u, uint64_t mnt_ns);

/* Files read since the start. */
uint64_t users_load_count(const struct users *u);

#endif
