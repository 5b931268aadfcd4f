/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/end_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { START_TIME_FIELD = 22 }; /* of /proc/<pid>/stat: proc(5) */

/* Clock ticks since boot, or 0. */
static uint64_t start_ticks(int pid)
{
	char path[32], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* the name may hold anything, so fields are counted from its last parenthesis */
	const char *at = strrchr(text, ')');
	for (int field = 2; at && field < START_TIME_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

int end_process(int tgid, uint64_t start_ns)
{
	uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
	int fd = (int)syscall(SYS_pidfd_open, tgid, 0);
	if (fd < 0)
		return -errno;
	/* the descriptor holds whoever has the number now: is that the one? */
	int err = start_ticks(tgid) == start_ns / tick_ns ? 0 : -ESRCH;
	if (!err && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0)
		err = -errno;
	close(fd);
	return err;
}
