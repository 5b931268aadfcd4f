/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/process.h"

#include <stdlib.h>
#include <time.h>

#include "base/utf8.h"
#include "tests/unit/tap.h"

#define SECOND UINT64_C(1000000000)

static struct process_table table;

static struct wire_task task(uint32_t tgid)
{
	/* the older, the smaller */
	return (struct wire_task){.start = tgid * 1000, .pid = tgid, .tgid = tgid};
}

static struct process *add(uint32_t tgid, uint32_t parent, const char *exe)
{
	struct wire_task t = task(tgid), p = task(parent);
	struct process *entry = process_get(&table, &t, &p);

	if (entry && exe)
		process_set_text(&entry->exe, str_of(exe));
	return entry;
}

static struct process *find(uint32_t tgid)
{
	struct wire_task t = task(tgid);
	return process_find(&table, &t);
}

static void is_ancestors(uint32_t tgid, const char *want, const char *name)
{
	struct process *p = find(tgid);
	struct str got = p ? process_ancestors(p) : STR("(no process)");

	if (!ok(str_eq(got, str_of(want)), "%s", name))
		printf("# got %.*s\n# want %s\n", STR_ARG(got), want);
}

static void set_exe(uint32_t tgid, const char *exe)
{
	struct process *p = find(tgid);
	process_set_text(&p->exe, str_of(exe));
	process_changed(p);
}

static void test_ancestors(void)
{
	add(1, 0, "/sbin/init");
	add(10, 1, "/bin/sh");
	add(20, 10, "/bin/bash");
	add(30, 20, "/bin/ls");
	add(41, 40, "/bin/lost");
	add(42, 41, "/bin/child");
	add(51, 20, NULL);
	add(52, 51, "/bin/x");
	is_ancestors(1, "", "pid 1 has none");
	is_ancestors(10, "/sbin/init", "its child has one");
	is_ancestors(30, "/sbin/init|/bin/sh|/bin/bash", "oldest first, without itself");
	is_ancestors(41, "?", "an unknown parent");
	is_ancestors(42, "?|/bin/lost", "a chain that is broken");
	is_ancestors(52, "/sbin/init|/bin/sh|/bin/bash|?", "a known parent without a known executable");
	ok(!find(99), "an unknown process");
	is_ancestors(30, "/sbin/init|/bin/sh|/bin/bash", "asked for again");

	struct str exes[PROCESS_ANCESTORS_MAX];
	is_u64(process_ancestor_exes(find(30), exes), 3, "three executables");
	ok(str_eq(exes[0], STR("/bin/bash")) && str_eq(exes[2], STR("/sbin/init")), "nearest first");
	process_table_fini(&table);
}

static void test_kernel_threads(void)
{
	struct wire_task swapper = {.flags = PF_KTHREAD},
			 kthreadd = {.start = 1, .tgid = 2, .flags = PF_KTHREAD};
	struct wire_task worker = {.start = 5, .tgid = 7, .flags = PF_KTHREAD};

	process_set_text(&process_get(&table, &kthreadd, &swapper)->exe, STR("kernel"));
	struct process *w = process_get(&table, &worker, &kthreadd);
	ok(str_eq(process_ancestors(w), STR("kernel")), "a kernel thread's chain is whole");
	ok(str_eq(process_ancestors(w->parent), STR("")), "kthreadd has none");
	process_get(&table, &swapper, &swapper);
	process_link_parents(&table);
	process_changed(process_find(&table, &swapper));
	ok(str_eq(process_ancestors(w), STR("kernel")), "the swapper is no ancestor");
	process_table_fini(&table);
}

static void test_changes(void)
{
	add(1, 0, "/sbin/init");
	add(10, 1, "/bin/sh");
	add(20, 10, "/bin/a");
	add(21, 10, "/bin/b");
	add(30, 20, "/bin/c");
	add(31, 21, "/bin/d");
	is_ancestors(30, "/sbin/init|/bin/sh|/bin/a", "before");
	is_ancestors(31, "/sbin/init|/bin/sh|/bin/b", "before");
	set_exe(10, "/bin/new");
	is_ancestors(30, "/sbin/init|/bin/new|/bin/a", "an exec of an ancestor is seen");
	is_ancestors(31, "/sbin/init|/bin/new|/bin/b", "in all branches");
	is_ancestors(20, "/sbin/init|/bin/new", "and by children");
	set_exe(31, "/bin/e");
	is_ancestors(31, "/sbin/init|/bin/new|/bin/b", "its own exec changes nothing");

	/* a parent that is told late */
	struct wire_task t = task(25), p = task(24);
	struct process *child = process_get(&table, &t, &p);
	ok(!child->parent, "not there yet");
	add(24, 10, "/bin/late");
	process_link_parents(&table);
	is_ancestors(25, "/sbin/init|/bin/new|/bin/late", "linked when it is there");

	/* one that only its child told of */
	static const struct wire_task nobody;
	struct wire_task hidden = task(15), parent = task(10), other = task(20);
	process_set_text(&process_get(&table, &hidden, &nobody)->exe, STR("/bin/hidden"));
	add(16, 15, "/bin/child");
	is_ancestors(16, "?|/bin/hidden", "nobody knows its parent");
	process_adopt(&table, find(15), &parent);
	is_ancestors(16, "/sbin/init|/bin/new|/bin/hidden", "until an event tells");
	process_adopt(&table, find(15), &other);
	is_ancestors(15, "/sbin/init|/bin/new", "the first one stays");
	process_table_fini(&table);
}

