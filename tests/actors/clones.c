/* SPDX-License-Identifier: GPL-3.0-or-later */
/* New processes and threads, by every call that makes them. Flags are what the kernel was asked for. */
#include "actor.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

/* struct clone_args of linux/sched.h, version 0. */
struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

/* A child that ends with another signal than SIGCHLD would kill its parent. */
static void ignore_signals(void)
{
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
}

static void clone_flags(const struct actor_case *self)
{
	pid_t pid;

	ignore_signals();
	pid = actor_clone((unsigned long)self->a);

	if (pid == 0)
		actor_exit(0);
	actor_wait(pid);
}

/* Five children, so that a count is wrong when one is missed. */
static void clone_forks(const struct actor_case *self)
{
	(void)self;
	for (int i = 0; i < 5; i++) {
		pid_t pid = actor_fork();

		if (pid == 0)
			actor_exit(0);
		actor_wait(pid);
	}
}

#ifdef SYS_vfork
static void clone_vfork(const struct actor_case *self)
{
	pid_t pid;

	(void)self;
	pid = vfork();
	if (pid == 0) {
		actor_started(CLONE_VFORK | CLONE_VM | SIGCHLD);
		actor_exit(0);
	}
	actor_wait(pid);
}
#endif

static void clone_clone3(const struct actor_case *self)
{
	struct clone3_args args = {.exit_signal = (uint64_t)self->b};
	unsigned long long flags = self->a ? CLONE_CLEAR_SIGHAND : 0;
	pid_t pid;

	ignore_signals();
	args.flags = flags;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && errno == ENOSYS)
		actor_skip("no clone3 here");
	actor_must(pid >= 0, "clone3");
	if (pid == 0) {
		actor_started(flags | args.exit_signal);
		actor_exit(0);
	}
	actor_wait(pid);
}

/* The new process is the leader's sibling: its parent is the driver. */
static void clone_parent(const struct actor_case *self)
{
	pid_t pid = actor_clone(CLONE_PARENT | SIGCHLD);

	(void)self;
	if (pid == 0)
		actor_exit(0);
}

/* The child has another pid in its own namespace; its parent states it with the outer one. */
static void clone_pid_namespace(const struct actor_case *self)
{
	struct who who = facts_self();
	struct fact fact;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);

	(void)self;
	if (pid < 0)
		actor_skip("no pid namespaces here");
	if (pid == 0)
		for (;;)
			syscall(SYS_exit_group, 0);
	who.ppid = who.tgid;
	who.pid = who.tgid = pid;
	facts_begin_for(&fact, "clone", &who);
	facts_number(&fact, "flags", CLONE_NEWPID | SIGCHLD);
	facts_end(&fact);
	facts_begin_for(&fact, "exit_group", &who);
	facts_number(&fact, "code", 0);
	facts_end(&fact);
	actor_wait(pid);
}

static void *run_thread(void *argument)
{
	struct fact fact;

	actor_started(0x3d0f00); /* what the C library's pthread_create passes */
	facts_begin(&fact, "exit");
	facts_number(&fact, "code", 0);
	facts_end(&fact);
	return argument;
}

static void clone_threads(const struct actor_case *self)
{
	pthread_t thread[7];

	(void)self;
	for (int i = 0; i < 7; i++)
		actor_must(pthread_create(&thread[i], NULL, run_thread, NULL) == 0, "pthread_create");
	for (int i = 0; i < 7; i++)
		pthread_join(thread[i], NULL);
}

void actor_add_clones(void)
{
	actor_add(clone_forks, 0, 0, 0, "clone.fork");
	actor_add(clone_flags, CLONE_FS | CLONE_FILES | SIGCHLD, 0, 0, "clone.shared");
	actor_add(clone_flags, CLONE_UNTRACED | SIGUSR1, 0, 0, "clone.other_signal");
	actor_add(clone_flags, 0, 0, 0, "clone.no_signal");
#ifdef SYS_vfork
	actor_add(clone_vfork, 0, 0, 0, "clone.vfork");
#endif
	actor_add(clone_clone3, 0, SIGCHLD, 0, "clone.clone3");
	actor_add(clone_clone3, 0, SIGUSR2, 0, "clone.clone3_other_signal");
	actor_add(clone_clone3, 1, SIGCHLD, 0, "clone.clone3_64_bit_flag");
	actor_add(clone_parent, 0, 0, 0, "clone.parent");
	actor_add(clone_pid_namespace, 0, 0, 0, "clone.pid_namespace");
	actor_add(clone_threads, 0, 0, 0, "clone.threads");
}
