/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a filtered process is refused, and what it is not; in children, since there is no way back. */
#include "cmd/privileges.h"

#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/call_filter.h"
#include "tap.h"

static bool is_refused(long result)
{
	return result < 0 && errno == ENOSYS;
}

__attribute__((unused)) static bool refuses_execution(void)
{
	char *const arguments[] = {"true", NULL};

	return is_refused(execv("/bin/true", arguments));
}

__attribute__((unused)) static bool refuses_tracing(void)
{
	return is_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static bool refuses_mounts(void)
{
	return is_refused(mount("none", "/proc/self/none", "tmpfs", 0, NULL)) &&
	       is_refused(unshare(CLONE_NEWNS)) && is_refused(setns(-1, CLONE_NEWNS)) &&
	       is_refused(chroot("/"));
}

/* A size that is too large is E2BIG where the kernel looks at it. */
static bool refuses_loading(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	return is_refused(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, ~0u)) &&
	       is_refused(syscall(SYS_bpf, BPF_LINK_CREATE, &attr, ~0u)) &&
	       is_refused(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, ~0u)) &&
	       syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, ~0u) < 0 && errno == E2BIG;
}

static bool refuses_networks(void)
{
	return is_refused(socket(AF_INET, SOCK_STREAM, 0)) && is_refused(socket(AF_PACKET, SOCK_RAW, 0)) &&
	       socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

/* The last numbers, and what no kernel has. */
static bool refuses_unknown(void)
{
	return is_refused(syscall(SYS_reboot, 0, 0, 0, 0)) &&
	       is_refused(syscall(SYS_io_uring_setup, 0, NULL)) && is_refused(syscall(65535));
}

static bool refuses_modules(void)
{
	return is_refused(syscall(SYS_finit_module, -1, "", 0));
}

static bool refuses_x32(void)
{
#ifdef __x86_64__
	return is_refused(syscall(0x40000000 | SYS_getpid));
#else
	return true;
#endif
}

static bool allows_work(void)
{
	char text[8];
	int fds[2];

	return getpid() > 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 && write(fds[1], "x", 1) == 1 &&
	       read(fds[0], text, 1) == 1;
}

/* The status of a child: whether check holds, with the filter or without. 2: the kernel, or valgrind, has none. */
static int run_filtered(bool filter, bool (*check)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(filter && privileges_filter() < 0 ? 2 : check() ? 0 : 1);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

static pthread_barrier_t barrier;
static bool thread_is_refused;

static void *late(void *argument)
{
	(void)argument;
	pthread_barrier_wait(&barrier);
	thread_is_refused = refuses_modules();
	return NULL;
}

static bool other_threads_too(void)
{
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, late, NULL) != 0 || privileges_filter() < 0)
		return false;
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	return thread_is_refused;
}

static bool drops_capabilities(void)
{
	struct buf names = {0};
	bool told;

	privileges_add_names(&names);
	told = !names.failed && memmem(names.p, names.len, "CAP_SYS_PTRACE", 14) &&
	       !memmem(names.p, names.len, "CAP_SYS_MODULE", 14);
	buf_fini(&names);
	if (geteuid() != 0 || privileges_drop() < 0)
		return told;
	/* CAP_SYS_CHROOT is not kept, CAP_SETUID is */
	return told && chroot("/") < 0 && errno == EPERM && setresuid(1, 1, 1) == 0;
}

int main(void)
{
	static const struct {
		const char *name;
		bool (*check)(void);
	} checks[] = {
#ifndef CALL_FILTER_SANITIZED
		{"programs are not executed", refuses_execution},
		{"processes are not traced", refuses_tracing},
#endif
		{"nothing is mounted, namespaces stay", refuses_mounts},
		{"BPF programs are not loaded, maps are read", refuses_loading},
		{"modules are not loaded", refuses_modules},
		{"no sockets but those of the host", refuses_networks},
		{"calls that nobody thought of are refused", refuses_unknown},
		{"calls with numbers of x32 are refused", refuses_x32},
		{"ordinary work goes on", allows_work},
	};
	bool can = run_filtered(true, allows_work) != 2;

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		ok(!can || run_filtered(true, checks[i].check) == 0, "%s%s", checks[i].name,
		   can ? "" : " # SKIP no seccomp filters here");
	}
	ok(!can || run_filtered(false, other_threads_too) == 0,
	   "threads that were there before are filtered, too");
	ok(run_filtered(false, drops_capabilities) == 0, "capabilities that are not named are given up");
	return done_testing();
}
