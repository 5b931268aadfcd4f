/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's boot time as UTC: one offset, sampled now and then. Times are ns. */
#ifndef KUNAI_BASE_UTC_CLOCK_H
#define KUNAI_BASE_UTC_CLOCK_H

#include <stdint.h>

struct utc_clock {
	int64_t offset;
	uint64_t sampled_at; /* boot time */
	uint64_t last;       /* the newest result */
};

/* How often to sample, and how far the clock is slewed in between at most before we call it a step. */
#define UTC_CLOCK_INTERVAL_NS UINT64_C(1000000000)
#define UTC_CLOCK_STEP_NS     INT64_C(20000000)

uint64_t boot_time_now(void);

/* Stands still while the machine is suspended. */
uint64_t monotonic_time_now(void);

/* For how long the calling thread has had a processor. */
uint64_t thread_time_now(void);

/* Samples; returns by how many ns the clock was stepped since the last time, 0 for none. */
int64_t utc_clock_sample(struct utc_clock *c);

/* Never less than the result before, unless a sample in between found a step. */
uint64_t utc_clock_convert(struct utc_clock *c, uint64_t boot_time);

#endif
