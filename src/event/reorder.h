/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records wait here until no older one can come. A heap by time, then by order of arrival; it owns copies of the
 * records and is bounded in bytes. */
#ifndef KUNAI_EVENT_REORDER_H
#define KUNAI_EVENT_REORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A waiting record; the user's bytes, of the size given at init, stand in user. */
struct reorder_item {
	uint64_t time;
	uint64_t sequence;
	size_t len;
	_Alignas(8) unsigned char bytes[]; /* the record, then the user's bytes */
};

struct reorder {
	struct reorder_item **heap;
	size_t count;
	size_t cap;
	size_t bytes;
	size_t max_bytes;
	uint64_t sequence;
	uint64_t newest; /* time of the newest record that was taken */
	uint64_t late;   /* records that came after a younger one was taken */
};

void reorder_fini(struct reorder *q);

/* Copies the record and makes room for user bytes behind it. NULL with errno ENOMEM. The queue may exceed max_bytes by
 * this one record: ask reorder_is_full() before. */
struct reorder_item *reorder_push(struct reorder *q, uint64_t time, const void *record, size_t len,
				  size_t user);

static inline bool reorder_is_full(const struct reorder *q)
{
	return q->bytes >= q->max_bytes;
}

/* The oldest one, or NULL. */
static inline struct reorder_item *reorder_first(const struct reorder *q)
{
	return q->count ? q->heap[0] : NULL;
}

/* Takes the oldest one out; free() it. */
struct reorder_item *reorder_take(struct reorder *q);

/* Gives back what a long queue took and a short one does not need. */
void reorder_trim(struct reorder *q);

static inline void *reorder_user(struct reorder_item *item)
{
	return item->bytes + ((item->len + 7) & ~(size_t)7);
}

#endif
