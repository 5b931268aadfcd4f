/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sink/rotating.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sink/directory.h"

#define SECOND      UINT64_C(1000000000)
#define CHECK_EVERY SECOND
#define RETRY_AFTER (60 * SECOND)

static uint64_t system_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* When the file was made; file systems that do not know tell when it was written last. */
static uint64_t birth_of(int fd, uint64_t now)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &st) < 0)
		return now;
	const struct statx_timestamp *t = st.stx_mask & STATX_BTIME ? &st.stx_btime : &st.stx_mtime;
	return (uint64_t)t->tv_sec * SECOND + t->tv_nsec;
}

static bool ends_within_line(int fd, uint64_t size)
{
	char last = '\n';

	return size && pread(fd, &last, 1, (off_t)size - 1) == 1 && last != '\n';
}

/* For reading, too: a sensor that was killed can have left half a line. */
static int open_file(struct rotating *r)
{
	struct stat st;
	uint64_t now = r->options.now();

	int fd = open(r->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	int err = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
	if (err) {
		close(fd);
		return err;
	}
	r->fd = fd;
	r->size = (uint64_t)st.st_size;
	r->born = r->size ? birth_of(fd, now) : now;
	r->checked = now;
	r->moved = false;
	r->partial_line = ends_within_line(fd, r->size);
	return 0;
}

static void close_file(struct rotating *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

/* Renaming a symbolic link would leave the file growing behind it. */
static int resolve(const char *path, char **ret)
{
	char *resolved = realpath(path, NULL);

	if (!resolved && errno == ENOENT)
		resolved = strdup(path);
	if (!resolved)
		return -errno;
	*ret = resolved;
	return 0;
}

int rotating_open(struct rotating *ret, const struct rotating_options *options)
{
	*ret = (struct rotating){.options = *options, .fd = -1};
	if (!ret->options.now)
		ret->options.now = system_now;
	int err = directory_make(options->path);
	if (!err)
		err = resolve(options->path, &ret->path);
	if (!err)
		err = open_file(ret);
	if (!err)
		err = archives_open(ret->path, &ret->archives);
	if (err)
		rotating_close(ret);
	return err;
}

void rotating_close(struct rotating *r)
{
	close_file(r);
	archives_close(r->archives);
	r->archives = NULL;
	free(r->path);
	r->path = NULL;
}

void rotating_reopen(struct rotating *r)
{
	r->reopen = true;
}

/* 1: the name is that of our file; 0: of another one; -ENOENT: of none. */
static int is_ours(const struct rotating *r)
{
	struct stat named, open;

	if (fstat(r->fd, &open) < 0 || lstat(r->path, &named) < 0)
		return -errno;
	return named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

static bool is_deleted(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

/*
 * A file that was deleted is made anew at once, so that nothing is written into the void. One that was renamed gets time:
 * logrotate is about to make the new one, and to send SIGUSR1. Without that it is followed at the second look.
 */
static void check_name(struct rotating *r, uint64_t now)
{
	if (now - r->checked < CHECK_EVERY && now >= r->checked)
		return;
	r->checked = now;
	int ours = is_ours(r);
	if (ours == 1 || (ours < 0 && ours != -ENOENT)) {
		r->moved = false;
		return;
	}
	if (r->moved || is_deleted(r->fd))
		close_file(r);
	else
		r->moved = true;
}

static bool is_due(const struct rotating *r, uint64_t now)
{
	if (r->size == 0 || now < r->retry)
		return false;
	if (r->options.rotate_size && r->size >= r->options.rotate_size)
		return true;
	return r->options.max_age && now > r->born && now - r->born >= r->options.max_age;
}

/* A file that cannot be moved goes on growing: better than losing lines. */
static void rotate(struct rotating *r, uint64_t now)
{
	int ours = is_ours(r);
	int err = ours == 1 ? archives_add(r->archives, r->size) : ours < 0 && ours != -ENOENT ? ours : 0;

	if (err) {
		r->rotation_failures++;
		r->retry = now + RETRY_AFTER;
		return;
	}
	if (ours == 1)
		r->rotations++;
	r->retry = 0;
	close_file(r);
}

/* A file to write the next line to. */
static int prepare(struct rotating *r)
{
	uint64_t now = r->options.now();

	if (atomic_exchange(&r->reopen, false))
		close_file(r);
	if (r->fd >= 0)
		check_name(r, now);
	if (r->fd >= 0 && !r->partial_line && is_due(r, now))
		rotate(r, now);
	return r->fd >= 0 ? 0 : open_file(r);
}

void rotating_tend(struct rotating *r)
{
	if (r->reopen)
		prepare(r);
}

/* How many bytes go to this file: up to the line that makes it large enough. */
static size_t share_of(const struct rotating *r, const char *lines, size_t len)
{
	if (!r->options.rotate_size || r->options.rotate_size <= r->size)
		/* it should be rotated but cannot be */
		return len;
	uint64_t room = r->options.rotate_size - r->size;
	if (room > len)
		return len;
	const char *end = memchr(lines + room - 1, '\n', len - room + 1);
	return end ? (size_t)(end - lines) + 1 : len;
}

/* The disk was full within a line: the file ends with the line before, or its reader would see half a one. */
static void take_back(struct rotating *r, size_t cut)
{
	struct stat st;

	if (fstat(r->fd, &st) == 0 && st.st_size >= (off_t)cut &&
	    ftruncate(r->fd, st.st_size - (off_t)cut) == 0)
		r->size -= cut < r->size ? cut : r->size;
	else
		r->partial_line = true;
}

static int write_some(struct rotating *r, const char *bytes, size_t len, size_t *ret_done)
{
	size_t done = 0;
	int err = 0;

	while (done < len && !err) {
		ssize_t n = write(r->fd, bytes + done, len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			err = n == 0 ? -ENOSPC : -errno;
	}
	r->size += done;
	*ret_done = done;
	return err;
}

static int append(struct rotating *r, const char *lines, size_t len, size_t *ret_done)
{
	size_t done;

	*ret_done = 0;
	if (r->partial_line) {
		int err = write_some(r, "\n", 1, &done);
		if (err)
			return err;
		r->partial_line = false;
	}
	int err = write_some(r, lines, len, &done);
	const char *last = done ? memrchr(lines, '\n', done) : NULL;
	size_t whole = last ? (size_t)(last - lines) + 1 : 0;
	if (whole < done)
		take_back(r, done - whole);
	*ret_done = whole;
	return err;
}

int rotating_write(struct rotating *r, const char *lines, size_t len, size_t *ret_done)
{
	*ret_done = 0;
	while (*ret_done < len) {
		size_t done;
		int err = prepare(r);
		if (err)
			return err;
		const char *rest = lines + *ret_done;
		size_t share = share_of(r, rest, len - *ret_done);
		if (r->options.max_total)
			archives_trim(r->archives, r->options.max_total > r->size + share
							   ? r->options.max_total - r->size - share
							   : 1);
		err = append(r, rest, share, &done);
		*ret_done += done;
		if (err)
			return err;
	}
	return 0;
}
