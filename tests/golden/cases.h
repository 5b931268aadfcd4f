/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cases and what they are made with. Records and events are the runner's and valid until the next one. */
#ifndef KUNAI_TESTS_CASES_H
#define KUNAI_TESTS_CASES_H

#include "tests/support/record.h"
#include "tests/support/world.h"

struct golden_case {
	const char *name;
	void (*run)(void);
	unsigned lines;
};

/* Appended, never reordered: their numbers are in the expected lines. */
extern const struct golden_case golden_cases[];
extern const uint32_t golden_case_count;

/* A record of the task, a second after the last one. */
struct record *golden_begin(enum event_type type, const struct wire_task *task,
			    const struct wire_task *parent);
/* Through decoding, enrichment and the JSON writer, as the pipeline does. */
void golden_send(void);

void golden_seed(void);
void golden_seed_done(void);

/* An event of the sensor's own. */
struct event *golden_begin_own(enum event_type type);
void golden_print_own(struct event *e);

struct world *golden_world(void);

/* What the kernel would tell of a file of the host. */
void golden_stat(const char *path, struct wire_path *ret);

/* tasks.c: the processes of the cases */
extern const struct wire_task task_swapper, task_systemd, task_kthreadd, task_kworker, task_bash, task_ls,
	task_thread, task_sensor, task_boxed, task_stranger, task_script, task_orphan;

#endif
