/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ends of processes and threads. A death by signal gives no event. */
#include "actor.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void state_exit(const char *op, int code)
{
	struct fact fact;

	facts_begin(&fact, op);
	facts_number(&fact, "code", code);
	facts_end(&fact);
}

static void reap(pid_t pid)
{
	int status;

	actor_must(waitpid(pid, &status, __WALL) == pid, "waitpid");
}

static void exit_codes(const struct actor_case *self)
{
	static const int codes[] = {0, 1, 7, 127, 255, 256, 0x12345678, -1, -2147483647 - 1};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		pid_t pid = actor_fork();

		if (pid == 0) {
			state_exit(self->a == SYS_exit ? "exit" : "exit_group", codes[i]);
			syscall(self->a, codes[i]);
		}
		reap(pid);
	}
}

static void *exit_thread(void *argument)
{
	actor_started(0x3d0f00); /* what the C library's pthread_create passes */
	state_exit("exit", *(int *)argument);
	syscall(SYS_exit, *(int *)argument);
	return NULL;
}

static void exit_threads(const struct actor_case *self)
{
	int codes[3] = {0, 3, -1};
	pthread_t thread;

	(void)self;
	for (int i = 0; i < 3; i++) {
		actor_must(pthread_create(&thread, NULL, exit_thread, &codes[i]) == 0, "pthread_create");
		pthread_join(thread, NULL);
	}
}

static void *exit_process(void *argument)
{
	actor_started(0x3d0f00); /* what the C library's pthread_create passes */
	actor_exit(*(int *)argument);
}

/* The thread group is ended by a thread that is not its leader: one event, of that thread. */
static void exit_group_by_thread(const struct actor_case *self)
{
	pthread_t thread;
	int code = 5;
	pid_t pid = actor_fork();

	(void)self;
	if (pid == 0) {
		actor_must(pthread_create(&thread, NULL, exit_process, &code) == 0, "pthread_create");
		for (;;)
			pause();
	}
	reap(pid);
}

static void *outlive_leader(void *argument)
{
	char state[64];
	int tries = 0;

	actor_started(0x3d0f00); /* what the C library's pthread_create passes */
	/* The leader is a zombie when its /proc/self/exe cannot be read any more. */
	while (readlink("/proc/self/exe", state, sizeof(state)) > 0 && tries++ < 500)
		usleep(10000);
	close(actor_file_open("after_leader"));
	actor_exit(*(int *)argument);
}

/* The leader exits, a thread goes on: the process is still the same. */
static void exit_leader_first(const struct actor_case *self)
{
	pthread_t thread;
	int code = 0;
	pid_t pid = actor_fork();

	(void)self;
	if (pid == 0) {
		actor_must(pthread_create(&thread, NULL, outlive_leader, &code) == 0, "pthread_create");
		state_exit("exit", 0);
		syscall(SYS_exit, 0);
	}
	reap(pid);
}

static void exit_signal(const struct actor_case *self)
{
	pid_t pid = actor_fork();
	int status;

	if (pid == 0) {
		signal(self->a, SIG_DFL);
		if (self->a == SIGSEGV)
			*(volatile int *)actor_nowhere = 1;
		actor_kill(getpid(), self->a);
	}
	actor_must(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "a signal kills the child");
}

void actor_add_exits(void)
{
	actor_add(exit_codes, SYS_exit_group, 0, 0, "exit_group.codes");
	actor_add(exit_codes, SYS_exit, 0, 0, "exit.codes");
	actor_add(exit_threads, 0, 0, 0, "exit.threads");
	actor_add(exit_group_by_thread, 0, 0, 0, "exit_group.by_thread");
	actor_add(exit_leader_first, 0, 0, 0, "exit.leader_first");
	actor_add(exit_signal, SIGKILL, 0, 0, "exit.sigkill");
	actor_add(exit_signal, SIGSEGV, 0, 0, "exit.sigsegv");
	actor_add(exit_signal, SIGTERM, 0, 0, "exit.sigterm");
}
