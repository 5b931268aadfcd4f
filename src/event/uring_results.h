/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The result of an io_uring request comes in a record of its own, mostly a few microseconds after the request's. It is
 * written into the record that still waits for its turn. What ends later, or finds no room here, has no result.
 */
#ifndef KUNAI_EVENT_URING_RESULTS_H
#define KUNAI_EVENT_URING_RESULTS_H

#include "event/reorder.h"

/* Requests are found by their address, in sets: the next free place of few, or the oldest one's. */
enum { URING_SETS = 1024, URING_WAYS = 4 };

struct uring_results {
	struct uring_pending {
		uint64_t request;          /* 0: free */
		struct reorder_item *item; /* io_uring_sqe; the queue's */
	} pending[URING_SETS][URING_WAYS];
};

/* The item, of any type, was put into the queue. */
void uring_results_expect(struct uring_results *u, struct reorder_item *item);

/* A record of the type uring_end. One that is too short, or of a request that is not known, is nobody's. */
void uring_results_join(struct uring_results *u, const void *record, size_t len);

/* The item leaves the queue. */
void uring_results_forget(struct uring_results *u, const struct reorder_item *item);

/* Until when the item should wait for its result, as boot time in ns. 0: none will come, or it is there. */
uint64_t uring_results_expected_until(const struct reorder_item *item);

#endif
