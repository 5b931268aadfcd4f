/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files at full speed and processes meanwhile, for a run of the sensor that throttles. These cases are run by
 * `run-throttled` only. Every worker stays on one CPU: the limits are those of a CPU.
 */
#include "actor.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILES = 1009,     /* of each worker */
	FORK_EVERY = 101, /* files */
	WORKERS_MAX = 3,
};

static void stay_on_one_cpu(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : cpu, &set);
	actor_must(sched_setaffinity(0, sizeof(set), &set) == 0, "stay on one CPU");
}

static void make_files(int worker)
{
	char name[32], dir[PATH_MAX];
	struct fact fact;

	snprintf(name, sizeof(name), "worker%d", worker);
	actor_must(mkdir(name, 0755) == 0 && chdir(name) == 0, "a directory of its own");
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		actor_must(close(open(name, O_WRONLY | O_CREAT, 0600)) == 0, "create a file");
		if (i % FORK_EVERY == 0) {
			pid_t pid = actor_fork();
			if (pid == 0)
				actor_exit(0);
			actor_wait(pid);
		}
	}
	facts_begin(&fact, "made_files");
	facts_number(&fact, "count", FILES);
	facts_string(&fact, "dir", actor_path(dir, ""));
	facts_end(&fact);
}

static void make_by_workers(const struct actor_case *self)
{
	pid_t pids[WORKERS_MAX];

	stay_on_one_cpu();
	for (int worker = 0; worker < self->a; worker++) {
		pids[worker] = actor_fork();
		if (pids[worker] == 0) {
			make_files(worker);
			actor_exit(0);
		}
	}
	for (int worker = 0; worker < self->a; worker++)
		actor_wait(pids[worker]);
}

void actor_add_throttled(void)
{
	actor_add(make_by_workers, 1, 0, 0, "throttle.task");
	actor_add(make_by_workers, WORKERS_MAX, 0, 0, "throttle.all");
}
