/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hardened sensor on a terminal: Ctrl-C ends it, and neither the other keys nor another process does. */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEP_US = 50000, STEPS_MAX = 4000 }; /* 200 s */

/* On the other side of the terminal, and the first process of its session. */
static void run_on(const char *terminal, char **argv)
{
	setsid();
	int fd = open(terminal, O_RDWR);
	if (fd >= 0 && ioctl(fd, TIOCSCTTY, 0) == 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO)
		execv(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static bool has_line(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY);
	bool found = fd >= 0 && read(fd, &byte, 1) == 1;

	if (fd >= 0)
		close(fd);
	return found;
}

/* Whether both signals wait in vain. */
static bool are_pending(pid_t pid, int one, int other)
{
	char path[64], line[256];
	unsigned long long pending = 0, wanted = 1ULL << (one - 1) | 1ULL << (other - 1);

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "ShdPnd: %llx", &pending);
	if (file)
		fclose(file);
	return (pending & wanted) == wanted;
}

static bool await_start(const char *log)
{
	for (int i = 0; i < STEPS_MAX; i++, usleep(STEP_US))
		if (has_line(log))
			return true;
	return false;
}

static bool await_pending(pid_t pid, int one, int other)
{
	for (int i = 0; i < STEPS_MAX; i++, usleep(STEP_US))
		if (are_pending(pid, one, other))
			return true;
	return false;
}

/* Its exit status; -1: it does not end, or by a signal. */
static int await_end(pid_t pid)
{
	int status = 0;

	for (int i = 0; i < STEPS_MAX; i++, usleep(STEP_US))
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return -1;
}

static bool press(int terminal, const char *keys)
{
	return write(terminal, keys, strlen(keys)) == (ssize_t)strlen(keys);
}

int attack_terminal(const char *log, char **argv)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0) {
		perror("cannot make a terminal");
		return 1;
	}
	target.pid = fork();
	if (target.pid == 0)
		run_on(ptsname(terminal), argv);
	bool started = await_start(log);
	attack_report("signal.int");
	bool others = press(terminal, "\x1c\x1a") && await_pending(target.pid, SIGQUIT, SIGTSTP);
	bool pressed = press(terminal, "\x03");
	printf("{\"started\":%d,\"others\":%d,\"pressed\":%d,\"status\":%d}\n", started, others, pressed,
	       await_end(target.pid));
	return 0;
}
