/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a process does to others: signals, and getting hold of them. */
#define _GNU_SOURCE
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, SI_KERNEL_CODE = 0x80, RT_FIRST = 34, RT_LAST = 64 };

static const char *signal_text(int number, char *buf)
{
	if (number >= RT_FIRST && number <= RT_LAST)
		sprintf(buf, "SIGRT%d", number - RT_FIRST);
	else if (sigabbrev_np(number))
		sprintf(buf, "SIG%s", sigabbrev_np(number));
	else
		sprintf(buf, "SIG(%d)", number);
	return buf;
}

void actor_fact_kill(pid_t pid, int number, bool success)
{
	char name[32];
	struct fact fact;

	facts_begin(&fact, "kill");
	facts_string(&fact, "signal", signal_text(number, name));
	facts_number(&fact, "target", pid);
	facts_bool(&fact, "success", success);
	facts_end(&fact);
}

void actor_kill(pid_t pid, int number)
{
	actor_fact_kill(pid, number, true);
	kill(pid, number);
}

pid_t actor_deaf_child(bool lead, pid_t group)
{
	int ends[2];
	char byte;
	pid_t pid;

	actor_must(pipe2(ends, O_CLOEXEC) == 0, "pipe");
	pid = actor_fork();
	if (pid == 0) {
		for (int number = 1; number <= RT_LAST; number++)
			signal(number, SIG_IGN);
		if (lead || group)
			actor_must(setpgid(0, group) == 0, "setpgid");
		close(ends[0]);
		close(ends[1]);
		for (;;)
			pause();
	}
	close(ends[1]);
	actor_must(read(ends[0], &byte, 1) == 0, "the child is ready");
	close(ends[0]);
	return pid;
}

static void end_child(pid_t pid)
{
	actor_kill(pid, SIGKILL);
	actor_must(waitpid(pid, NULL, 0) == pid, "waitpid");
}

/* Every call that sends a signal. */
static long send_by(int call, pid_t pid, int number)
{
	siginfo_t info = {.si_signo = number, .si_code = SI_QUEUE};
	int fd;
	long ret;

	switch (call) {
	case SYS_kill:
	case SYS_tkill:
		return syscall(call, pid, number);
	case SYS_tgkill:
		return syscall(call, pid, pid, number);
	case SYS_rt_sigqueueinfo:
		return syscall(call, pid, number, &info);
	case SYS_rt_tgsigqueueinfo:
		return syscall(call, pid, pid, number, &info);
	default:
		fd = (int)syscall(SYS_pidfd_open, pid, 0);
		actor_must(fd >= 0, "pidfd_open");
		ret = syscall(SYS_pidfd_send_signal, fd, number, NULL, 0);
		close(fd);
		return ret;
	}
}

