/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attacks on the processes of the sensor: signals, memory, limits. */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- signals ---- */

int attack_send_term(void)
{
	return attack_result(kill(target.pid, SIGTERM));
}
int attack_send_kill(void)
{
	return attack_result(kill(target.pid, SIGKILL));
}
int attack_send_stop(void)
{
	return attack_result(kill(target.pid, SIGSTOP));
}
int attack_send_int(void)
{
	return attack_result(kill(target.pid, SIGINT));
}
int attack_send_hangup(void)
{
	return attack_result(kill(target.pid, SIGHUP));
}
int attack_send_thread(void)
{
	return attack_result(syscall(SYS_tgkill, target.pid, target.pid, SIGKILL));
}
int attack_send_queued(void)
{
	return attack_result(sigqueue(target.pid, SIGKILL, (union sigval){0}));
}
int attack_send_none(void)
{
	return attack_result(kill(target.pid, 0));
}

int attack_send_pidfd(void)
{
	int fd = (int)syscall(SYS_pidfd_open, target.pid, 0);

	return fd < 0 ? errno : attack_result(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
}

/* The kernel sends it for us; we are not told that it was refused. */
int attack_send_by_owner(void)
{
	int fds[2];

	if (pipe(fds) < 0 || fcntl(fds[0], F_SETOWN, target.pid) < 0 ||
	    fcntl(fds[0], F_SETSIG, SIGKILL) < 0 || fcntl(fds[0], F_SETFL, O_ASYNC) < 0)
		return errno;
	return attack_result(write(fds[1], "x", 1));
}

/* ---- memory ---- */

static const char *proc_file(const char *name)
{
	char directory[64];

	snprintf(directory, sizeof(directory), "/proc/%d", target.pid);
	return attack_join(directory, name);
}

int attack_trace_attach(void)
{
	return attack_result(ptrace(PTRACE_ATTACH, target.pid, 0, 0));
}
/* A tracer of one thread only, which lets it do all that it likes. */
int attack_trace_program(char **argv)
{
	int ready[2], status = 0;

	if (pipe(ready) < 0)
		return 1;
	pid_t child = fork();
	if (child == 0) {
		char byte;
		close(ready[1]);
		if (read(ready[0], &byte, 1) == 0)
			execv(argv[0], argv);
		_exit(127);
	}
	if (ptrace(PTRACE_SEIZE, child, 0, 0) < 0)
		perror("cannot trace");
	close(ready[1]);
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, child, 0, status >> 16 ? 0 : WSTOPSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
int attack_trace_seize(void)
{
	return attack_result(ptrace(PTRACE_SEIZE, target.pid, 0, 0));
}
/* The kernel's own word for a refusal is another one here (mm_access). */
int attack_memory_open(void)
{
	int err = attack_open(proc_file("mem"), O_RDONLY);

	return err == EACCES ? EPERM : err;
}
int attack_proc_mem(void)
{
	return attack_open(proc_file("mem"), O_RDWR);
}

static int memory_copy(int call)
{
	char byte = 0;
	struct iovec local = {&byte, 1}, remote = {(void *)0x1000, 1};

	return attack_result(syscall(call, target.pid, &local, 1UL, &remote, 1UL, 0UL));
}

int attack_memory_write(void)
{
	return memory_copy(SYS_process_vm_writev);
}
int attack_memory_read(void)
{
	return memory_copy(SYS_process_vm_readv);
}

int attack_take_descriptor(void)
{
	int fd = (int)syscall(SYS_pidfd_open, target.pid, 0);

	return fd < 0 ? errno : attack_result(syscall(SYS_pidfd_getfd, fd, 0, 0));
}

int attack_proc_oom(void)
{
	return attack_write(proc_file("oom_score_adj"), "1000");
}
int attack_proc_comm(void)
{
	return attack_write(proc_file("comm"), "other");
}
int attack_proc_status(void)
{
	return attack_open(proc_file("status"), O_RDONLY);
}
int attack_proc_maps(void)
{
	return attack_open(proc_file("maps"), O_RDONLY);
}
int attack_proc_environ(void)
{
	return attack_open(proc_file("environ"), O_RDONLY);
}

/* ---- limits ---- */

static int set_limit(int resource)
{
	struct rlimit none = {1, 1};

	return attack_result(prlimit(target.pid, (enum __rlimit_resource)resource, &none, NULL));
}

int attack_limit_cpu(void)
{
	return set_limit(RLIMIT_CPU);
}
int attack_limit_files(void)
{
	return set_limit(RLIMIT_NOFILE);
}

int attack_read_limit(void)
{
	struct rlimit limit;

	return attack_result(prlimit(target.pid, RLIMIT_NOFILE, NULL, &limit));
}

int attack_set_nice(void)
{
	return attack_result(setpriority(PRIO_PROCESS, (id_t)target.pid, 19));
}

int attack_set_idle(void)
{
	struct sched_param none = {0};

	return attack_result(sched_setscheduler(target.pid, SCHED_IDLE, &none));
}

int attack_set_affinity(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return attack_result(sched_setaffinity(target.pid, sizeof(one), &one));
}

int attack_set_io(void)
{
	enum { WHO_PROCESS = 1, IDLE = 3 << 13 };

	return attack_result(syscall(SYS_ioprio_set, WHO_PROCESS, target.pid, IDLE));
}

int attack_occupy(int cpu, int seconds)
{
	const struct sched_param priority = {.sched_priority = 50};
	time_t end = time(NULL) + seconds;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0 || sched_setscheduler(0, SCHED_FIFO, &priority) < 0) {
		perror("cannot run as a real-time task");
		return 1;
	}
	while (time(NULL) < end)
		;
	return 0;
}
