/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as records: decoding, enrichment, JSON. Input: records, each with its length in its header, padded to
 * eight bytes; `golden --corpus` writes such. What comes out must be JSON, whatever went in. Each input begins with
 * an empty process table on a machine that has two processes and no /proc but that.
 */
#include <poll.h>
#include <stdlib.h>

#include "tests/support/json_check.h"
#include "tests/support/world.h"
#include "json/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { RECORDS_MAX = 16 };

static struct world world;
static struct json_writer *writer;

static void stop(void)
{
	json_writer_free(writer);
	world_fini(&world);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	world_init(&world);
	writer = json_writer_new();
	if (!writer)
		abort();
	atexit(stop);
	return 0;
}

static void check_line(void *context, struct event *e)
{
	struct buf *line = context;

	buf_reset(line);
	json_write_event(writer, e, line);
	if (!json_is_event_line(line->p, line->len))
		abort();
}

static void wait_for_hashes(const struct prefetch *files)
{
	while (!prefetch_is_ready(world.enricher, files)) {
		struct pollfd p = {.fd = enricher_fd(world.enricher), .events = POLLIN};
		poll(&p, 1, -1);
		enricher_collect(world.enricher);
	}
}

/* The snapshot reads the arguments of living processes: make sure that none is meant. */
static void seed(struct wire_header *head)
{
	head->task.tgid |= 1u << 30;
	head->parent.tgid |= 1u << 30;
	if (enricher_seed(world.enricher, head, head->length) == 0)
		enricher_seed_done(world.enricher);
}

static void apply(struct wire_header *head, struct arena *arena, struct buf *line)
{
	struct prefetch files;
	struct event e;

	arena_reset(arena);
	enricher_prefetch(world.enricher, head, head->length, &files);
	wait_for_hashes(&files);
	if (event_decode(head, head->length, arena, &e) == 0)
		enricher_apply(world.enricher, &e, &files, check_line, line);
	prefetch_drop(world.enricher, &files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct buf line = {0};

	world_clear(&world);
	for (int i = 0; i < RECORDS_MAX && size >= sizeof(struct wire_header); i++) {
		uint32_t len;
		memcpy(&len, data, sizeof(len));
		if (len > size || len < sizeof(struct wire_header))
			len = (uint32_t)size;
		/* a block of its own, so that reading past the end shows */
		struct wire_header *head = malloc(len);
		memcpy(head, data, len);
		head->length = len;
		if (head->type == EVENT_seed)
			seed(head);
		else
			apply(head, &arena, &line);
		enricher_tick(world.enricher, head->time);
		free(head);
		len = (len + 7) & ~7u;
		size = len < size ? size - len : 0;
		data += len;
	}

	struct event e;
	arena_reset(&arena);
	event_make(&e, EVENT_error, &arena);
	enricher_fill_own(world.enricher, &e);
	e.data.error.message = STR("");
	check_line(&line, &e);
	arena_fini(&arena);
	buf_fini(&line);
	return 0;
}
