/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is who: reused pids, lost parents, processes that are older than the sensor. */
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OTHER_ID = 4321 };

/* struct clone_args of linux/sched.h with set_tid: version 1. */
struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size;
};

static pid_t start_victim(void)
{
	int status;
	pid_t pid = actor_fork();

	if (pid == 0) {
		actor_execute_and_stop("./victim");
		actor_must(false, "execute the program");
	}
	actor_must(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status), "the victim runs");
	return pid;
}

static pid_t fork_as(pid_t wanted)
{
	struct clone3_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&wanted, .set_tid_size = 1};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		actor_skip("this kernel does not let pids be chosen");
	if (pid == 0)
		actor_started(SIGCHLD);
	return pid;
}

/* A process is killed and its pid given to another one: nothing of the first may show in the second. */
static void identity_reused(const struct actor_case *self)
{
	struct fact fact;
	pid_t pid, child;

	(void)self;
	actor_must(link(actor_program(), "victim") == 0, "link the program");
	pid = start_victim();
	actor_kill(pid, SIGKILL);
	actor_must(waitpid(pid, NULL, 0) == pid, "the victim dies");
	facts_begin(&fact, "reused");
	facts_number(&fact, "reused_pid", pid);
	facts_end(&fact);

	pid = fork_as(pid);
	if (pid == 0) {
		close(actor_file_open("file"));
		child = actor_fork();
		if (child == 0)
			actor_exit(0);
		actor_wait(child);
		actor_exit(0);
	}
	actor_wait(pid);
}

static void live_as_orphan(pid_t parent, int born)
{
	struct fact fact;

	close(born);
	while (getppid() == parent)
		usleep(1000);
	facts_begin(&fact, "orphaned");
	facts_end(&fact);
	close(actor_file_open("orphan"));
	actor_exit(0);
}

/* The parent goes first: its child keeps its lineage. */
static void identity_orphan(const struct actor_case *self)
{
	int gate[2], born[2];
	char byte;
	pid_t pid;

	(void)self;
	actor_must(pipe(gate) == 0 && pipe(born) == 0, "pipe");
	pid = actor_fork();
	if (pid == 0) {
		pid_t me = getpid();

		if (actor_fork() == 0)
			live_as_orphan(me, born[1]);
		close(born[1]);
		/* The child states its birth while it still has a parent. */
		while (read(born[0], &byte, 1) > 0)
			;
		actor_exit(0);
	}
	close(born[1]);
	close(gate[1]);
	actor_wait(pid);
	while (read(gate[0], &byte, 1) > 0) /* until the orphan has ended */
		;
}

/* Seven generations, the last of which does something. */
static void identity_generations(const struct actor_case *self)
{
	(void)self;
	for (int depth = 0; depth < 7; depth++) {
		pid_t pid = actor_fork();

		if (pid == 0)
			continue;
		actor_wait(pid);
		if (depth > 0)
			actor_exit(0);
		return;
	}
	actor_execute(actor_program());
}

/* As a set-user-ID program that has given its rights up for a while. */
static void identity_effective(const struct actor_case *self)
{
	pid_t pid;

	(void)self;
	actor_must(chmod(".", 0777) == 0, "chmod");
	pid = actor_fork();
	if (pid == 0) {
		actor_must(setegid(OTHER_ID) == 0 && seteuid(OTHER_ID) == 0, "change the effective ids");
		close(actor_file_open("file"));
		actor_exit(0);
	}
	actor_wait(pid);
}

static void identity_terminal(const struct actor_case *self)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), unlock = 0;
	unsigned number = 0;
	char path[32];
	pid_t pid;

	(void)self;
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, &number) < 0)
		actor_skip("no terminals here");
	pid = actor_fork();
	if (pid == 0) {
		snprintf(path, sizeof(path), "/dev/pts/%u", number);
		actor_must(setsid() > 0 && open(path, O_RDWR) >= 0, "open a terminal");
		facts_tty = path + 5;
		pid = actor_fork();
		if (pid == 0) {
			close(actor_file_open("file"));
			actor_exit(0);
		}
		actor_wait(pid);
		actor_exit(0);
	}
	actor_wait(pid);
}

static void linger_once(const char *name, int phase)
{
	static char case_name[64];
	struct fact fact;
	char file[64];
	pid_t pid;

	snprintf(case_name, sizeof(case_name), "identity.%s.%d", name, phase);
	facts_case = case_name;
	facts_begin(&fact, "linger");
	facts_number(&fact, "phase", phase);
	facts_number(&fact, "start_ticks", (long long)actor_start_ticks());
	facts_end(&fact);
	snprintf(file, sizeof(file), "%s.%d", name, phase);
	close(actor_file_open(file));
	pid = actor_fork();
	if (pid == 0)
		actor_exit(0);
	actor_wait(pid);
	facts_begin(&fact, "end");
	facts_number(&fact, "status", 0);
	facts_end(&fact);
}

int actor_linger(const char *name, char **go_files)
{
	for (int phase = 1; *go_files; phase++, go_files++) {
		while (access(*go_files, F_OK) != 0)
			usleep(20000);
		linger_once(name, phase);
	}
	return 0;
}

void actor_add_identity(void)
{
	actor_add(identity_reused, 0, 0, 0, "identity.reused_pid");
	actor_add(identity_orphan, 0, 0, 0, "identity.orphan");
	actor_add(identity_effective, 0, 0, 0, "identity.effective");
	actor_add(identity_terminal, 0, 0, 0, "identity.terminal");
	actor_add(identity_generations, 0, 0, 0, "identity.generations");
}
