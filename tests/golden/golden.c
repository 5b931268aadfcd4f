/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From record bytes to lines, case by case on one made-up machine, in the order of time: a case sees what the ones
 * before it left in the process table. The number of the case stands in info.event.batch.
 *
 *   golden                      compare with tests/golden/expected.jsonl
 *   golden --update             write it: then read the difference
 *   golden --corpus DIRECTORY   write the records, as seeds for tests/fuzz/fuzz_decode.c
 */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

#include "base/utc_clock.h"
#include "tests/golden/cases.h"
#include "tests/golden/orders.h"
#include "tests/support/json_check.h"
#include "tests/unit/tap.h"
#include "json/writer.h"

#define EXPECTED "tests/golden/expected.jsonl"

struct golden {
	struct world world;
	struct record record;
	struct json_writer *writer;
	struct utc_clock clock;
	struct arena arena;
	struct buf lines;   /* of the case */
	struct buf records; /* of the case */
	uint64_t time;      /* of the last record */
	uint32_t batch;
	bool corpus;
};

static struct golden g;

/* 2024-11-19T09:55:53.138247256Z, the time of the example in Kunai's documentation, is 100 s after boot. */
#define BOOT_UTC_NS INT64_C(1732010053138247256)

/* What the tasks of the cases do not say: nobody logged in, and one set of ids. */
static void complete(struct wire_task *task)
{
	if (!task->loginuid && !task->sessionid)
		task->loginuid = task->sessionid = UINT32_MAX;
	if (!task->euid && !task->egid) {
		task->euid = task->uid;
		task->egid = task->gid;
	}
	task->inner_uid = task->uid;
	task->inner_gid = task->gid;
	task->inner_euid = task->euid;
	task->inner_egid = task->egid;
}

struct record *golden_begin(enum event_type type, const struct wire_task *task,
			    const struct wire_task *parent)
{
	record_begin(&g.record, type);
	struct wire_header *head = record_head(&g.record);
	head->task = *task;
	head->parent = *parent;
	complete(&head->task);
	complete(&head->parent);
	head->time = g.time += 1000000001;
	return &g.record;
}

struct world *golden_world(void)
{
	return &g.world;
}

void golden_stat(const char *path, struct wire_path *ret)
{
	world_stat(&g.world, path, ret);
	/* seeds must not differ from run to run */
	if (g.corpus)
		ret->inode = ret->mtime = ret->ctime = 4711;
}

static void print(void *context, struct event *e)
{
	struct data_execve *exec = &e->data.execve; /* execve_script has the same fields */

	(void)context;
	if (e->type == EVENT_execve || e->type == EVENT_execve_script) {
		/* of real files: another number in each run */
		if (exec->exe.inode)
			exec->exe.inode = 4711;
		if (exec->interpreter && exec->interpreter->inode)
			((struct obj_hashes *)exec->interpreter)->inode = 4712;
	}
	json_write_event(g.writer, e, &g.lines);
	if (!g.corpus)
		orders_add(e);
}

static void keep_record(void)
{
	static const char zeros[8];
	size_t len = record_length(&g.record);

	buf_add(&g.records, g.record.bytes, len);
	buf_add(&g.records, zeros, (8 - len % 8) % 8);
}

void golden_send(void)
{
	struct prefetch files;
	struct event e;
	size_t len = record_length(&g.record);

	keep_record();
	arena_reset(&g.arena);
	enricher_prefetch(g.world.enricher, g.record.bytes, len, &files);
	while (!prefetch_is_ready(g.world.enricher, &files)) {
		struct pollfd p = {.fd = enricher_fd(g.world.enricher), .events = POLLIN};
		poll(&p, 1, -1);
		enricher_collect(g.world.enricher);
	}
	if (event_decode(g.record.bytes, len, &g.arena, &e) < 0)
		abort();
	e.info.event.batch = g.batch;
	e.info.utc_time = utc_clock_convert(&g.clock, e.wire->time);
	enricher_apply(g.world.enricher, &e, &files, print, NULL);
	prefetch_drop(g.world.enricher, &files);
}

void golden_seed(void)
{
	keep_record();
	if (enricher_seed(g.world.enricher, g.record.bytes, record_length(&g.record)) < 0)
		abort();
}

void golden_seed_done(void)
{
	enricher_seed_done(g.world.enricher);
}

struct event *golden_begin_own(enum event_type type)
{
	static struct event e;

	arena_reset(&g.arena);
	event_make(&e, type, &g.arena);
	if (type == EVENT_start)
		enricher_fill_start(g.world.enricher, &e);
	else
		enricher_fill_own(g.world.enricher, &e);
	e.info.event.batch = g.batch;
	e.info.utc_time = utc_clock_convert(&g.clock, g.time += 1000000001);
	return &e;
}

void golden_print_own(struct event *e)
{
	print(NULL, e);
}

static void run_case(const struct golden_case *c, uint32_t number)
{
	buf_reset(&g.lines);
	buf_reset(&g.records);
	g.batch = number;
	world_set_random(&g.world, number);
	c->run();
}

static uint32_t batch_of(struct str line)
{
	static const char key[] = "\"batch\":";
	const char *at = memmem(line.p, line.len, key, sizeof(key) - 1);

	return at ? (uint32_t)strtoul(at + sizeof(key) - 1, NULL, 10) : 0;
}

