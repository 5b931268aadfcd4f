/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/helper.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/thread.h"

enum { NOBODY = 65534 };

/* The kernel takes all capabilities from a process that is root no more. */
static int become_nobody(void)
{
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return -errno;
	return 0;
}

/* Once and for all: PR_SET_NO_NEW_PRIVS. Nobody may look into it with ptrace(2) either. */
static int drop_privileges(uint64_t capabilities)
{
	int err = capabilities ? 0 : become_nobody();

	if (!err)
		err = thread_keep_capabilities(capabilities);
	if (!err && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		err = -errno;
	return err;
}

/* The descriptors of the sensor, its lock among them, are not the helper's. */
static void close_others(int fd)
{
	struct rlimit limit = {.rlim_cur = 0};

	if (dup2(fd, HELPER_FD) < 0)
		_exit(1);
	if (syscall(SYS_close_range, HELPER_FD + 1, ~0u, 0) == 0)
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	for (int other = HELPER_FD + 1; other < (int)limit.rlim_cur; other++)
		close(other);
}

/* It ends with the sensor, not by the signals that a terminal sends to both. */
static void block_signals(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGPIPE);
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

static void run_helper(const char *name, uint64_t capabilities, int fd, pid_t parent, void (*serve)(int fd))
{
	prctl(PR_SET_NAME, name);
	block_signals();
	close_others(fd);
	if (drop_privileges(capabilities) < 0)
		_exit(1);
	/* after that, since a change of identity unsets it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		serve(HELPER_FD);
	_exit(0);
}

int helper_open(const char *name, uint64_t capabilities, void (*serve)(int fd), struct helper *ret)
{
	int fds[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0)
		run_helper(name, capabilities, fds[1], parent, serve);
	int err = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (err) {
		close(fds[0]);
		return err;
	}
	*ret = (struct helper){fds[0], pid};
	return 0;
}

void helper_close(struct helper *h)
{
	if (h->pid <= 0)
		return;
	close(h->fd);
	kill(h->pid, SIGKILL);
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*h = (struct helper){-1, 0};
}
