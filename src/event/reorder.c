/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/reorder.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024 };

void reorder_fini(struct reorder *q)
{
	for (size_t i = 0; i < q->count; i++)
		free(q->heap[i]);
	free(q->heap);
	*q = (struct reorder){0};
}

static bool is_older(const struct reorder_item *a, const struct reorder_item *b)
{
	return a->time != b->time ? a->time < b->time : a->sequence < b->sequence;
}

static bool grow(struct reorder *q)
{
	size_t cap = q->cap ? q->cap * 2 : FIRST_CAPACITY;
	struct reorder_item **heap = realloc(q->heap, cap * sizeof(struct reorder_item *));

	if (!heap)
		return false;
	q->heap = heap;
	q->cap = cap;
	return true;
}

void reorder_trim(struct reorder *q)
{
	size_t cap = q->count > FIRST_CAPACITY ? q->count : FIRST_CAPACITY;
	struct reorder_item **heap =
		cap < q->cap ? realloc(q->heap, cap * sizeof(struct reorder_item *)) : NULL;

	if (!heap)
		return;
	q->heap = heap;
	q->cap = cap;
}

static size_t item_size(const struct reorder_item *item)
{
	return sizeof(*item) + item->len;
}

struct reorder_item *reorder_push(struct reorder *q, uint64_t time, const void *record, size_t len,
				  size_t user)
{
	if (q->count == q->cap && !grow(q))
		return NULL;
	struct reorder_item *item = malloc(sizeof(*item) + ((len + 7) & ~(size_t)7) + user);
	if (!item)
		return NULL;
	item->time = time;
	item->sequence = q->sequence++;
	item->len = len;
	memcpy(item->bytes, record, len);
	if (time < q->newest)
		q->late++;

	size_t at = q->count++;
	while (at > 0 && is_older(item, q->heap[(at - 1) / 2])) {
		q->heap[at] = q->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	q->heap[at] = item;
	q->bytes += item_size(item);
	return item;
}

struct reorder_item *reorder_take(struct reorder *q)
{
	if (q->count == 0)
		return NULL;
	struct reorder_item *first = q->heap[0];
	struct reorder_item *last = q->heap[--q->count];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= q->count)
			break;
		if (child + 1 < q->count && is_older(q->heap[child + 1], q->heap[child]))
			child++;
		if (!is_older(q->heap[child], last))
			break;
		q->heap[at] = q->heap[child];
		at = child;
	}
	if (q->count)
		q->heap[at] = last;
	q->bytes -= item_size(first);
	if (first->time > q->newest)
		q->newest = first->time;
	return first;
}
