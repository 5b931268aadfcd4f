/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utc_clock.h"

#include <stdlib.h>
#include <time.h>

#include "tests/unit/tap.h"

#define MS INT64_C(1000000)

static void test_convert(void)
{
	struct utc_clock c = {.offset = 1000};

	is_u64(utc_clock_convert(&c, 5), 1005, "boot time plus offset");
	is_u64(utc_clock_convert(&c, 3), 1005, "an earlier time gives no earlier result");
	is_u64(utc_clock_convert(&c, 6), 1006, "then it goes on");
	c.offset = 990;
	is_u64(utc_clock_convert(&c, 7), 1006, "slewed back it stands still");
	is_u64(utc_clock_convert(&c, 17), 1007, "until it has caught up");
	c.offset = -4;
	c.last = 0;
	is_u64(utc_clock_convert(&c, 10), 6, "an offset below zero");
}

static void test_sample(void)
{
	struct utc_clock c = {0};
	struct timespec t;

	is_u64((uint64_t)utc_clock_sample(&c), 0, "the first sample is no step");
	clock_gettime(CLOCK_REALTIME, &t);
	int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
	int64_t error = now - (int64_t)utc_clock_convert(&c, boot_time_now());
	ok(llabs(error) < 500 * MS, "it is now, within %lld ns", (long long)error);
	ok(boot_time_now() - c.sampled_at < 60000 * (uint64_t)MS, "when it was sampled is known");
	is_u64((uint64_t)utc_clock_sample(&c), 0, "the second sample is no step either");
}

static void test_steps(void)
{
	struct utc_clock c = {0};
	uint64_t boot = boot_time_now();

	utc_clock_sample(&c);
	uint64_t before = utc_clock_convert(&c, boot);
	c.offset += 10000 * MS; /* as if the clock was set back by ten seconds since */
	utc_clock_convert(&c, boot);
	int64_t step = utc_clock_sample(&c);
	ok(step < -9900 * MS && step > -10100 * MS, "a step back is told");
	ok(utc_clock_convert(&c, boot) < before + 1000 * (uint64_t)MS, "and followed");

	c.offset -= 10000 * MS;
	step = utc_clock_sample(&c);
	ok(step > 9900 * MS && step < 10100 * MS, "a step forward is told");

	uint64_t last = utc_clock_convert(&c, boot);
	c.offset += 10 * MS;
	utc_clock_convert(&c, boot);
	ok(utc_clock_sample(&c) == 0, "10 ms are no step");
	ok(utc_clock_convert(&c, boot) >= last + 10 * (uint64_t)MS, "and it does not go back");
}

int main(void)
{
	test_convert();
	test_sample();
	test_steps();
	return done_testing();
}
