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

#include "cmd/cmd.h"

#define PID_FILE run_path_of("kunai.pid").text

enum { NAME_ROOM = 32 }; /* of the files in it */

static char directory[RUN_PATH_MAX - NAME_ROOM] = RUN_DIRECTORY_DEFAULT;

int run_directory_set(const char *path)
{
	if (path[0] != '/')
		return -EINVAL;
	if (strlen(path) >= sizeof(directory))
		return -ENAMETOOLONG;
	strcpy(directory, path);
	return 0;
}

const char *run_directory(void)
{
	return directory;
}

struct run_path run_path_of(const char *name)
{
	struct run_path path;

	snprintf(path.text, sizeof(path.text), "%s/%.*s", directory, NAME_ROOM - 2, name);
	return path;
}

static pid_t read_pid(int fd)
{
	char text[16] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	return n > 0 ? atoi(text) : 0;
}

int cmd_use_run_directory(const struct cmd_context *ctx, const struct config_option *option)
{
	const struct cmd_value *value = cmd_find_value(ctx, option);

	if (value && run_directory_set(value->text) < 0)
		return cmd_fail_usage("option '--run-dir': expected an absolute path of less than %zu bytes",
				      sizeof(directory));
	return 0;
}

int pid_file_lock(int *ret_fd, pid_t *ret_other)
{
	char text[16];

	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		log_warn("cannot make %s: %s", directory, strerror(errno));
	int fd = open(PID_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0700);
	*ret_fd = fd;
	if (fd < 0) {
		log_warn("cannot write %s: %s", PID_FILE, strerror(errno));
		return 0;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		*ret_other = read_pid(fd);
		return -EWOULDBLOCK;
	}
	int n = snprintf(text, sizeof(text), "%d", getpid());
	if (ftruncate(fd, 0) < 0 || write(fd, text, (size_t)n) != n)
		log_warn("cannot write %s: %s", PID_FILE, strerror(errno));
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
