/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files and directories that are opened by handle, without a name. */
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONTENT = 10 };

struct handle {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
};

/* What is at that name, below the working directory. */
static int open_handle(const char *path, int flags)
{
	struct handle handle = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
	int mount_id, fd, dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (name_to_handle_at(AT_FDCWD, path, &handle.head, &mount_id, 0) < 0)
		actor_skip("no file handles on this file system");
	fd = open_by_handle_at(dir, &handle.head, flags | O_CLOEXEC);
	if (fd < 0 && errno == EPERM)
		actor_skip("no opening by handle here");
	actor_must(dir >= 0 && fd >= 0, path);
	close(dir);
	return fd;
}

/* a: flags of the open */
static void write_by_handle(const struct actor_case *self)
{
	int fd;

	actor_file_make("file", "1234567890", CONTENT, 0600);
	fd = open_handle("file", O_WRONLY | self->a);
	actor_must(self->a || write(fd, "12345", 5) == 5, "write");
	close(fd);
	actor_fact_closed("file", self->a ? "truncate" : "write");
}

static void create_by_handle(const struct actor_case *self)
{
	int dir, fd;

	(void)self;
	actor_must(mkdir("dir", 0755) == 0, "mkdir");
	dir = open_handle("dir", O_RDONLY | O_DIRECTORY);
	fd = openat(dir, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	actor_must(fd >= 0 && write(fd, "12345", 5) == 5, "create a file");
	actor_fact_created("dir/file");
	close(fd);
	actor_fact_closed("dir/file", "write");
}

static void access_by_handle(const struct actor_case *self)
{
	char data[CONTENT];
	pid_t pid;
	int fd;

	actor_file_make("file", "1234567890", CONTENT, 0600);
	actor_fact_path("write", "file");
	pid = actor_fork();
	if (pid == 0) {
		fd = open_handle("file", O_RDWR | self->a);
		actor_must(self->a || read(fd, data, CONTENT) == CONTENT, "read");
		actor_must(pwrite(fd, "1", 1, 0) == 1, "write");
		close(fd);
		if (!self->a)
			actor_fact_path("read", "file");
		actor_fact_path("write", "file");
		actor_fact_closed("file", self->a ? "truncate" : "write");
		actor_exit(0);
	}
	actor_wait(pid);
}

void actor_add_handles(void)
{
	actor_add(write_by_handle, 0, 0, 0, "handle.written");
	actor_add(write_by_handle, O_TRUNC, 0, 0, "handle.truncated");
	actor_add(create_by_handle, 0, 0, 0, "handle.created");
	actor_add(access_by_handle, 0, 0, 0, "access.handle");
	actor_add(access_by_handle, O_TRUNC, 0, 0, "access.handle_truncated");
}
