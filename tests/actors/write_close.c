/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every way of writing times every way of closing, then what must not be reported, then many files at once. */
#include "closers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum {
	CONTENT_SIZE = 8192,
	MANY_FILES = 509, /* more than one bitmap word, less than the usual limit of open files */
};

struct writer {
	const char *name;
	const char *written_by; /* the sensor's word for it */
	int open_flags;
	void (*write)(struct target *target);
	bool is_rare; /* tried with one way of closing only */
};

static void write_write(struct target *target)
{
	actor_must(write(target->fd, "12345", 5) == 5, "write");
}

static void write_pwrite(struct target *target)
{
	actor_must(pwrite(target->fd, "12345", 5, 100) == 5, "pwrite");
}

static struct iovec *two_parts(void)
{
	static struct iovec iov[2] = {{(char *)"12", 2}, {(char *)"345", 3}};

	return iov;
}

static void write_writev(struct target *target)
{
	actor_must(writev(target->fd, two_parts(), 2) == 5, "writev");
}

static void write_pwritev(struct target *target)
{
	actor_must(pwritev(target->fd, two_parts(), 2, 100) == 5, "pwritev");
}

static void write_pwritev2(struct target *target)
{
	actor_must(syscall(SYS_pwritev2, target->fd, two_parts(), 2, 100, 0, 0) == 5, "pwritev2");
}

static void write_sendfile(struct target *target)
{
	int from = open("source", O_RDONLY);

	actor_must(from >= 0 && sendfile(target->fd, from, NULL, 4096) == 4096, "sendfile");
	close(from);
}

static void write_splice(struct target *target)
{
	int pipes[2];

	actor_must(pipe(pipes) == 0 && write(pipes[1], "12345", 5) == 5, "pipe");
	actor_must(splice(pipes[0], NULL, target->fd, NULL, 5, 0) == 5, "splice");
	close(pipes[0]);
	close(pipes[1]);
}

static void write_copy_file_range(struct target *target)
{
	int from = open("source", O_RDONLY);
	ssize_t copied = copy_file_range(from, NULL, target->fd, NULL, 4096, 0);

	if (copied < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EXDEV || errno == EINVAL))
		actor_skip("no copy_file_range on this file system");
	actor_must(copied == 4096, "copy_file_range");
	close(from);
}

static void write_ftruncate(struct target *target)
{
	actor_must(ftruncate(target->fd, 5000) == 0, "ftruncate");
}

static void write_fallocate(struct target *target)
{
	if (fallocate(target->fd, 0, 0, 3 * CONTENT_SIZE) < 0) {
		if (errno == EOPNOTSUPP)
			actor_skip("no fallocate on this file system");
		actor_must(false, "fallocate");
	}
}

static void write_nothing_more(struct target *target)
{
	(void)target; /* O_TRUNC did it */
}

static void write_reflink(struct target *target)
{
	int from = open("source", O_RDONLY);

	if (ioctl(target->fd, FICLONE, from) < 0)
		actor_skip("no FICLONE on this file system");
	close(from);
}

static void write_aio(struct target *target)
{
	char data[] = "12345";

	actor_submit_aio(target->fd, IOCB_CMD_PWRITE, data, 5);
}

/* The clock of file systems is coarse, so a store shows in mtime only if that lies well back. */
static void age(int fd)
{
	const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

	actor_must(futimens(fd, old) == 0, "futimens");
}

/* What tells whether a store through a mapping can be seen at all: some file systems keep mtime. */
static bool is_aged(const char *path)
{
	struct stat stat;

	actor_must(lstat(path, &stat) == 0, "stat");
	return stat.st_mtim.tv_sec == 1000000000;
}

static char *map_shared(int fd)
{
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	actor_must(map != MAP_FAILED, "mmap");
	return map;
}

static void write_mapping(struct target *target)
{
	char *map;

	age(target->fd);
	map = map_shared(target->fd);
	map[7]++;
	munmap(map, 4096);
	target->unseen = is_aged(target->path);
}

static const struct writer writers[] = {
	{"write", "write", 0, write_write, false},
	{"pwrite", "write", 0, write_pwrite, false},
	{"writev", "write", 0, write_writev, false},
	{"pwritev", "write", 0, write_pwritev, false},
	{"pwritev2", "write", 0, write_pwritev2, false},
	{"sendfile", "sendfile", 0, write_sendfile, false},
	{"splice", "splice", 0, write_splice, false},
	{"copy_file_range", "copy_file_range", 0, write_copy_file_range, false},
	{"ftruncate", "truncate", 0, write_ftruncate, false},
	{"fallocate", "fallocate", 0, write_fallocate, false},
	{"o_trunc", "truncate", O_TRUNC, write_nothing_more, false},
	{"mapping", "mmap", 0, write_mapping, false},
	{"reflink", "reflink", 0, write_reflink, true},
	{"aio", "aio", 0, write_aio, true},
};

