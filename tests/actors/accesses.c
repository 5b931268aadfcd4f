/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * First reads and writes of files, by every call. The judge looks at the files of these cases only: every program reads
 * and writes others.
 */
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define ETC_DIRECTORY "/etc/security"
#define ETC_FILE      "/etc/hostname" /* nobody else reads it in these cases */

static char buffer[4096];

static void make(const char *path)
{
	actor_file_make(path, "1234567890", 10, 0600);
	actor_fact_path("write", path);
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	actor_must(fd >= 0, path);
	return fd;
}

static struct iovec *parts(void)
{
	static struct iovec iov[2] = {{buffer, 2}, {buffer + 2, 3}};

	return iov;
}

static void read_sendfile(int fd)
{
	int pipes[2];

	actor_must(pipe(pipes) == 0 && sendfile(pipes[1], fd, NULL, 5) == 5, "sendfile");
	close(pipes[0]);
	close(pipes[1]);
}

static void read_splice(int fd)
{
	int pipes[2];

	actor_must(pipe(pipes) == 0 && splice(fd, NULL, pipes[1], NULL, 5, 0) == 5, "splice");
	close(pipes[0]);
	close(pipes[1]);
}

static void read_aio(int fd)
{
	actor_submit_aio(fd, IOCB_CMD_PREAD, buffer, 5);
}

static void read_mapping(int fd)
{
	void *map = mmap(NULL, 10, PROT_READ, MAP_PRIVATE, fd, 0);

	actor_must(map != MAP_FAILED && munmap(map, 10) == 0, "mmap");
}

static void read_plain(int fd)
{
	actor_must(read(fd, buffer, 5) == 5, "read");
}

static void read_pread(int fd)
{
	actor_must(pread(fd, buffer, 5, 1) == 5, "pread");
}

static void read_readv(int fd)
{
	actor_must(readv(fd, parts(), 2) == 5, "readv");
}

static void read_preadv(int fd)
{
	actor_must(preadv(fd, parts(), 2, 1) == 5, "preadv");
}

static void read_preadv2(int fd)
{
	actor_must(syscall(SYS_preadv2, fd, parts(), 2, 1, 0, 0) == 5, "preadv2");
}

static const struct reader {
	const char *name;
	void (*read)(int fd);
} readers[] = {
	{"read", read_plain},    {"pread", read_pread},     {"readv", read_readv},
	{"preadv", read_preadv}, {"preadv2", read_preadv2}, {"sendfile", read_sendfile},
	{"splice", read_splice}, {"aio", read_aio},         {"mapping", read_mapping},
};

/* Twice is once. */
static void access_read(const struct actor_case *self)
{
	int fd;

	make("file");
	for (int i = 0; i < 2; i++) {
		fd = open_file("file", O_RDONLY);
		readers[self->a].read(fd);
		close(fd);
	}
	actor_fact_path("read", "file");
}

static void access_copy(const struct actor_case *self)
{
	int from, to;

	(void)self;
	make("file");
	from = open_file("file", O_RDONLY);
	to = actor_file_open("copy");
	if (copy_file_range(from, NULL, to, NULL, 5, 0) < 0)
		actor_skip("no copy_file_range on this file system");
	close(from);
	close(to);
	actor_fact_closed("copy", "copy_file_range");
	actor_fact_path("read", "file");
	actor_fact_path("write", "copy");
}

static void write_plain(int fd)
{
	actor_must(write(fd, buffer, 5) == 5, "write");
}

static void write_pwritev(int fd)
{
	actor_must(pwritev(fd, parts(), 2, 1) == 5, "pwritev");
}

static void write_truncate(int fd)
{
	actor_must(ftruncate(fd, 100) == 0, "ftruncate");
}

static void write_nothing(int fd)
{
	actor_must(write(fd, buffer, 0) == 0, "write nothing");
}

static const struct writer {
	const char *name;
	const char *written_by;
	int flags;
	void (*write)(int fd);
} writers[] = {
	{"write", "write", 0, write_plain},
	{"pwritev", "write", 0, write_pwritev},
	{"ftruncate", "truncate", 0, write_truncate},
	{"o_trunc", "truncate", O_TRUNC, write_nothing},
};

/* Another thread or process made it. */
static void make_by_child(const char *path)
{
	pid_t pid = actor_fork();

	if (pid == 0) {
		make(path);
		actor_exit(0);
	}
	actor_wait(pid);
}

