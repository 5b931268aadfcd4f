/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The containers that processes live in, one entry each. The table owns them; whoever holds one holds a reference, and
 * the last one to let go frees it. All functions are for one thread, the main one.
 */
#ifndef KUNAI_ENRICH_CONTAINER_TABLE_H
#define KUNAI_ENRICH_CONTAINER_TABLE_H

#include "enrich/container_lookup.h"
#include "enrich/containers.h"

/*
 * With processes bounded, containers are: none lives without one. One without type and id is a cgroup of which only the
 * lookup tells whether it is a container.
 */
struct container {
	const char *type;                /* as in struct container_identity */
	const char *runtime;             /* the same */
	struct str id;                   /* absent when unknown */
	struct container_lookup *lookup; /* what its runtime calls it; NULL when nobody could tell */
};

struct container_table;

/* lookups outlive the table; NULL for none. NULL with errno. */
struct container_table *container_table_new(struct container_lookups *lookups);
/* All references must have been given back. */
void container_table_free(struct container_table *t);

/*
 * A reference to the container of this identity in this cgroup; NULL when they say nothing, or when memory is short. Its
 * names are looked for.
 */
struct container *container_get(struct container_table *t, const struct container_identity *identity,
				struct str cgroup);
struct container *container_share(struct container *c);
void container_release(struct container *c);

/* Begins to look for the names, before the container is asked for. The caller releases it. */
struct container_lookup *container_look_up(struct container_table *t,
					   const struct container_identity *identity, struct str cgroup);

uint32_t container_count(const struct container_table *t);

#endif