static void make_content(const char *path, unsigned seed)
{
	char data[CONTENT_SIZE];

	actor_fill(data, sizeof(data), seed);
	actor_file_make(path, data, sizeof(data), 0644);
}

static int open_target(const char *path, int flags)
{
	int fd = open(path, O_RDWR | flags);

	actor_must(fd >= 0, "open a file");
	return fd;
}

static void reap(pid_t pid)
{
	int status = 0;

	actor_must(waitpid(pid, &status, 0) == pid, "waitpid");
	actor_must(!WIFEXITED(status) || WEXITSTATUS(status) != ACTOR_STATUS_BROKEN, "the child's part");
}

static void close_written(const struct actor_case *self)
{
	const struct writer *writer = &writers[self->a];
	struct target target = {.path = "target", .written_by = writer->written_by};
	pid_t pid;

	make_content("source", 1);
	make_content("target", 2);
	pid = actor_fork();
	if (pid == 0) {
		target.fd = open_target("target", writer->open_flags);
		writer->write(&target);
		closers[self->b].close(&target);
		actor_exit(0);
	}
	reap(pid);
}

/* The same closes of a file that was only opened for writing: no event. */
static void close_unwritten(const struct actor_case *self)
{
	struct target target = {.path = "target"};
	pid_t pid;

	make_content("target", 2);
	pid = actor_fork();
	if (pid == 0) {
		target.fd = open_target("target", 0);
		closers[self->b].close(&target);
		actor_exit(0);
	}
	reap(pid);
}

enum late { LATE_MUNMAP, LATE_EXIT, LATE_SIGKILL };

/* The file is closed long before the store, the mapping has the last reference. */
static void mapping_late(const struct actor_case *self)
{
	struct target target = {.path = "target", .written_by = "mmap"};
	pid_t pid;

	make_content("target", 2);
	pid = actor_fork();
	if (pid == 0) {
		char *map;

		target.fd = open_target("target", 0);
		age(target.fd);
		map = map_shared(target.fd);
		close(target.fd);
		map[7]++;
		target.unseen = is_aged("target");
		if (self->a == LATE_MUNMAP)
			munmap(map, 4096);
		closers_state(&target);
		if (self->a == LATE_SIGKILL)
			actor_kill(getpid(), SIGKILL);
		actor_exit(0);
	}
	reap(pid);
}

/* A writable mapping that is never stored to. */
static void mapping_unwritten(const struct actor_case *self)
{
	char data[4096];
	int fd;
	char *map;

	(void)self;
	make_content("target", 2);
	fd = open_target("target", 0);
	map = map_shared(fd);
	actor_fill(data, sizeof(data), 2);
	actor_must(memcmp(map, data, sizeof(data)) == 0, "read");
	munmap(map, 4096);
	close(fd);
}

static void no_effect(const struct actor_case *self)
{
	int fd, pipes[2];

	(void)self;
	make_content("target", 2);
	fd = open_target("target", 0);
	actor_must(write(fd, "", 0) == 0, "write nothing");
	actor_must(write(fd, actor_nowhere, 10) < 0, "write from nowhere");
	close(fd);
	actor_fact_moved_nothing("target", false);

	fd = open("target", O_RDONLY);
	actor_must(fd >= 0 && write(fd, "x", 1) < 0, "write to a read-only descriptor");
	close(fd);

	fd = open("/dev/null", O_WRONLY);
	actor_must(fd >= 0 && write(fd, "x", 1) == 1, "write to a device");
	close(fd);

	actor_must(pipe(pipes) == 0 && write(pipes[1], "x", 1) == 1, "write to a pipe");
	close(pipes[0]);
	close(pipes[1]);
}

/* There was nothing to truncate. */
static void truncated_empty(const struct actor_case *self)
{
	struct target target = {.path = "empty", .written_by = "truncate"};

	/* one event too many, as docs/tiers.md says: nothing tells the size that the file had before */
	(void)self;
	close(actor_file_open("empty"));
	target.fd = open("empty", O_WRONLY | O_TRUNC);
	closers[0].close(&target);
}

/* Three rounds of two descriptors, one written and one not: three events. */
static void reopened(const struct actor_case *self)
{
	struct target target = {.path = "target", .written_by = "write"};

	(void)self;
	make_content("target", 2);
	for (int round = 0; round < 3; round++) {
		int reader = open("target", O_RDONLY);

		target.fd = open_target("target", 0);
		write_write(&target);
		write_write(&target);
		closers[0].close(&target);
		close(reader);
	}
}