static const struct {
	const char *name;
	int number;
} calls[] = {
	{"kill", SYS_kill},
	{"tkill", SYS_tkill},
	{"tgkill", SYS_tgkill},
	{"rt_sigqueueinfo", SYS_rt_sigqueueinfo},
	{"rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo},
	{"pidfd_send_signal", SYS_pidfd_send_signal},
};
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static void kill_by(const struct actor_case *self)
{
	pid_t pid = actor_deaf_child(false, 0);

	actor_must(send_by(self->a, pid, SIGUSR1) == 0, "an ignored signal");
	actor_fact_kill(pid, SIGUSR1, true);
	actor_must(send_by(self->a, pid, 0) == 0, "no signal");
	actor_fact_kill(pid, SIGKILL, true);
	actor_must(send_by(self->a, pid, SIGKILL) == 0, "the last signal");
	actor_must(waitpid(pid, NULL, 0) == pid, "waitpid");
	/* nobody there any more */
	if (self->a != SYS_pidfd_send_signal)
		actor_must(send_by(self->a, pid, SIGTERM) < 0 && errno == ESRCH, "nobody");
}

static void kill_names(const struct actor_case *self)
{
	pid_t pid = actor_deaf_child(false, 0);

	(void)self;
	for (int number = 1; number <= RT_LAST; number++) {
		/* these cannot be ignored, or are the C library's */
		if (number == SIGKILL || number == SIGSTOP || number == 32 || number == 33)
			continue;
		actor_must(kill(pid, number) == 0, "kill");
		actor_fact_kill(pid, number, true);
	}
	actor_fact_kill(pid, 33, true);
	kill(pid, 33);
	actor_must(waitpid(pid, NULL, 0) == pid, "waitpid");
}

static void kill_self(const struct actor_case *self)
{
	siginfo_t forged = {.si_signo = SIGURG, .si_code = SI_KERNEL_CODE};

	(void)self;
	actor_must(kill(getpid(), SIGURG) == 0 && raise(SIGWINCH) == 0, "signals to itself");
	actor_fact_kill(getpid(), SIGURG, true);
	actor_fact_kill(getpid(), SIGWINCH, true);
	/* to itself a process may pretend to be the kernel */
	actor_must(syscall(SYS_rt_sigqueueinfo, getpid(), SIGURG, &forged) == 0, "a forged signal");
	actor_fact_kill(getpid(), SIGURG, true);
}

static void kill_group(const struct actor_case *self)
{
	pid_t first = actor_deaf_child(true, 0), second = actor_deaf_child(false, first);

	(void)self;
	actor_must(kill(-first, SIGUSR2) == 0, "kill a group");
	actor_fact_kill(first, SIGUSR2, true);
	actor_fact_kill(second, SIGUSR2, true);
	end_child(first);
	end_child(second);
}

/* The kernel's signals: a timer, a broken pipe, a child's end. */
static void kill_kernel(const struct actor_case *self)
{
	const struct itimerval soon = {.it_value.tv_usec = 1000};
	int ends[2];

	(void)self;
	signal(SIGALRM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	setitimer(ITIMER_REAL, &soon, NULL);
	usleep(20000);
	actor_must(pipe(ends) == 0, "pipe");
	close(ends[0]);
	actor_must(write(ends[1], "x", 1) < 0 && errno == EPIPE, "a broken pipe");
	close(ends[1]);
	pid_t pid = actor_fork();
	if (pid == 0)
		actor_exit(0);
	actor_wait(pid);
}

/* The target's queue is full. */
static void kill_queue_full(const struct actor_case *self)
{
	const struct rlimit none = {0, 0};
	sigset_t set;

	(void)self;
	sigemptyset(&set);
	sigaddset(&set, RT_LAST);
	sigprocmask(SIG_BLOCK, &set, NULL);
	actor_must(setrlimit(RLIMIT_SIGPENDING, &none) == 0, "setrlimit");
	actor_must(send_by(SYS_rt_sigqueueinfo, getpid(), RT_LAST) < 0 && errno == EAGAIN, "a full queue");
	actor_fact_kill(getpid(), RT_LAST, false);
}

static void become_nobody(void)
{
	actor_must(setgid(NOBODY) == 0 && setuid(NOBODY) == 0, "become another user");
	facts_refresh_names();
}

static void kill_refused(const struct actor_case *self)
{
	pid_t target = actor_deaf_child(true, 0), pid = actor_fork();

	if (pid == 0) {
		become_nobody();
		actor_must(send_by(self->a, target, SIGUSR1) < 0 && errno == EPERM, "a refused signal");
		actor_fact_kill(target, SIGUSR1, false);
		actor_must(send_by(self->a, target, 0) < 0 && errno == EPERM, "a refused question");
		if (self->a == SYS_kill) {
			actor_must(kill(-target, SIGHUP) < 0 && errno == EPERM, "a refused group");
			actor_fact_kill(target, SIGHUP, false);
		}
		actor_exit(0);
	}
	actor_wait(pid);
	end_child(target);
}

/* ---- getting hold of another process ---- */

enum access { ATTACH, SEIZE, VM_READ, VM_WRITE, GETFD, PROC_MEM, ACCESSES };
static const char *const accesses[] = {"attach",      "seize",   "process_vm_readv", "process_vm_writev",
				       "pidfd_getfd", "proc_mem"};

static char shared_address[16] = "0123456789abcde"; /* the same in a forked child */

static long access_vm(int access, pid_t pid)
{
	char buffer[16] = "";
	struct iovec local = {buffer, sizeof(buffer)}, remote = {shared_address, sizeof(shared_address)};

	return syscall(access == VM_READ ? SYS_process_vm_readv : SYS_process_vm_writev, pid, &local, 1,
		       &remote, 1, 0);
}

static long open_mem(pid_t pid, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, flags | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd;
}

static long access_getfd(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	long fd = syscall(SYS_pidfd_getfd, pidfd, FACTS_FD, 0);
	int error = errno;

	close(pidfd);
	if (fd >= 0)
		close((int)fd);
	errno = error;
	return fd;
}

static long access_by(int access, pid_t pid)
{
	switch (access) {
	case ATTACH:
		return ptrace(PTRACE_ATTACH, pid, NULL, NULL);
	case SEIZE:
		return ptrace(PTRACE_SEIZE, pid, NULL, NULL);
	case GETFD:
		return access_getfd(pid);
	case PROC_MEM:
		return open_mem(pid, O_RDWR);
	default:
		return access_vm(access, pid);
	}
}

void actor_fact_access(const char *access, pid_t pid, bool success)
{
	struct fact fact;

	facts_begin(&fact, "access");
	facts_string(&fact, "access", access);
	facts_number(&fact, "target", pid);
	facts_bool(&fact, "success", success);
	facts_end(&fact);
}

static void access_other(const struct actor_case *self)
{
	pid_t pid = actor_deaf_child(false, 0);

	actor_must(access_by(self->a, pid) >= 0, "get hold of a child");
	actor_fact_access(accesses[self->a], pid, true);
	if (self->a == ATTACH) {
		actor_must(waitpid(pid, NULL, __WALL) == pid, "it stops");
		actor_must(ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0, "detach");
	}
	end_child(pid);
	actor_must(access_by(self->a, pid) < 0, "nobody");
}

static void access_refused(const struct actor_case *self)
{
	pid_t target = actor_deaf_child(false, 0), pid = actor_fork();

	if (pid == 0) {
		become_nobody();
		actor_must(access_by(self->a, target) < 0, "refused");
		/* no object of the kernel tells whose memory was asked for */
		if (self->a != PROC_MEM)
			actor_fact_access(accesses[self->a], target, false);
		actor_exit(0);
	}
	actor_wait(pid);
	end_child(target);
}

/* What a process does to itself, and what is no access. */
static void access_self(const struct actor_case *self)
{
	pid_t pid = actor_deaf_child(false, 0);
	char byte;
	struct iovec one = {&byte, 1};

	(void)self;
	for (int access = 0; access < ACCESSES; access++)
		access_by(access, getpid());
	actor_must(syscall(SYS_process_vm_readv, pid, &one, 1, &one, 0, 0) == 0, "nothing to read");
	actor_must(ptrace(PTRACE_CONT, pid, NULL, NULL) < 0, "not a tracer");
	actor_must(open_mem(pid, O_PATH) >= 0, "the name of its memory, which gives no access");
	end_child(pid);
}

void actor_add_others(void)
{
	for (int i = 0; i < CALLS; i++) {
		actor_add(kill_by, calls[i].number, 0, 0, "kill.%s", calls[i].name);
		actor_add(kill_refused, calls[i].number, 0, 0, "kill.refused.%s", calls[i].name);
	}
	actor_add(kill_names, 0, 0, 0, "kill.names");
	actor_add(kill_self, 0, 0, 0, "kill.self");
	actor_add(kill_group, 0, 0, 0, "kill.group");
	actor_add(kill_kernel, 0, 0, 0, "kill.kernel");
	actor_add(kill_queue_full, 0, 0, 0, "kill.queue_full");
	for (int access = 0; access < ACCESSES; access++) {
		actor_add(access_other, access, 0, 0, "ptrace.%s", accesses[access]);
		actor_add(access_refused, access, 0, 0, "ptrace.refused.%s", accesses[access]);
	}
	actor_add(access_self, 0, 0, 0, "ptrace.none");
}