static void access_write(const struct actor_case *self)
{
	const struct writer *w = &writers[self->a];

	make_by_child("file");
	for (int i = 0; i < 2; i++) {
		int fd = open_file("file", O_WRONLY | w->flags);
		w->write(fd);
		close(fd);
		actor_fact_closed("file", w->written_by);
	}
	actor_fact_path("write", "file");
}

static void access_truncate(const struct actor_case *self)
{
	(void)self;
	make_by_child("file");
	actor_must(truncate("./file", 5) == 0, "truncate");
	actor_fact_closed("file", "truncate");
	actor_fact_path("write", "file");
}

/* What gives no byte, or is no file of a disk. */
static void access_nothing(const struct actor_case *self)
{
	int fd = actor_file_open("empty");

	(void)self;
	actor_must(read(fd, buffer, 5) == 0 && write(fd, buffer, 0) == 0, "nothing");
	actor_must(read(fd, actor_nowhere, 5) <= 0 && write(fd, actor_nowhere, 5) < 0, "nowhere");
	close(fd);
	actor_fact_moved_nothing("empty", true);
	fd = open_file(".", O_RDONLY);
	actor_must(read(fd, buffer, 5) < 0, "a directory");
	close(fd);
}

/* A name each, and the same name for another file. */
static void access_names(const struct actor_case *self)
{
	(void)self;
	make("file");
	actor_must(link("file", "other") == 0, "link");
	read_plain(open_file("file", O_RDONLY));
	read_plain(open_file("other", O_RDONLY));
	actor_fact_path("read", "file");
	actor_fact_path("read", "other");
	actor_must(unlink("file") == 0 && unlink("other") == 0, "unlink");
	actor_fact_unlinked("file");
	actor_fact_unlinked("other");
	make("file");
	read_plain(open_file("file", O_RDONLY));
	actor_fact_path("read", "file");
}

/* Another process is told anew. */
static void access_processes(const struct actor_case *self)
{
	(void)self;
	make("file");
	for (int i = 0; i < 3; i++) {
		pid_t pid = actor_fork();

		if (pid == 0) {
			read_plain(open_file("file", O_RDONLY));
			actor_fact_path("read", "file");
			actor_exit(0);
		}
		actor_wait(pid);
	}
}

/* A file of its own below /etc, in a mount namespace of its own; links do not hide it. */
static void access_config(const struct actor_case *self)
{
	/* the last one is not the case's directory, whatever it looks like */
	static const char *const names[] = {ETC_FILE, "link/hostname", "below/../hostname"};
	struct fact fact;
	int fd;

	make("file");
	if (access(ETC_FILE, F_OK) < 0 || access(ETC_DIRECTORY, F_OK) < 0)
		actor_skip("no " ETC_FILE " or " ETC_DIRECTORY " here");
	if (unshare(CLONE_NEWNS) < 0)
		actor_skip("no mount namespaces here");
	facts_begin(&fact, "new_mount_namespace");
	facts_end(&fact);
	actor_must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	actor_must(mount("file", ETC_FILE, NULL, MS_BIND, NULL) == 0, "bind mount");
	actor_must(symlink("/etc/.", "link") == 0 && symlink(ETC_DIRECTORY, "below") == 0, "links");
	fd = open_file(names[self->a], O_RDWR);
	read_plain(fd);
	read_plain(fd);
	write_plain(fd);
	write_plain(fd);
	close(fd);
	actor_fact_path("read", ETC_FILE);
	actor_fact_path("write", ETC_FILE);
	actor_fact_closed(ETC_FILE, "write");
	actor_stay();
}

void actor_add_accesses(void)
{
	for (int i = 0; i < (int)(sizeof(readers) / sizeof(readers[0])); i++)
		actor_add(access_read, i, 0, 0, "access.read_%s", readers[i].name);
	actor_add(access_copy, 0, 0, 0, "access.copy_file_range");
	for (int i = 0; i < (int)(sizeof(writers) / sizeof(writers[0])); i++)
		actor_add(access_write, i, 0, 0, "access.write_%s", writers[i].name);
	actor_add(access_truncate, 0, 0, 0, "access.write_truncate");
	actor_add(access_nothing, 0, 0, 0, "access.nothing");
	actor_add(access_names, 0, 0, 0, "access.names");
	actor_add(access_processes, 0, 0, 0, "access.processes");
	actor_add(access_config, 0, 0, 0, "access.config");
	actor_add(access_config, 1, 0, 0, "access.config_through_link");
	actor_add(access_config, 2, 0, 0, "access.config_above_link");
}