static void truncate_path(const struct actor_case *self)
{
	char path[PATH_MAX];

	make_content("target", 2);
	actor_must(truncate(self->a ? actor_path(path, "target") : "target", 100) == 0, "truncate");
	actor_fact_closed("target", "truncate");
	actor_must(truncate("missing", 100) < 0, "truncate of nothing fails");
}

static void renamed(const struct actor_case *self)
{
	struct target target = {.path = "renamed", .written_by = "write"};

	(void)self;
	make_content("target", 2);
	target.fd = open_target("target", 0);
	write_write(&target);
	actor_must(rename("target", "renamed") == 0, "rename");
	actor_fact_renamed("target", "renamed");
	closers[0].close(&target);
}

static void deleted(const struct actor_case *self)
{
	struct target target = {.path = "target", .written_by = "write"};

	(void)self;
	make_content("target", 2);
	target.fd = open_target("target", 0);
	write_write(&target);
	actor_must(unlink("target") == 0, "unlink");
	actor_fact_unlinked("target");
	closers[0].close(&target);
}

static void open_many(int *ret_first)
{
	struct rlimit limit;

	actor_must(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 300 + MANY_FILES,
		   "many open files");
	*ret_first = 300;
	for (int i = 0; i < MANY_FILES; i++) {
		char name[32] = "f";
		int fd;

		for (int digit = 1, rest = i; digit < 4; digit++, rest /= 10)
			name[digit] = (char)('0' + rest % 10);
		fd = actor_file_open(name);
		actor_must(write(fd, name, 4) == 4 && dup3(fd, 300 + i, O_CLOEXEC) == 300 + i,
			   "write a file");
		close(fd);
	}
}

static void state_many(bool during_exec)
{
	struct fact fact;
	char path[PATH_MAX];

	facts_begin(&fact, "close_many");
	facts_string(&fact, "dir", actor_path(path, "f"));
	facts_number(&fact, "count", MANY_FILES);
	facts_bool(&fact, "during_exec", during_exec);
	facts_end(&fact);
}

enum many { MANY_CLOSE_RANGE, MANY_EXIT, MANY_SIGKILL, MANY_EXEC };

static void many(const struct actor_case *self)
{
	int first;
	pid_t pid = actor_fork();

	if (pid == 0) {
		open_many(&first);
		state_many(self->a == MANY_EXEC);
		if (self->a == MANY_CLOSE_RANGE && syscall(SYS_close_range, first, ~0U, 0) < 0)
			actor_skip("no close_range here");
		if (self->a == MANY_SIGKILL)
			actor_kill(getpid(), SIGKILL);
		if (self->a == MANY_EXEC)
			actor_execute(actor_program());
		actor_exit(0);
	}
	reap(pid);
}

void actor_add_write_close(void)
{
	for (int w = 0; w < (int)(sizeof(writers) / sizeof(writers[0])); w++)
		for (int c = 0; c < (writers[w].is_rare ? 1 : closers_count); c++)
			actor_add(close_written, w, c, 0, "write_close.%s.%s", writers[w].name,
				  closers[c].name);
	for (int c = 0; c < closers_count; c++)
		actor_add(close_unwritten, 0, c, 0, "write_close.nothing.%s", closers[c].name);
	actor_add(mapping_late, LATE_MUNMAP, 0, 0, "write_close.late_mapping.munmap");
	actor_add(mapping_late, LATE_EXIT, 0, 0, "write_close.late_mapping.exit");
	actor_add(mapping_late, LATE_SIGKILL, 0, 0, "write_close.late_mapping.sigkill");
	actor_add(mapping_unwritten, 0, 0, 0, "write_close.unwritten_mapping");
	actor_add(no_effect, 0, 0, 0, "write_close.no_effect");
	actor_add(truncated_empty, 0, 0, 0, "write_close.o_trunc_of_empty");
	actor_add(reopened, 0, 0, 0, "write_close.reopened");
	actor_add(truncate_path, 0, 0, 0, "write_close.truncate_relative");
	actor_add(truncate_path, 1, 0, 0, "write_close.truncate_absolute");
	actor_add(renamed, 0, 0, 0, "write_close.renamed");
	actor_add(deleted, 0, 0, 0, "write_close.deleted");
	actor_add(many, MANY_CLOSE_RANGE, 0, 0, "write_close.many.close_range");
	actor_add(many, MANY_EXIT, 0, 0, "write_close.many.exit");
	actor_add(many, MANY_SIGKILL, 0, 0, "write_close.many.sigkill");
	actor_add(many, MANY_EXEC, 0, 0, "write_close.many.exec");
}
