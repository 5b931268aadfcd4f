/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { BLOCK = 64 << 10, TRIES = 16 };

static void give_line(struct log_reader *r, const char *p, size_t len)
{
	while (len && *p == '\0')
		p++, len--;
	while (len && p[len - 1] == '\0')
		len--;
	if (len && !r->done && !r->line(r->context, (struct str){p, (uint32_t)len}))
		r->done = true;
}

static void keep_partial(struct log_reader *r, const char *p, size_t len)
{
	if (r->skipping)
		return;
	buf_add(&r->partial, p, len);
	if (r->partial.len <= LOG_LINE_MAX && !r->partial.failed)
		return;
	r->too_long++;
	r->skipping = true;
	buf_reset(&r->partial);
}

static void end_line(struct log_reader *r)
{
	if (r->partial.len && !r->skipping)
		give_line(r, r->partial.p, r->partial.len);
	buf_reset(&r->partial);
	r->skipping = false;
}

static void take_bytes(struct log_reader *r, const char *p, size_t len)
{
	for (const char *end; len && (end = memchr(p, '\n', len));) {
		size_t n = (size_t)(end - p);
		if (r->partial.len || r->skipping) {
			keep_partial(r, p, n);
			end_line(r);
		} else {
			give_line(r, p, n);
		}
		p += n + 1;
		len -= n + 1;
	}
	if (len)
		keep_partial(r, p, len);
}

static int open_regular(const char *path, struct stat *ret_st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	int err = fstat(fd, ret_st) < 0 ? -errno : S_ISREG(ret_st->st_mode) ? 0 : -EINVAL;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* One that is being compressed has two names, one after the other. */
static int open_archive(const char *path, struct archive *archive, struct stat *ret_st)
{
	for (int i = 0; i < 2; i++) {
		char *name = archive_path(path, archive);
		int fd = name ? open_regular(name, ret_st) : -ENOMEM;
		free(name);
		if (fd != -ENOENT)
			return fd;
		archive->compressed = !archive->compressed;
	}
	return -ENOENT;
}

/* zlib reads plain files, too. */
static int read_archive(struct log_reader *r, int fd)
{
	char *block = malloc(BLOCK);
	gzFile file = gzdopen(fd, "rb");
	int n = 0, end = 0;

	if (!block || !file) {
		free(block);
		if (file)
			gzclose(file);
		else
			close(fd);
		return -ENOMEM;
	}
	while (!r->done && (n = gzread(file, block, BLOCK)) > 0)
		take_bytes(r, block, (size_t)n);
	gzerror(file, &end);
	bool damaged = !r->done && (n < 0 || end == Z_BUF_ERROR);
	gzclose(file);
	free(block);
	end_line(r);
	return damaged ? -EIO : 0;
}

static void take_archive(struct log_reader *r, struct archive archive)
{
	struct stat st;

	int fd = open_archive(r->path, &archive, &st);
	if (fd < 0) {
		r->unreadable++;
		return;
	}
	/* what is in it was there when it was written last */
	if ((uint64_t)st.st_mtim.tv_sec + 1 < r->since / 1000000000) {
		close(fd);
		return;
	}
	if (read_archive(r, fd) < 0)
		r->unreadable++;
}

/* A file and the archives that were there while it had its name: nothing between them is missing or twice there. */
static int open_file(struct log_reader *r, struct archive_list *ret_archives)
{
	for (int i = 0; i < TRIES; i++) {
		struct stat st, named;
		int fd = open_regular(r->path, &st);
		if (fd == -ENOENT) {
			usleep(1000); /* between its renaming and its making */
			continue;
		}
		if (fd < 0)
			return fd;
		int err = archive_list_read(r->path, ret_archives);
		if (!err && stat(r->path, &named) == 0 && named.st_ino == st.st_ino &&
		    named.st_dev == st.st_dev) {
			r->fd = fd;
			return 0;
		}
		archive_list_fini(ret_archives);
		close(fd);
		if (err)
			return err;
	}
	return -ENOENT;
}

static uint64_t newest_of(const struct archive_list *list)
{
	return list->count ? list->v[list->count - 1].index : 0;
}

int log_reader_open(struct log_reader *ret, const char *path, uint64_t since, log_line_fn line, void *context)
{
	struct archive_list archives;

	*ret = (struct log_reader){.path = path, .line = line, .context = context, .since = since, .fd = -1};
	int err = open_file(ret, &archives);
	if (err)
		return err;
	ret->last_index = newest_of(&archives);
	for (size_t i = 0; i < archives.count && !ret->done; i++)
		take_archive(ret, archives.v[i]);
	archive_list_fini(&archives);
	return 0;
}

void log_reader_close(struct log_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	buf_fini(&r->partial);
}

static int64_t read_file(struct log_reader *r)
{
	char *block = malloc(BLOCK);
	int64_t total = 0;
	ssize_t n = 0;

	if (!block)
		return -ENOMEM;
	while (!r->done && (n = read(r->fd, block, BLOCK)) > 0) {
		take_bytes(r, block, (size_t)n);
		total += n;
	}
	int err = n < 0 ? -errno : 0;
	free(block);
	return err ? err : total;
}

int log_reader_read(struct log_reader *r)
{
	int64_t n = read_file(r);

	if (n < 0)
		return (int)n;
	end_line(r);
	return 0;
}

static bool was_replaced(const struct log_reader *r)
{
	struct stat named, open;

	return stat(r->path, &named) == 0 && fstat(r->fd, &open) == 0 &&
	       (named.st_ino != open.st_ino || named.st_dev != open.st_dev);
}

/* The first of the new archives is the file that was read until now. */
static int follow_rotation(struct log_reader *r)
{
	struct archive_list archives;
	int old = r->fd;

	int err = open_file(r, &archives);
	if (err)
		return err;
	close(old);
	end_line(r);
	bool first = true;
	for (size_t i = 0; i < archives.count && !r->done; i++) {
		if (archives.v[i].index <= r->last_index)
			continue;
		if (!first)
			take_archive(r, archives.v[i]);
		first = false;
	}
	if (newest_of(&archives) > r->last_index)
		r->last_index = newest_of(&archives);
	archive_list_fini(&archives);
	return 0;
}

int64_t log_reader_follow(struct log_reader *r)
{
	bool replaced = was_replaced(r); /* asked first: what is read now is then all of it */
	int64_t n = read_file(r);

	if (n < 0 || !replaced)
		return n;
	int err = follow_rotation(r);
	int64_t more = err ? err : read_file(r);
	return more < 0 ? more : n + more;
}
