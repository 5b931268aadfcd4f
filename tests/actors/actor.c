/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct actor_env actor_env;
void (*actor_before_exit)(void);
void *volatile actor_nowhere = (void *)8;

static void leave(int code)
{
	for (;;)
		syscall(SYS_exit_group, code);
}

void actor_stay(void)
{
	usleep(500000);
}

void actor_exit(int code)
{
	struct fact fact;

	if (actor_before_exit)
		actor_before_exit();
	facts_begin(&fact, "exit_group");
	facts_number(&fact, "code", code);
	facts_end(&fact);
	leave(code);
	__builtin_unreachable();
}

void actor_must(bool condition, const char *what)
{
	struct fact fact;
	int error = errno;

	if (condition)
		return;

	facts_begin(&fact, "broken");
	facts_string(&fact, "what", what);
	facts_string(&fact, "error", strerror(error));
	facts_end(&fact);
	leave(ACTOR_STATUS_BROKEN);
}

void actor_skip(const char *reason)
{
	struct fact fact;

	facts_begin(&fact, "skip");
	facts_string(&fact, "reason", reason);
	facts_end(&fact);
	leave(0);
	__builtin_unreachable();
}

void actor_started(uint64_t flags)
{
	struct fact fact;

	facts_begin(&fact, "clone");
	facts_number(&fact, "flags", (long long)flags);
	facts_number(&fact, "start_ticks", (long long)actor_start_ticks());
	facts_end(&fact);
}

pid_t actor_clone(unsigned long flags)
{
	/* The raw call: the C library's fork() adds flags of its own. */
	pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);

	actor_must(pid >= 0, "clone");
	if (pid == 0)
		actor_started(flags);
	return pid;
}

pid_t actor_fork(void)
{
	return actor_clone(SIGCHLD);
}

void actor_wait(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	actor_must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child ends with status 0");
}

const char *actor_path(char *buf, const char *name)
{
	buf[0] = 0;
	if (name[0] != '/' && getcwd(buf, PATH_MAX))
		strcat(buf, "/");
	strncat(buf, name, PATH_MAX - strlen(buf) - 1);
	return buf;
}

static void state_path(const char *op, const char *path, const char *written_by)
{
	char absolute[PATH_MAX];
	struct fact fact;

	facts_begin(&fact, op);
	facts_string(&fact, "path", actor_path(absolute, path));
	if (written_by)
		facts_string(&fact, "written_by", written_by);
	facts_end(&fact);
}

void actor_submit_aio(int fd, unsigned command, void *data, size_t len)
{
	struct iocb request = {.aio_fildes = (unsigned)fd,
			       .aio_lio_opcode = (uint16_t)command,
			       .aio_buf = (uint64_t)(uintptr_t)data,
			       .aio_nbytes = len};
	struct iocb *requests[] = {&request};
	struct io_event event;
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, 1, &context) < 0)
		actor_skip("no aio in this kernel");
	actor_must(syscall(SYS_io_submit, context, 1, requests) == 1, "io_submit");
	actor_must(syscall(SYS_io_getevents, context, 1, 1, &event, NULL) == 1 && event.res == (int64_t)len,
		   "io_getevents");
	syscall(SYS_io_destroy, context);
}

void actor_fact_path(const char *op, const char *path)
{
	state_path(op, path, NULL);
}

void actor_fact_created(const char *path)
{
	state_path("create", path, NULL);
}

void actor_fact_closed(const char *path, const char *written_by)
{
	state_path("close", path, written_by);
}

void actor_fact_moved_nothing(const char *path, bool reading)
{
	char absolute[PATH_MAX];
	struct fact fact;

	facts_begin(&fact, "moved_nothing");
	facts_string(&fact, "path", actor_path(absolute, path));
	facts_bool(&fact, "reading", reading);
	facts_end(&fact);
}

static void state_unlink(const char *path, bool success)
{
	char absolute[PATH_MAX];
	struct fact fact;

	facts_begin(&fact, "unlink");
	facts_string(&fact, "path", actor_path(absolute, path));
	facts_bool(&fact, "success", success);
	facts_end(&fact);
}

void actor_fact_unlinked(const char *path)
{
	state_unlink(path, true);
}

void actor_fact_not_unlinked(const char *path)
{
	state_unlink(path, false);
}

void actor_fact_renamed(const char *old, const char *new)
{
	char absolute[PATH_MAX];
	struct fact fact;

	facts_begin(&fact, "rename");
	facts_string(&fact, "old", actor_path(absolute, old));
	facts_string(&fact, "new", actor_path(absolute, new));
	facts_end(&fact);
}

int actor_file_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0644);

	actor_must(fd >= 0, "create a file");
	actor_fact_created(path);
	return fd;
}

void actor_file_make(const char *path, const void *data, size_t len, unsigned mode)
{
	int fd = actor_file_open(path);

	actor_must(write(fd, data, len) == (ssize_t)len, "write a file");
	actor_must(fchmod(fd, mode) == 0, "chmod");
	close(fd);
	actor_fact_closed(path, "write");
}

void actor_fill(void *data, size_t len, unsigned seed)
{
	unsigned char *out = data;

	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)((i * i + seed) % (17 + seed));
}

unsigned long long actor_start_ticks(void)
{
	char text[1024] = "", *field;
	unsigned long long ticks = 0;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) > 0 && (field = strrchr(text, ')')))
		sscanf(field + 2,
		       "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
		       &ticks);
	close(fd);
	return ticks;
}
