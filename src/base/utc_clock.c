/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utc_clock.h"

#include <time.h>

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t boot_time_now(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

uint64_t thread_time_now(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t monotonic_time_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t utc_clock_sample(struct utc_clock *c)
{
	enum { TRIES = 4 };
	uint64_t best = UINT64_MAX;
	int64_t offset = 0;

	/* the tightest of a few: a reading that was interrupted in between is off by that */
	for (int i = 0; i < TRIES; i++) {
		uint64_t before = boot_time_now();
		uint64_t utc = clock_ns(CLOCK_REALTIME);
		uint64_t after = boot_time_now();
		if (after - before < best) {
			best = after - before;
			offset = (int64_t)(utc - (before + best / 2));
		}
		c->sampled_at = after;
	}

	int64_t step = c->last ? offset - c->offset : 0;
	c->offset = offset;
	if (step > -UTC_CLOCK_STEP_NS && step < UTC_CLOCK_STEP_NS)
		return 0;
	c->last = 0;
	return step;
}

uint64_t utc_clock_convert(struct utc_clock *c, uint64_t boot_time)
{
	uint64_t utc = boot_time + (uint64_t)c->offset;

	if (utc > c->last)
		c->last = utc;
	return c->last;
}