static void test_exit(void)
{
	uint64_t now = 100 * SECOND;

	add(1, 0, "/sbin/init");
	add(10, 1, "/bin/sh");
	add(20, 10, "/bin/bash");
	add(30, 20, "/bin/ls");
	process_exit(&table, find(10), now);
	process_exit(&table, find(20), now);
	process_exit(&table, find(20), now + SECOND);
	process_expire(&table, now + 10 * SECOND);
	process_expire(&table, now + 20 * SECOND);
	is_ancestors(30, "/sbin/init|/bin/sh|/bin/bash", "lineage survives the exit of parents");

	process_exit(&table, find(30), now + 30 * SECOND);
	process_expire(&table, now + 30 * SECOND + PROCESS_LINGER_NS);
	ok(find(30), "kept for its last events");
	process_expire(&table, now + 30 * SECOND + PROCESS_LINGER_NS + 1);
	ok(!find(30), "then forgotten");
	ok(!find(20) && !find(10), "and so are parents that only it kept");
	ok(find(1) && !find(1)->children, "a living one stays");
	is_u64(HASH_COUNT(table.entries), 1, "nothing else");
	process_table_fini(&table);
}

/* Same tgid, other start. */
static void test_reuse(void)
{
	struct wire_task first = task(10), second = task(10), init = task(1);

	add(1, 0, "/sbin/init");
	second.start += 5;
	process_set_text(&process_get(&table, &first, &init)->exe, STR("/bin/first"));
	process_exit(&table, process_find(&table, &first), SECOND);
	process_set_text(&process_get(&table, &second, &init)->exe, STR("/bin/second"));
	ok(process_find(&table, &first) != process_find(&table, &second), "a tgid that is used again");
	process_expire(&table, 10 * SECOND);
	ok(!process_find(&table, &first) && process_find(&table, &second), "the old one goes alone");
	process_table_fini(&table);
}

/* CLONE_PARENT: the creator's parent is the parent. */
static void test_clone_parent(void)
{
	add(1, 0, "/sbin/init");
	add(10, 1, "/bin/sh");
	add(20, 10, "/bin/creator");
	add(30, 10, "/bin/creator");
	is_ancestors(30, "/sbin/init|/bin/sh", "a sibling of its creator");
	process_table_fini(&table);
}

/* No kernel makes one, but whoever walks the table would never come back. */
static void test_cycles(void)
{
	struct wire_task a = task(10), b = task(20), c = task(30);

	process_get(&table, &a, &a);
	process_link_parents(&table);
	ok(!find(10)->parent, "nobody is its own parent");
	process_table_fini(&table);

	process_get(&table, &a, &c);
	process_get(&table, &b, &a);
	process_get(&table, &c, &b);
	process_link_parents(&table);
	unsigned steps = 0;
	for (struct process *p = find(30); p && steps < 10; p = p->parent)
		steps++;
	ok(steps < 10, "three in a circle are none");
	if (steps < 10)
		process_changed(find(10));
	process_table_fini(&table);

	b.start = a.start;
	process_get(&table, &a, &b);
	process_get(&table, &b, &a);
	process_link_parents(&table);
	steps = 0;
	for (struct process *p = process_find(&table, &a); p && steps < 10; p = p->parent)
		steps++;
	ok(steps < 10, "nor two that began at once");
	process_table_fini(&table);
}

static uint64_t cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void is_fast(uint64_t began, const char *name)
{
	uint64_t ms = cpu_ms() - began;

	if (getenv("KUNAI_TEST_SLOW"))
		ok(true, "%s # skip this build is slow", name);
	else
		ok(ms < 10000, "%s: %" PRIu64 " ms", name, ms);
}

