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

#define CASE(name, lines) void run_##name(void);
#include "tests/golden/cases.def"
#undef CASE

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

/* What several of the case files make. */
void golden_clone_task(const struct wire_task *task, const struct wire_task *parent,
		       const struct wire_task *creator, uint64_t flags);
void golden_create_as(const struct wire_task *task, const struct wire_task *parent, struct str name,
		      uint32_t flags);
void golden_fill_sock(struct wire_sock *sock, int type, int protocol, const char *src, uint16_t src_port,
		      const char *dst, uint16_t dst_port);
void golden_put_file(struct record *r, struct wire_path *path, const char *text, uint32_t flags, bool real);
void golden_seed_process(const struct wire_task *task, const struct wire_task *parent, const char *image);

#endif
