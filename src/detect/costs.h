/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What rules cost, by a sample of the events: reading the clock around each condition of each event would cost more than
 * most conditions. A span of time belongs to what is measured innermost: a condition that asks for a pattern, or for
 * another rule, does not pay for it.
 */
#ifndef KUNAI_DETECT_COSTS_H
#define KUNAI_DETECT_COSTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "detect/detect.h"

enum { COSTS_INTERVAL = 64 }; /* one in so many events is measured, on average */

struct costs {
	bool on;       /* this event is measured */
	uint32_t wait; /* events until one is */
	uint32_t seed;
	uint64_t events, measured;
	uint64_t claimed; /* ns of this event that were measured so far */
	uint64_t *rules;  /* ns of conditions */
	uint64_t *atoms;  /* ns of patterns that are tried one by one */
	uint64_t shared;  /* ns of the searches for all patterns of a field at once */
	uint64_t whole;   /* ns of all that was measured, and of what is between */
};

struct span {
	uint64_t began, claimed;
};

/* Returns 0 or -ENOMEM. */
int costs_init(struct costs *ret, uint32_t rules, uint32_t atoms);
void costs_fini(struct costs *c);

/* The interval varies, or what comes regularly could be measured always, or never. */
void costs_draw(struct costs *c);

static inline void costs_begin_event(struct costs *c)
{
	c->events++;
	c->on = --c->wait == 0;
	if (c->on)
		costs_draw(c);
}

static inline uint64_t costs_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline struct span costs_enter(const struct costs *c)
{
	return c->on ? (struct span){costs_clock(), c->claimed} : (struct span){0};
}

/* slot: where the time goes that nothing inside has claimed. */
static inline void costs_leave(struct costs *c, struct span span, uint64_t *slot)
{
	if (!c->on)
		return;
	uint64_t all = costs_clock() - span.began;
	uint64_t inside = c->claimed - span.claimed;
	*slot += all > inside ? all - inside : 0;
	c->claimed = span.claimed + all;
}

static inline void costs_end_event(struct costs *c, struct span span)
{
	if (c->on)
		c->whole += costs_clock() - span.began;
}

#endif
