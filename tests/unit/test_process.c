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

static void name_it(struct process *p, struct str exe)
{
	process_set_text(p, &p->exe, exe);
}

static struct process *add(uint32_t tgid, uint32_t parent, const char *exe)
{
	struct wire_task t = task(tgid), p = task(parent);
	struct process *entry = process_get(&table, &t, &p);

	if (entry && exe)
		name_it(entry, str_of(exe));
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
	name_it(p, str_of(exe));
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

	name_it(process_get(&table, &kthreadd, &swapper), STR("kernel"));
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
	name_it(process_get(&table, &hidden, &nobody), STR("/bin/hidden"));
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
	name_it(process_get(&table, &first, &init), STR("/bin/first"));
	process_exit(&table, process_find(&table, &first), SECOND);
	name_it(process_get(&table, &second, &init), STR("/bin/second"));
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
	is_u64(table.losses.refused, 0, "none was refused");
	ok(!add(PROCESS_MAX + 1, 1, NULL), "one more is refused");
	is_u64(table.losses.refused, 1, "and counted");
	ok(add(5, 0, NULL) == find(5), "one that is there is found");
	process_exit(&table, find(7), SECOND);
	process_expire(&table, 10 * SECOND);
	struct wire_task t = task(PROCESS_MAX + 1);
	ok(process_get(&table, &t, &none) != NULL, "room again when one has gone");
	process_table_fini(&table);
}

static void test_evicted(void)
{
	struct wire_task init = task(1);

	for (uint32_t i = 1; i <= PROCESS_MAX; i++)
		add(i, i == 8 || i == 9 ? 7 : 1, "/bin/x");
	process_exit(&table, find(7), SECOND);
	process_exit(&table, find(10), 2 * SECOND);
	process_exit(&table, find(9), 30 * SECOND);
	process_expire(&table, 31 * SECOND);
	ok(find(7) && !find(10) && find(9), "one is kept for its child");
	is_ancestors(8, "/bin/x|/bin/x", "which has its lineage");
	ok(add(PROCESS_MAX + 1, 1, "/bin/y"), "there is room for one");
	is_u64(table.losses.evicted, 0, "without taking any");
	ok(add(PROCESS_MAX + 2, 1, "/bin/y") && !find(7), "one more takes that of the one dead for longest");
	is_u64(table.losses.evicted, 1, "which is counted");
	is_ancestors(8, "?", "its child has an open lineage");
	ok(add(PROCESS_MAX + 3, 1, "/bin/y") && !find(9), "the next one that of the next");
	struct wire_task t = task(PROCESS_MAX + 4);
	ok(!process_get(&table, &t, &init), "there are only living ones now");
	is_u64(table.losses.refused, 1, "which is counted, too");
	process_table_fini(&table);
}

static void test_text(void)
{
	struct process *p = add(1, 0, NULL);
	struct str *text = &p->exe;
	char *much = malloc(PROCESS_TEXT_MAX + 3);

	process_set_text(p, text, STR("a"));
	ok(str_eq(*text, STR("a")) && text->p[1] == '\0', "a copy with NUL");
	process_set_text(p, text, *text);
	ok(str_eq(*text, STR("a")), "by itself");
	process_set_text(p, text, (struct str){text->p, 0});
	ok(text->p && text->len == 0, "empty stays empty");
	process_set_text(p, text, (struct str){0});
	ok(!text->p, "absent stays absent");
	is_u64(table.texts.bytes, 0, "and takes no room");

	memset(much, 'x', PROCESS_TEXT_MAX + 3);
	process_set_text(p, text, (struct str){much, PROCESS_TEXT_MAX});
	is_u64(text->len, PROCESS_TEXT_MAX, "at the bound");
	process_set_text(p, text, (struct str){much, PROCESS_TEXT_MAX + 1});
	is_u64(text->len, PROCESS_TEXT_MAX, "one past it");
	for (uint32_t shift = 0; shift < 3; shift++) {
		for (uint32_t i = 0; i < PROCESS_TEXT_MAX + 3; i++)
			much[i] = "\xef\xbf\xbd"[(i + shift) % 3];
		uint32_t from = (3 - shift) % 3;
		process_set_text(p, text, (struct str){much + from, PROCESS_TEXT_MAX + 3 - from});
		ok(utf8_valid_prefix(text->p, text->len) == text->len && text->len > PROCESS_TEXT_MAX - 3,
		   "no character is cut");
	}
	process_table_fini(&table);
	is_u64(table.texts.bytes, 0, "all texts are given back");
	free(much);
}

/* Every second one of these is different from the one before. */
static struct str long_text(uint32_t i, uint32_t len)
{
	static char text[PROCESS_TEXT_MAX];

