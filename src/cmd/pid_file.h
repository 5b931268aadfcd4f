/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pid file: who holds its lock is the sensor of this host. The descriptor is the caller's. */
#ifndef KUNAI_CMD_PID_FILE_H
#define KUNAI_CMD_PID_FILE_H

#include <sys/types.h>

#define RUN_DIRECTORY_DEFAULT "/run/kunai"

enum { RUN_PATH_MAX = 256 };

/* Where the pid file and all that stands beside it is. Before anything else asks; -ENAMETOOLONG or -EINVAL. */
int run_directory_set(const char *path);
const char *run_directory(void);

/* The path of a file in it. */
struct run_path {
	char text[RUN_PATH_MAX];
};
struct run_path run_path_of(const char *name);

/*
 * Locks the pid file for as long as *ret_fd is open: a file that was left behind, or whose number is another process by
 * now, does not keep a sensor from starting. -EWOULDBLOCK when another one runs, and then its pid. Without the file, for
 * whatever reason, the sensor runs nevertheless: it is logged, and *ret_fd is -1.
 */
int pid_file_lock(int *ret_fd, pid_t *ret_other);
void pid_file_remove(void);

/*
 * A pidfd of the process that holds the lock. -ESRCH when no sensor runs; -errno when the file cannot be read; -EBADMSG
 * when the lock is not held by the process whose number is in the file.
 */
int pid_file_open_holder(pid_t *ret_pid);

#endif
