/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/reorder.h"

#include <stdlib.h>

#include "tests/unit/tap.h"

struct stamp {
	uint64_t time;
	uint64_t number;
};

static void push(struct reorder *q, uint64_t time, uint64_t number)
{
	struct stamp s = {time, number};
	if (!reorder_push(q, time, &s, sizeof(s), 0))
		abort();
}

static struct stamp take(struct reorder *q)
{
	struct reorder_item *item = reorder_take(q);
	struct stamp s;

	if (!item || item->len != sizeof(s))
		abort();
	memcpy(&s, item->bytes, sizeof(s));
	free(item);
	return s;
}

static void test_empty(void)
{
	struct reorder q = {.max_bytes = 100};

	ok(!reorder_first(&q) && !reorder_take(&q) && !reorder_is_full(&q), "an empty queue has nothing");
	reorder_fini(&q);
	push(&q, 1, 1);
	reorder_fini(&q);
	ok(q.count == 0 && q.bytes == 0 && !q.heap, "fini drops what waits");
}

static void test_order(void)
{
	enum { N = 10007 };
	struct reorder q = {.max_bytes = SIZE_MAX};
	struct stamp last = {0, 0};
	unsigned wrong = 0;

	/* many of the same time: those come out as they came in */
	srandom(3);
	for (uint64_t i = 1; i <= N; i++)
		push(&q, 1 + (uint64_t)random() % 1000, i);
	is_u64(q.count, N, "all wait");
	for (int i = 0; i < N; i++) {
		struct stamp s = take(&q);
		wrong += s.time < last.time || (s.time == last.time && s.number < last.number);
		last = s;
	}
	is_u64(wrong, 0, "by time, then by arrival");
	is_u64(q.bytes, 0, "no bytes are left");
	is_u64(q.late, 0, "none was late");
	reorder_fini(&q);
}

static void test_interleaved(void)
{
	struct reorder q = {.max_bytes = SIZE_MAX};
	uint64_t last = 0, now = 1000, taken = 0;
	unsigned wrong = 0;

	for (int round = 0; round < 2000; round++) {
		for (int i = 0; i < 7; i++)
			push(&q, now + (uint64_t)random() % 100, 0);
		now += 100;
		while (reorder_first(&q) && reorder_first(&q)->time < now) {
			uint64_t time = take(&q).time;
			wrong += time < last;
			last = time;
			taken++;
		}
	}
	ok(wrong == 0 && taken == 14000 && q.late == 0, "in order when taken up to a barrier");
	reorder_fini(&q);
}

static void test_late(void)
{
	struct reorder q = {.max_bytes = SIZE_MAX};

	push(&q, 10, 1);
	push(&q, 20, 2);
	is_u64(take(&q).time, 10, "the first is taken");
	push(&q, 15, 3);
	is_u64(q.late, 0, "later than what was taken is not late");
	push(&q, 10, 4);
	is_u64(q.late, 0, "nor is the same time");
	push(&q, 9, 5);
	is_u64(q.late, 1, "earlier is");
	is_u64(take(&q).time, 9, "it still goes first");
	push(&q, 9, 6);
	is_u64(q.late, 2, "the mark does not go back");
	reorder_fini(&q);
}

static void test_bound(void)
{
	enum { LEN = 100 };
	struct reorder q = {.max_bytes = 3 * (sizeof(struct reorder_item) + LEN)};
	static const char record[LEN];

	reorder_push(&q, 1, record, LEN, 8);
	reorder_push(&q, 2, record, LEN, 8);
	ok(!reorder_is_full(&q), "not full one before the bound");
	reorder_push(&q, 3, record, LEN, 8);
	ok(reorder_is_full(&q), "full at the bound");
	free(reorder_take(&q));
	ok(!reorder_is_full(&q), "room again");
	reorder_fini(&q);
}

static void test_user_bytes(void)
{
	struct reorder q = {.max_bytes = SIZE_MAX};
	unsigned wrong = 0;

	for (size_t len = 0; len < 40; len++) {
		char record[40];
		memset(record, (int)len, sizeof(record));
		struct reorder_item *item = reorder_push(&q, len, record, len, sizeof(uint64_t) * 4);
		uint64_t *user = reorder_user(item);
		wrong += (uintptr_t)user % 8 != 0 || (unsigned char *)user < item->bytes + len;
		memset(user, 0xff, sizeof(uint64_t) * 4);
		wrong += memcmp(item->bytes, record, len) != 0;
	}
	is_u64(wrong, 0, "the user's bytes are aligned and behind the record's");
	reorder_fini(&q);
}

int main(void)
{
	test_empty();
	test_order();
	test_interleaved();
	test_late();
	test_bound();
	test_user_bytes();
	return done_testing();
}