/* The next line without its newline; false at the end. */
static bool next_line(struct str *rest, struct str *ret_line)
{
	const char *end = rest->len ? memchr(rest->p, '\n', rest->len) : NULL;
	if (!end)
		return false;
	*ret_line = (struct str){rest->p, (uint32_t)(end - rest->p)};
	rest->p = end + 1;
	rest->len -= ret_line->len + 1;
	return true;
}

/* valgrind 3.19 knows no openat2, without which names with ".." stay unverified. */
static bool lacks_openat2(void)
{
	return syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0) < 0 && errno == ENOSYS;
}

/* Equal, but for the mark that the missing call leaves. */
static bool same_line(struct str got, struct str want)
{
	static const char mark[] = ",\"path_unverified\":true";
	const char *at = memmem(got.p, got.len, mark, sizeof(mark) - 1);

	if (!at || str_eq(got, want) || !lacks_openat2())
		return str_eq(got, want);
	uint32_t head = (uint32_t)(at - got.p);
	struct str tail = {at + sizeof(mark) - 1, got.len - head - (uint32_t)sizeof(mark) + 1};
	return want.len == head + tail.len && memcmp(want.p, got.p, head) == 0 &&
	       memcmp(want.p + head, tail.p, tail.len) == 0;
}

static void check_case(const struct golden_case *c, struct str *want)
{
	struct str got = buf_str(&g.lines), got_line;
	unsigned n = 0;

	while (next_line(&got, &got_line)) {
		struct str want_line = STR("");
		if (batch_of(*want) == g.batch)
			next_line(want, &want_line);
		bool same = same_line(got_line, want_line);
		if (!same)
			printf("# got  %.*s\n# want %.*s\n", STR_ARG(got_line), STR_ARG(want_line));
		ok(same, "%s, line %u", c->name, ++n);
		ok(json_is_event_line(got_line.p, got_line.len + 1), "%s, line %u is JSON", c->name, n);
	}
	ok(n == c->lines, "%s: %u lines of %u", c->name, n, c->lines);
	while (batch_of(*want) == g.batch && next_line(want, &got_line))
		ok(false, "%s: a line is missing", c->name);
}

static void read_expected(struct buf *ret)
{
	FILE *f = fopen(EXPECTED, "re");
	char bytes[4096];

	if (!f)
		return;
	for (size_t n; (n = fread(bytes, 1, sizeof(bytes), f)) > 0;)
		buf_add(ret, bytes, n);
	fclose(f);
}

static void compare(void)
{
	struct buf expected = {0};

	read_expected(&expected);
	struct str rest = buf_str(&expected);
	for (uint32_t i = 0; i < golden_case_count; i++) {
		run_case(&golden_cases[i], i + 1);
		check_case(&golden_cases[i], &rest);
	}
	ok(rest.len == 0 && expected.len > 0, EXPECTED " has no other lines");
	buf_fini(&expected);
}

/* A line depends on its event alone, whatever the writer kept of others. */
static void check_orders(void)
{
	struct orders_result r = orders_check();

	is_u64(r.wrong, 0, "lines in other orders are those of a new writer");
	is_u64(r.stale, 0, "lines with one field changed are those of a new writer");
	is_u64(r.unseen, 0, "a changed field is seen in the line");
	ok(r.written > 10000 && r.changed > 5000, "%u lines, %u changes", r.written, r.changed);
}

static int write_file(const char *path, const struct buf *b)
{
	FILE *f = fopen(path, "we");
	if (!f || fwrite(b->p, 1, b->len, f) != b->len || fclose(f) != 0) {
		fprintf(stderr, "golden: %s: %s\n", path, strerror(errno));
		return 1;
	}
	return 0;
}

static int update(void)
{
	struct buf all = {0};

	for (uint32_t i = 0; i < golden_case_count; i++) {
		run_case(&golden_cases[i], i + 1);
		buf_add_str(&all, buf_str(&g.lines));
	}
	int status = write_file(EXPECTED, &all);
	buf_fini(&all);
	return status;
}

static int write_corpus(const char *directory)
{
	int status = 0;

	g.corpus = true;
	for (uint32_t i = 0; i < golden_case_count && !status; i++) {
		char path[512];
		run_case(&golden_cases[i], i + 1);
		snprintf(path, sizeof(path), "%s/%s", directory, golden_cases[i].name);
		if (g.records.len)
			status = write_file(path, &g.records);
	}
	return status;
}

int main(int argc, char **argv)
{
	int status = 0;

	world_init(&g.world);
	g.writer = json_writer_new();
	g.clock.offset = BOOT_UTC_NS - INT64_C(100000000000);
	g.time = UINT64_C(100000000000);
	if (argc == 2 && strcmp(argv[1], "--update") == 0) {
		status = update();
	} else if (argc == 3 && strcmp(argv[1], "--corpus") == 0) {
		status = write_corpus(argv[2]);
	} else {
		compare();
		check_orders();
		status = done_testing();
	}
	json_writer_free(g.writer);
	arena_fini(&g.arena);
	buf_fini(&g.lines);
	buf_fini(&g.records);
	world_fini(&g.world);
	return status;
}