	memset(text, 'a' + (int)(i % 26), len);
	memcpy(text, &i, sizeof(i) < len ? sizeof(i) : len);
	return (struct str){text, len};
}

static void test_inherit(void)
{
	struct process *shell = add(10, 0, "/tmp/run.sh"), *child = add(11, 10, NULL);

	process_set_text(shell, &shell->image, STR("/bin/sh"));
	process_set_text(shell, &shell->command_line, long_text(0, 128 << 10));
	size_t before = table.texts.bytes;
	process_inherit(child, shell);
	is_u64(table.texts.bytes, before, "a clone takes no room for texts");
	ok(str_eq(child->exe, STR("/bin/sh")) && child->command_line.p == shell->command_line.p,
	   "it shares them");
	process_set_text(shell, &shell->command_line, STR("other"));
	is_u64(child->command_line.len, 128 << 10, "and keeps its own when its creator's change");
	process_exit(&table, shell, SECOND);
	process_exit(&table, child, SECOND);
	process_expire(&table, 10 * SECOND);
	is_u64(table.texts.bytes, 0, "the last one gives the room back");
	process_table_fini(&table);
}

/* Living processes with command lines of 128 KiB up to the bound, and one past it. */
static void test_bytes_full(void)
{
	enum { LEN = 128 << 10 };
	const uint32_t fit = (uint32_t)(PROCESS_BYTES_LONG / text_size(LEN));

	for (uint32_t i = 1; i <= fit; i++) {
		struct process *p = add(i, 0, NULL);
		process_set_text(p, &p->command_line, long_text(i, LEN));
	}
	is_u64(table.losses.texts_refused, 0, "up to the bound all are kept");
	struct process *p = add(fit + 1, 1, NULL);
	process_set_text(p, &p->command_line, STR("old"));
	process_set_text(p, &p->command_line, long_text(0, LEN));
	ok(!p->command_line.p, "one past it is absent, and so is what was there before");
	is_u64(table.losses.texts_refused, 1, "and counted");
	process_set_text(p, &p->exe, STR("/bin/short"));
	ok(p->exe.p != NULL, "there is room for short ones");
	process_exit(&table, find(3), SECOND);
	process_exit(&table, find(2), 2 * SECOND);
	process_set_text(p, &p->command_line, long_text(0, LEN));
	ok(p->command_line.p != NULL, "a dead one makes room");
	ok(!find(3)->command_line.p && find(2)->command_line.p, "the one that is dead for longest");
	is_u64(table.losses.texts_evicted, 1, "which is counted");
	process_table_fini(&table);
}

/* Each one has arguments of its own and ends at once; none is forgotten yet. */
static void test_storm(void)
{
	enum { STORM = 5000, LEN = 128 << 10 };
	size_t most = 0;
	bool known = true;

	add(1, 0, "/sbin/init");
	for (uint32_t i = 2; i <= STORM; i++) {
		struct process *p = add(i, 1, "/bin/x");
		process_set_text(p, &p->command_line, long_text(i, LEN));
		known = known && p->command_line.len == LEN;
		process_exit(&table, p, SECOND);
		most = table.texts.bytes > most ? table.texts.bytes : most;
	}
	ok(most <= PROCESS_BYTES_MAX, "a storm of 128 KiB arguments takes %zu bytes", most);
	ok(known, "each is known as long as it lives");
	is_u64(table.losses.texts_refused, 0, "none is refused");
	is_u64(table.losses.texts_evicted, STORM - 1 - PROCESS_BYTES_LONG / text_size(LEN),
	       "those of dead ones go");
	process_table_fini(&table);
}

/* Lineages of a chain of long names: only as many are kept as there is room for. */
static void test_lineages_full(void)
{
	enum { CHAIN = 1500 };
	char want[16];
	bool right = true;

	for (uint32_t i = 1; i <= CHAIN; i++) {
		struct process *p = add(i, i - 1, NULL);
		process_set_text(p, &p->exe, long_text(i, 4000));
		struct str text = process_ancestors(p);
		snprintf(want, sizeof(want), i > PROCESS_ANCESTORS_MAX + 1 ? "?|" : "");
		right = right && str_starts_with(text, str_of(want)) &&
			(i == 1 || text.len >= 3900 * (i < 60 ? i - 1 : 60));
	}
	ok(right, "all are answered");
	ok(table.texts.bytes <= PROCESS_BYTES_LINEAGES + CHAIN * text_size(4000), "%zu bytes",
	   table.texts.bytes);
	is_u64(table.losses.texts_refused, 0, "what can be made again is not lost");
	process_table_fini(&table);
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
	test_text();
	test_inherit();
	test_bytes_full();
	test_storm();
	test_lineages_full();
	test_deep_chain();
	test_wide();
	test_full();
	test_evicted();
	return done_testing();
}
