/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What user space costs: records through the queue, decoding, enrichment and the JSON writer to /dev/null, in one thread.
 * The records are those of the golden cases, the first of each event type, so that a new event is measured without a
 * line here; they come from the processes of a busy server.
 *
 *   pipeline EVENTS [TYPE ...]   prints "TYPE events=N ns=N bytes=N" a line; default: all types
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/utc_clock.h"
#include "event/reorder.h"
#include "tests/golden/cases.h"
#include "json/writer.h"

enum {
	SHELLS = 100,
	WORKERS = 2000,
	BURST = 16,   /* events of one process in a row */
	ROUND = 1000, /* events of a round, which is measured as one */
	OUTPUT_BYTES = 128 << 10,
	CLONED_FIRST = 1000000, /* ids of processes that come and go */
};

static struct bench {
	struct world world;
	struct json_writer *writer;
	struct utc_clock clock;
	struct reorder queue;
	struct arena arena;
	struct buf output;
	struct record record; /* being made */
	struct record *samples[EVENT_COUNT];
	uint64_t time;
	uint64_t bytes;
	uint32_t cloned;
	int sink;
} b = {.queue.max_bytes = SIZE_MAX};

/* ---- what the golden cases are made with ---- */

struct record *golden_begin(enum event_type type, const struct wire_task *task,
			    const struct wire_task *parent)
{
	record_begin(&b.record, type);
	struct wire_header *head = record_head(&b.record);
	head->task = *task;
	head->parent = *parent;
	return &b.record;
}

void golden_send(void)
{
	uint16_t type = record_head(&b.record)->type;

	if (b.samples[type])
		return;
	b.samples[type] = malloc(record_length(&b.record));
	if (!b.samples[type])
		abort();
	memcpy(b.samples[type], &b.record, record_length(&b.record));
}

void golden_seed(void)
{
}

void golden_seed_done(void)
{
}

struct event *golden_begin_own(enum event_type type)
{
	static struct event e;

	event_make(&e, type, &b.arena);
	if (type != EVENT_start)
		return &e;
	enricher_fill_start(b.world.enricher, &e);
	e.data.start.kunai.exe.path = STR("/golden"); /* the case wants to see its own program */
	return &e;
}

void golden_print_own(struct event *e)
{
	(void)e;
}

struct world *golden_world(void)
{
	return &b.world;
}

void golden_stat(const char *path, struct wire_path *ret)
{
	world_stat(&b.world, path, ret);
}

/* ---- the pipeline ---- */

static void flush(void)
{
	if (write(b.sink, b.output.p, b.output.len) < 0)
		abort();
	b.bytes += b.output.len;
	buf_reset(&b.output);
}

static void print(void *context, struct event *e)
{
	(void)context;
	json_write_event(b.writer, e, &b.output);
	if (b.output.len >= OUTPUT_BYTES)
		flush();
}

static void process_first(void)
{
	struct reorder_item *item = reorder_take(&b.queue);
	struct prefetch *files = reorder_user(item);
	struct event e;

	while (!prefetch_is_ready(b.world.enricher, files)) {
		struct pollfd p = {.fd = enricher_fd(b.world.enricher), .events = POLLIN};
		poll(&p, 1, -1);
		enricher_collect(b.world.enricher);
	}
	arena_reset(&b.arena);
	if (event_decode(item->bytes, item->len, &b.arena, &e) < 0)
		abort();
	e.info.utc_time = utc_clock_convert(&b.clock, e.wire->time);
	enricher_apply(b.world.enricher, &e, files, print, NULL);
	prefetch_drop(b.world.enricher, files);
	free(item);
}

static void read_record(const void *record, size_t len)
{
	const struct wire_header *head = record;
	struct reorder_item *item = reorder_push(&b.queue, head->time, record, len, sizeof(struct prefetch));

	if (!item)
		abort();
	enricher_prefetch(b.world.enricher, item->bytes, len, reorder_user(item));
}

/* ---- the processes ---- */

/* Init is 1, shells are 100 and more, workers 10,000 and more. */
static uint32_t worker(uint32_t i)
{
	return 10000 + i % WORKERS;
}

static uint32_t parent_of(uint32_t tgid)
{
	if (tgid >= CLONED_FIRST)
		return worker(tgid);
	if (tgid >= 10000)
		return 100 + tgid % SHELLS;
	/* four generations of shells */
	return tgid >= 100 + SHELLS / 4 ? tgid - SHELLS / 4 : 1;
}