/* A chain as long as an attacker likes: no recursion, no time that grows with its square. */
static void test_deep_chain(void)
{
	enum { DEEP = 100000 };
	uint64_t began = cpu_ms(), now = 1000 * SECOND;

	add(1, 0, "/sbin/init");
	for (uint32_t i = 2; i <= DEEP; i++) {
		struct process *p = add(i, i - 1, "/bin/fork");
		if (i % 16 == 0)
			process_ancestors(p);
		process_exit(&table, find(i - 1), now++);
	}
	is_fast(began, "100,000 generations, ancestors of every 16th");
	struct str text = process_ancestors(find(DEEP));
	ok(text.len == 2 + PROCESS_ANCESTORS_MAX * 10 - 1 && str_starts_with(text, STR("?|/bin/fork|")),
	   "the chain is shown up to its bound and marked");
	struct str exes[PROCESS_ANCESTORS_MAX];
	is_u64(process_ancestor_exes(find(DEEP), exes), PROCESS_ANCESTORS_MAX, "256 executables");

	began = cpu_ms();
	for (int i = 0; i < 10; i++)
		process_changed(find(1));
	is_fast(began, "ten changes at the top");

	began = cpu_ms();
	for (int i = 1; i <= 20; i++)
		process_expire(&table, now + (uint64_t)i * 10 * SECOND);
	is_u64(HASH_COUNT(table.entries), DEEP, "the last one keeps all");
	is_fast(began, "looking at them 20 times");

	began = cpu_ms();
	process_exit(&table, find(DEEP), now + 300 * SECOND);
	process_expire(&table, now + 310 * SECOND);
	is_u64(HASH_COUNT(table.entries), 0, "when it ends, all go");
	is_fast(began, "letting them go");
	process_table_fini(&table);
}

/* A parent of many children, which come and go in any order. */
static void test_wide(void)
{
	enum { WIDE = 50000 };
	uint64_t began = cpu_ms(), now = SECOND;

	add(1, 0, "/sbin/init");
	for (uint32_t i = 2; i <= WIDE; i++)
		add(i, 1, "/bin/x");
	for (uint32_t i = 2; i <= WIDE; i++)
		process_exit(&table, find(i * 7919ULL % (WIDE - 1) + 2), now++);
	process_expire(&table, now + 10 * SECOND);
	is_u64(HASH_COUNT(table.entries), 1, "all children are gone");
	is_fast(began, "50,000 children");
	process_table_fini(&table);
}

static void test_full(void)
{
	struct wire_task none = {0};

	for (uint32_t i = 1; i <= PROCESS_MAX; i++)
		add(i, 0, NULL);
	is_u64(HASH_COUNT(table.entries), PROCESS_MAX, "as many as it takes");
	is_u64(table.refused, 0, "none was refused");
	ok(!add(PROCESS_MAX + 1, 1, NULL), "one more is refused");
	is_u64(table.refused, 1, "and counted");
	ok(add(5, 0, NULL) == find(5), "one that is there is found");
	process_exit(&table, find(7), SECOND);
	process_expire(&table, 10 * SECOND);
	struct wire_task t = task(PROCESS_MAX + 1);
	ok(process_get(&table, &t, &none) != NULL, "room again when one has gone");
	process_table_fini(&table);
}

static void test_texts(void)
{
	struct str text = {0};
	char *much = malloc(PROCESS_TEXT_MAX + 3);

	process_set_text(&text, STR("a"));
	ok(str_eq(text, STR("a")) && text.p[1] == '\0', "a copy with NUL");
	process_set_text(&text, (struct str){0});
	ok(!text.p, "absent stays absent");
	process_set_text(&text, STR(""));
	ok(text.p && text.len == 0, "empty stays empty");

	memset(much, 'x', PROCESS_TEXT_MAX + 3);
	process_set_text(&text, (struct str){much, PROCESS_TEXT_MAX});
	is_u64(text.len, PROCESS_TEXT_MAX, "at the bound");
	process_set_text(&text, (struct str){much, PROCESS_TEXT_MAX + 1});
	is_u64(text.len, PROCESS_TEXT_MAX, "one past it");
	for (uint32_t shift = 0; shift < 3; shift++) {
		for (uint32_t i = 0; i < PROCESS_TEXT_MAX + 3; i++)
			much[i] = "\xef\xbf\xbd"[(i + shift) % 3];
		uint32_t from = (3 - shift) % 3;
		process_set_text(&text, (struct str){much + from, PROCESS_TEXT_MAX + 3 - from});
		ok(utf8_valid_prefix(text.p, text.len) == text.len && text.len > PROCESS_TEXT_MAX - 3,
		   "no character is cut");
	}
	process_set_text(&text, (struct str){0});
	free(much);
}

int main(void)
{
	test_ancestors();
	test_kernel_threads();
	test_changes();
	test_exit();
	test_reuse();
	test_clone_parent();
	test_cycles();
	test_texts();
	test_deep_chain();
	test_wide();
	test_full();
	return done_testing();
}
