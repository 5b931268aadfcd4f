/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An event on its way through the pipeline. It borrows everything: the record it was decoded from, the arena of this
 * round, the process table. Copy to keep.
 */
#ifndef KUNAI_EVENT_EVENT_H
#define KUNAI_EVENT_EVENT_H

#include "base/arena.h"
#include "event/schema.h"

struct event {
	enum event_type type;
	const struct wire_header *wire; /* NULL for events made in user space */
	struct obj_info info;
	union event_data data;
	const struct obj_detection *detection; /* NULL: none */
	const struct obj_filtering *filter;    /* NULL: none */
	struct arena *arena;
};

/*
 * Makes an event of a record: checks every bound, turns text into valid UTF-8, fills what the kernel sent and what of
 * info.task and info.parent_task it knows. The rest is for the enrichment. -EBADMSG: not a record. -ENOMEM.
 */
int event_decode(const void *record, size_t len, struct arena *a, struct event *ret);

/* An event of the sensor's own. */
void event_make(struct event *ret, enum event_type type, struct arena *a);

/* Makes it one of another type, with the same info; what both have in common stays, the other fields are empty. */
void event_become(struct event *e, enum event_type type);

/* What the kernel told of a task; user and group are ?, the guuid is the enrichment's. */
void event_fill_task(struct event *e, const struct wire_task *wire, struct obj_task *ret);

/* info.task and info.parent_task from the record's header. */
void event_fill_tasks(struct event *e);

/* The fixed part of the record. */
static inline const void *event_wire(const struct event *e)
{
	return (const char *)e->wire + sizeof(struct wire_header);
}

/* The bytes of a slot; only for slots of this event's record. */
static inline struct str event_slot(const struct event *e, struct slot slot)
{
	return (struct str){(const char *)e->wire + slot.off, slot.len};
}

/* The common fields, or NULL for events without. */
struct data_common *event_common(struct event *e);

/*
 * "/usr/bin/ls" from components, leaf first, each ended by NUL. Of one with a name from user memory, raw is what was
 * passed, below the directory it started from, and text is that normalised.
 */
struct path path_decode(const struct event *e, const struct wire_path *wire);

/* Resolves "//", "." and ".." as text, behind the first cut bytes. */
struct str path_normalised(struct arena *a, struct str path, size_t cut);

#endif
