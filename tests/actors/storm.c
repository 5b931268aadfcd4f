/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations at full speed from several processes; one fact for all that a worker did. */
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3 };

static unsigned share(int worker)
{
	return actor_env.storm / WORKERS + (worker == 0 ? actor_env.storm % WORKERS : 0);
}

static void run_true(const char *path, bool shared)
{
	char *const argv[] = {"true", NULL}, *const envp[] = {NULL};
	pid_t pid = shared ? vfork() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		execve(path, argv, envp);
		_exit(1);
	}
	actor_wait(pid);
}

static void execute_many(unsigned count, bool shared)
{
	char path[PATH_MAX + 8];
	struct fact fact;

	snprintf(path, sizeof(path), "%s/true", actor_env.bin);
	for (unsigned i = 0; i < count; i++)
		run_true(path, shared);
	facts_begin(&fact, "storm_exec");
	facts_number(&fact, "count", count);
	facts_string(&fact, "exe", path);
	facts_number(&fact, "flags", shared ? CLONE_VFORK | CLONE_VM | SIGCHLD : SIGCHLD);
	facts_end(&fact);
}

static void write_many(unsigned count, int worker)
{
	char dir[PATH_MAX], name[32];
	struct fact fact;

	snprintf(name, sizeof(name), "worker%d", worker);
	actor_must(mkdir(name, 0755) == 0 && chdir(name) == 0, "a directory of its own");
	for (unsigned i = 0; i < count; i++) {
		int fd;

		snprintf(name, sizeof(name), "f%u", i);
		fd = open(name, O_WRONLY | O_CREAT, 0600);
		actor_must(fd >= 0 && write(fd, name, 2) == 2 && close(fd) == 0, "write a file");
	}
	facts_begin(&fact, "storm_files");
	facts_number(&fact, "count", count);
	facts_string(&fact, "dir", actor_path(dir, ""));
	facts_end(&fact);
}

enum storm { STORM_EXEC, STORM_FILES };

static void storm(const struct actor_case *self)
{
	pid_t pids[WORKERS];

	if (!actor_env.storm)
		actor_skip("storms are switched off");
	for (int worker = 0; worker < WORKERS; worker++) {
		pids[worker] = actor_fork();
		if (pids[worker] == 0) {
			if (self->a == STORM_EXEC)
				execute_many(share(worker), worker == 1);
			else
				write_many(share(worker), worker);
			actor_exit(0);
		}
	}
	for (int worker = 0; worker < WORKERS; worker++)
		actor_wait(pids[worker]);
}

void actor_add_storm(void)
{
	actor_add(storm, STORM_EXEC, 0, 0, "storm.exec");
	actor_add(storm, STORM_FILES, 0, 0, "storm.files");
}
