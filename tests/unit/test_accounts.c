/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/accounts.h"

#include "probe/hooks.h"
#include "tests/unit/tap.h"

/* The probe that the books are about. */

static struct wire_counters counters[EVENT_COUNT];
static uint64_t missed;

const struct hook hooks[] = {{0}};
const size_t hook_count = 1;

uint64_t probe_missed(const struct probe *p, size_t hook)
{
	(void)p, (void)hook;
	return missed;
}

void probe_counters(const struct probe *p, struct wire_counters ret[EVENT_COUNT])
{
	(void)p;
	memcpy(ret, counters, sizeof(counters));
}

static uint64_t forgotten_of(struct accounts *a, uint64_t followed, uint64_t unfollowed)
{
	const struct wire_counters row = {.followed = followed, .unfollowed = unfollowed};

	accounts_count_forgotten(a, &row);
	return a->forgotten;
}

static void test_forgotten(void)
{
	enum { MAX = WIRE_WRITTEN_FILES_MAX };
	struct accounts a = {0};

	is_u64(forgotten_of(&a, 0, 0), 0, "no file was written");
	is_u64(forgotten_of(&a, MAX + 100, 100), 0, "as many are open as there is room for");
	is_u64(forgotten_of(&a, MAX + 107, 100), 7, "seven more");
	is_u64(forgotten_of(&a, MAX + 107, MAX + 100), 7, "all that are known have been closed");
	is_u64(forgotten_of(&a, 3 * MAX + 101, MAX + 100), MAX + 1, "and many more were written");
	struct accounts b = {0};
	is_u64(forgotten_of(&b, 5, 7), 0, "a close is counted before its file");
}

static void test_lost(void)
{
	struct accounts a = {.dropped = 1, .invalid = 2};

	counters[EVENT_execve].lost = 4;
	counters[EVENT_connect].errors = 8;
	counters[EVENT_write_close].followed = WIRE_WRITTEN_FILES_MAX + 16;
	missed = 32;
	accounts_count_missed(&a, NULL);
	is_u64(accounts_lost(&a, NULL), 1 + 2 + 4 + 8 + 16, "what the next entry may take is not missed yet");
	accounts_count_missed(&a, NULL);
	is_u64(accounts_lost(&a, NULL), 1 + 2 + 4 + 8 + 16 + 32, "lost in all ways");
}

static void test_balance(void)
{
	struct wire_counters rows[EVENT_COUNT] = {0};
	struct accounts a = {0};

	rows[EVENT_execve] = (struct wire_counters){.hits = 21,
						    .emitted = 1,
						    .filtered = 2,
						    .throttled = 3,
						    .lost = 5,
						    .errors = 10,
						    .followed = 9};
	ok(!accounts_balance(&a, rows), "one was sent and has not come");
	a.received[EVENT_execve] = 1;
	ok(accounts_balance(&a, rows), "it has come");
	rows[EVENT_execve].hits++;
	ok(!accounts_balance(&a, rows), "one is unaccounted for");
}

int main(void)
{
	test_lost();
	test_balance();
	test_forgotten();
	return done_testing();
}
