/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The containers that processes live in, one entry each. The table owns them; whoever holds one holds a reference, and
 * the last one to let go frees it. All functions are for one thread, the main one.
 */
#ifndef KUNAI_ENRICH_CONTAINER_TABLE_H
#define KUNAI_ENRICH_CONTAINER_TABLE_H

#include "enrich/containers.h"

/* With processes bounded, containers are: none lives without one. */
struct container {
	const char *type;    /* as in struct container_identity */
	const char *runtime; /* the same */
	struct str id;       /* absent when unknown */
};

struct container_table;

/* NULL with errno. */
struct container_table *container_table_new(void);
/* All references must have been given back. */
void container_table_free(struct container_table *t);

/* A reference to the container of this identity; NULL when it says nothing, or when memory is short. */
struct container *container_get(struct container_table *t, const struct container_identity *identity);
struct container *container_share(struct container *c);
void container_release(struct container *c);

uint32_t container_count(const struct container_table *t);

#endif
