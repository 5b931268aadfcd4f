/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/heartbeat.h"
#include "tap.h"

static enum heartbeat_news look(struct heartbeat *h, uint64_t one, uint64_t other)
{
	const uint64_t signs[HEARTBEAT_SIGNS] = {one, other};

	return heartbeat_look(h, signs);
}

static void test_due(void)
{
	struct heartbeat h = {0};
	int due = 0;

	for (int i = 0; i < 10 * HEARTBEAT_EVERY; i++)
		due += heartbeat_is_due(&h);
	is_u64((uint64_t)due, 10, "it looks every few seconds");
}

static void test_news(void)
{
	struct heartbeat h = {0};

	ok(look(&h, 0, 0) == HEARTBEAT_NO_NEWS, "the first look has nothing to compare with");
	ok(look(&h, 1, 1) == HEARTBEAT_NO_NEWS, "both moved");
	for (int i = 1; i < HEARTBEAT_SILENT; i++)
		ok(look(&h, 1, 1) == HEARTBEAT_NO_NEWS, "silent for %d looks", i);
	ok(look(&h, 1, 1) == HEARTBEAT_STOPPED, "one more is too much");
	ok(look(&h, 1, 1) == HEARTBEAT_NO_NEWS, "which is said once");
	ok(look(&h, 2, 2) == HEARTBEAT_BACK, "it is back");
	ok(look(&h, 3, 3) == HEARTBEAT_NO_NEWS, "which is said once, too");
}

static void test_one_of_two(void)
{
	struct heartbeat h = {0};

	look(&h, 1, 1);
	for (int i = 1; i < HEARTBEAT_SILENT; i++)
		look(&h, 1 + (uint64_t)i, 1);
	ok(look(&h, 100, 1) == HEARTBEAT_STOPPED, "one counter that stands is enough");
}

static void test_interrupted(void)
{
	struct heartbeat h = {0};

	look(&h, 1, 1);
	for (int i = 1; i < HEARTBEAT_SILENT; i++)
		look(&h, 1, 1);
	look(&h, 2, 2);
	ok(look(&h, 2, 2) == HEARTBEAT_NO_NEWS, "a sign in between begins the count anew");
}

int main(void)
{
	test_due();
	test_news();
	test_one_of_two();
	test_interrupted();
	return done_testing();
}
