/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What runtimes call their containers, asked for by a thread of its own: nothing here waits for a file. One lookup for each
 * container, which is counted: the last one to let go frees it. All functions are for one thread, the main one.
 */
#ifndef KUNAI_ENRICH_CONTAINER_LOOKUP_H
#define KUNAI_ENRICH_CONTAINER_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "enrich/container_files.h"

enum {
	CONTAINER_LOOKUPS_MAX = 4096, /* that are under way; more are refused */
	CONTAINER_CGROUP_MAX = 4096,  /* bytes of a path */
};

struct container_lookups;
struct container_lookup;

struct container_lookup_stats {
	uint64_t refused;  /* lookups: too many at once, or no memory */
	uint64_t unknown;  /* containers that no runtime's file told of, after all tries */
	uint64_t resolved; /* that were found */
};

/* Starts the thread, with all signals blocked. root stands for / and owner for root, for tests. NULL with errno. */
struct container_lookups *container_lookups_new(const char *root, uid_t owner);
/* Waits for the file that is being read. No reference is of use afterwards. */
void container_lookups_free(struct container_lookups *l);

/*
 * Begins to look, if nobody has yet. id: as the container's cgroup tells it; absent when it does not, and then cgroup, the
 * path, may be that of one that runc made. NULL when it is refused, or there is nothing to look for.
 */
struct container_lookup *container_lookup_get(struct container_lookups *l, struct str id, struct str cgroup);
void container_lookup_release(struct container_lookup *lookup);

/* This is a good moment to look again. */
void container_lookup_hurry(struct container_lookup *lookup);

/* What was found; NULL while nothing is. It lives as long as the lookup. */
const struct container_names *container_lookup_names(const struct container_lookup *lookup);
/* The id that was looked for. */
struct str container_lookup_id(const struct container_lookup *lookup);

void container_lookups_read_stats(struct container_lookups *l, struct container_lookup_stats *ret);

#endif
