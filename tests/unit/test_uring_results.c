/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/uring_results.h"

#include <stdlib.h>

#include "event/event.h"
#include "tests/unit/tap.h"

enum { TIME = 1000, MANY = 5 * URING_SETS * URING_WAYS };

static struct uring_results table;
static struct reorder queue = {.max_bytes = SIZE_MAX};

struct request {
	struct wire_header head;
	struct wire_io_uring_sqe fields;
};

static struct reorder_item *push(uint16_t type, uint64_t request, bool told, size_t len)
{
	const struct request r = {
		.head = {.type = type, .time = TIME},
		.fields = {.request = request, .told = told},
	};
	struct reorder_item *item = reorder_push(&queue, TIME, &r, len, 0);

	if (!item)
		abort();
	uring_results_expect(&table, item);
	return item;
}

static struct reorder_item *push_request(uint64_t request)
{
	return push(EVENT_io_uring_sqe, request, true, sizeof(struct request));
}

static uint64_t result_of(const struct reorder_item *item)
{
	return ((const struct request *)item->bytes)->fields.result;
}

static void end(uint64_t request, uint64_t result)
{
	const struct {
		struct wire_header head;
		struct wire_uring_end fields;
	} r = {{.type = EVENT_uring_end}, {.request = request, .result = result}};

	uring_results_join(&table, &r, sizeof(r));
	uring_results_join(&table, &r, sizeof(r) - 1);
}

static void drop_all(void)
{
	for (struct reorder_item *item; (item = reorder_take(&queue)); free(item))
		uring_results_forget(&table, item);
}

static void test_join(void)
{
	struct reorder_item *first = push_request(0x1000), *second = push_request(0x2000);

	is_u64(uring_results_expected_until(first), TIME + 5000000, "a request waits for 5 ms");
	end(0x1000, 7);
	end(0x1000, 8);
	is_u64(result_of(first), 7, "the result is the request's");
	is_u64(result_of(second), 0, "and no other one's");
	is_u64(uring_results_expected_until(first), 0, "what has one does not wait");
	drop_all();
}

static void test_address_used_again(void)
{
	struct reorder_item *first = push_request(0x1000), *second = push_request(0x1000);

	end(0x1000, 7);
	is_u64(result_of(first), 0, "a request whose end was not told has no result");
	is_u64(result_of(second), 7, "the next one in its memory has");
	drop_all();
}

static void test_forgotten(void)
{
	push_request(0x1000);
	drop_all();
	end(0x1000, 7);
	is_u64(table.pending[0][0].request, 0, "an item that is gone is not written to");
}

static void test_others(void)
{
	struct reorder_item *untold = push(EVENT_io_uring_sqe, 0x1000, false, sizeof(struct request));
	struct reorder_item *other = push(EVENT_connect, 0x2000, true, sizeof(struct request));
	struct reorder_item *cut = push(EVENT_io_uring_sqe, 0x3000, true, sizeof(struct wire_header));

	ok(!uring_results_expected_until(untold) && !uring_results_expected_until(other) &&
		   !uring_results_expected_until(cut),
	   "nothing else waits");
	end(0x2000, 7);
	end(0x1000, 9);
	is_u64(result_of(other), 0, "nothing else gets a result");
	is_u64(result_of(untold), 9, "one that was not to be told may be: a request that fails");
	drop_all();
}

static void test_bound(void)
{
	struct reorder_item *items[MANY];
	unsigned joined = 0;

	for (uint64_t i = 0; i < MANY; i++)
		items[i] = push_request(0xffff888000000000 + i * 256);
	for (uint64_t i = 0; i < MANY; i++)
		end(0xffff888000000000 + i * 256, 1 + i);
	for (uint64_t i = 0; i < MANY; i++) {
		joined += result_of(items[i]) == 1 + i;
		if (result_of(items[i]) != 0 && result_of(items[i]) != 1 + i)
			joined = 0;
	}
	ok(joined > URING_SETS * URING_WAYS * 3 / 4 && joined <= URING_SETS * URING_WAYS,
	   "more than there is room for: the newest get theirs");
	drop_all();
}

int main(void)
{
	test_join();
	test_address_used_again();
	test_forgotten();
	test_others();
	test_bound();
	reorder_fini(&queue);
	return done_testing();
}
