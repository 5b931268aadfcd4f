/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

#define PID_FILE RUN_DIRECTORY "/kunai.pid"

static pid_t read_pid(int fd)
{
	char text[16] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	return n > 0 ? atoi(text) : 0;
}

int pid_file_lock(int *ret_fd, pid_t *ret_other)
{
	char text[16];

	if (mkdir(RUN_DIRECTORY, 0700) < 0 && errno != EEXIST)
		log_warn("cannot make " RUN_DIRECTORY ": %s", strerror(errno));
	int fd = open(PID_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0700);
	*ret_fd = fd;
	if (fd < 0) {
		log_warn("cannot write " PID_FILE ": %s", strerror(errno));
		return 0;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		*ret_other = read_pid(fd);
		return -EWOULDBLOCK;
	}
	int n = snprintf(text, sizeof(text), "%d", getpid());
	if (ftruncate(fd, 0) < 0 || write(fd, text, (size_t)n) != n)
		log_warn("cannot write " PID_FILE ": %s", strerror(errno));
	return 0;
}

void pid_file_remove(void)
{
	unlink(PID_FILE);
}

/*
 * /proc/locks names the process that took a lock and the file's inode: proc(5). The device is left out, since some file
 * systems show another one in stat(2).
 */
static bool holds_lock(pid_t pid, uint64_t inode)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256];
	bool found = false;

	while (locks && !found && fgets(line, sizeof(line), locks)) {
		uint64_t its_inode;
		int its_pid;
		found = sscanf(line, "%*d: FLOCK %*s WRITE %d %*x:%*x:%" SCNu64, &its_pid, &its_inode) == 2 &&
			its_pid == pid && its_inode == inode;
	}
	if (locks)
		fclose(locks);
	return found;
}

static int open_holder(int fd, pid_t *ret_pid)
{
	struct stat st;
	pid_t pid = read_pid(fd);

	if (flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return -ESRCH;
	if (fstat(fd, &st) < 0)
		return -errno;
	int process = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (process < 0)
		return -EBADMSG;
	/* asked now, so that the descriptor is certain to be the holder's and not of a process that has its number since */
	if (!holds_lock(pid, st.st_ino)) {
		close(process);
		return -EBADMSG;
	}
	*ret_pid = pid;
	return process;
}

int pid_file_open_holder(pid_t *ret_pid)
{
	int fd = open(PID_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	int process = open_holder(fd, ret_pid);
	close(fd);
	return process;
}
