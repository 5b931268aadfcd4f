/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/uring_results.h"

#include <string.h>

#include "event/event.h"

/* So long may a request keep the events behind it waiting. */
#define PATIENCE_NS UINT64_C(5000000)

/* The request's fields, or NULL when it is another record. */
static struct wire_io_uring_sqe *request_of(const struct reorder_item *item)
{
	const struct wire_header *head = (const void *)item->bytes;

	if (head->type != EVENT_io_uring_sqe || item->len < sizeof(*head) + sizeof(struct wire_io_uring_sqe))
		return NULL;
	return (void *)(head + 1);
}

static struct uring_pending *set_of(struct uring_results *u, uint64_t request)
{
	/* Fibonacci hashing (Knuth, TAOCP 3, 6.4): the upper bits of a product with 2^64 / golden ratio */
	return u->pending[(request * UINT64_C(0x9e3779b97f4a7c15)) >> 54];
}

_Static_assert(URING_SETS == 1 << (64 - 54), "the upper bits are the set");

void uring_results_expect(struct uring_results *u, struct reorder_item *item)
{
	const struct wire_io_uring_sqe *w = request_of(item);

	if (!w || !w->request)
		return;
	struct uring_pending *set = set_of(u, w->request);
	/* the newest one comes first; the address of one that has ended is used again */
	size_t last = 0;
	while (last < URING_WAYS - 1 && set[last].request && set[last].request != w->request)
		last++;
	memmove(set + 1, set, last * sizeof(*set));
	set[0] = (struct uring_pending){w->request, item};
}

/* Takes the request out of its set. NULL: it is not there. */
static struct reorder_item *take(struct uring_results *u, uint64_t request)
{
	struct uring_pending *set = set_of(u, request);

	for (size_t i = 0; i < URING_WAYS && set[i].request; i++) {
		if (set[i].request != request)
			continue;
		struct reorder_item *item = set[i].item;
		memmove(set + i, set + i + 1, (URING_WAYS - 1 - i) * sizeof(*set));
		set[URING_WAYS - 1] = (struct uring_pending){0};
		return item;
	}
	return NULL;
}

void uring_results_join(struct uring_results *u, const void *record, size_t len)
{
	const struct wire_header *head = record;
	const struct wire_uring_end *end = (const void *)(head + 1);

	if (len < sizeof(*head) + sizeof(*end) || !end->request)
		return;
	struct reorder_item *item = take(u, end->request);
	if (item)
		request_of(item)->result = end->result;
}

void uring_results_forget(struct uring_results *u, const struct reorder_item *item)
{
	const struct wire_io_uring_sqe *w = request_of(item);

	if (!w || !w->request)
		return;
	const struct uring_pending *set = set_of(u, w->request);
	for (size_t i = 0; i < URING_WAYS; i++) {
		if (set[i].item == item) {
			take(u, w->request);
			return;
		}
	}
}

uint64_t uring_results_expected_until(const struct reorder_item *item)
{
	const struct wire_io_uring_sqe *w = request_of(item);

	return w && w->told && !w->result ? item->time + PATIENCE_NS : 0;
}