static void name_task(struct wire_task *task, uint32_t tgid)
{
	task->tgid = task->pid = tgid;
	task->start = tgid ? UINT64_C(1000000) * tgid : 0;
	task->mnt_ns = WORLD_HOST_NS;
	task->flags &= ~(uint32_t)PF_KTHREAD;
}

static void send(enum event_type type, uint32_t tgid)
{
	struct record *r = b.samples[type];
	struct wire_header *head = record_head(r);

	head->time = b.time += 1000;
	name_task(&head->task, tgid);
	name_task(&head->parent, parent_of(tgid));
	if (type == EVENT_clone) {
		struct wire_clone *w = record_fixed(r);
		w->creator_tgid = head->parent.tgid;
		w->creator_start = head->parent.start;
	}
	read_record(r, record_length(r));
}

static void drain(void)
{
	while (b.queue.count)
		process_first();
}

static void start(uint32_t tgid)
{
	send(EVENT_clone, tgid);
	send(EVENT_execve, tgid);
	drain();
}

static void start_all(void)
{
	start(1);
	for (uint32_t i = 0; i < SHELLS; i++)
		start(100 + i);
	for (uint32_t i = 0; i < WORKERS; i++)
		start(worker(i));
	flush();
}

/* ---- measured ---- */

/* Called by name from bench/pipeline.py, which counts what happens inside. */
__attribute__((noinline)) void replay(enum event_type type, uint32_t first, uint32_t count, uint32_t burst);
void replay(enum event_type type, uint32_t first, uint32_t count, uint32_t burst)
{
	for (uint32_t i = 0; i < count; i++) {
		send(type, first >= CLONED_FIRST ? first + i : worker((first + i) / burst));
		if (i % 64 == 63)
			drain();
	}
	drain();
}

static uint64_t now(void)
{
	struct timespec t;

	/* of all threads: others may need the machine, too */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void expire(void)
{
	b.time += 2 * PROCESS_LINGER_NS;
	enricher_tick(b.world.enricher, b.time);
}

/* One round; events that begin or end a process get new ones each time. */
static uint64_t run_round(enum event_type type, uint32_t number)
{
	bool begins = type == EVENT_clone;
	bool ends = type == EVENT_exit || type == EVENT_exit_group || type == EVENT_process_end;
	uint32_t first = number * ROUND;

	if (begins || ends) {
		first = CLONED_FIRST + b.cloned;
		b.cloned += ROUND;
	}
	for (uint32_t i = 0; ends && i < ROUND; i++)
		start(first + i);
	uint64_t began = now();
	replay(type, first, ROUND, BURST);
	uint64_t ns = now() - began;
	for (uint32_t i = 0; begins && i < ROUND; i++)
		send(EVENT_process_end, first + i);
	drain();
	expire();
	return ns;
}

static void run_type(enum event_type type, uint32_t events)
{
	uint64_t ns = 0;

	run_round(type, 0);
	flush();
	b.bytes = 0;
	for (uint32_t n = 1; n <= events / ROUND; n++)
		ns += run_round(type, n);
	flush();
	printf("%s events=%u ns=%" PRIu64 " bytes=%" PRIu64 "\n", event_catalogue[type].name.p,
	       events / ROUND * ROUND, ns, b.bytes);
}

static bool is_asked(enum event_type type, int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (str_eq(event_catalogue[type].name, str_of(argv[i])))
			return true;
	return argc <= 2;
}

int main(int argc, char **argv)
{
	uint32_t events = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;

	if (events < ROUND) {
		fprintf(stderr, "usage: pipeline EVENTS [TYPE ...]; at least %d events\n", ROUND);
		return EXIT_FAILURE;
	}
	b.sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	world_init(&b.world);
	b.writer = json_writer_new();
	if (b.sink < 0 || !b.writer)
		abort();
	utc_clock_sample(&b.clock);
	for (uint32_t i = 0; i < golden_case_count; i++)
		golden_cases[i].run();
	b.time = UINT64_C(1) << 50;
	start_all();
	for (int type = 0; type < EVENT_COUNT; type++)
		if (b.samples[type] && type != EVENT_seed && is_asked((enum event_type)type, argc, argv))
			run_type((enum event_type)type, events);

	for (int type = 0; type < EVENT_COUNT; type++)
		free(b.samples[type]);
	json_writer_free(b.writer);
	reorder_fini(&b.queue);
	arena_fini(&b.arena);
	buf_fini(&b.output);
	world_fini(&b.world);
	close(b.sink);
	return EXIT_SUCCESS;
}
