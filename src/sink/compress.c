/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sink/compress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
	BLOCK = 64 << 10,
	GZIP_WINDOW = 15 + 16, /* deflateInit2: the largest window, in gzip's format */
	MEMORY_LEVEL = 8,
};

struct compression {
	z_stream z;
	int in, out;
	uint64_t size;
	unsigned char from[BLOCK], to[BLOCK];
};

static int write_all(struct compression *c, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(c->out, c->to + done, len - done);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	c->size += len;
	return 0;
}

/* Takes what was read, all of it. */
static int deflate_block(struct compression *c, int flush)
{
	do {
		c->z.next_out = c->to;
		c->z.avail_out = BLOCK;
		if (deflate(&c->z, flush) == Z_STREAM_ERROR)
			return -EIO;
		int err = write_all(c, BLOCK - c->z.avail_out);
		if (err)
			return err;
	} while (c->z.avail_out == 0);
	return 0;
}

static int deflate_all(struct compression *c, const _Atomic bool *stop)
{
	for (;;) {
		if (*stop)
			return -ECANCELED;
		ssize_t n = read(c->in, c->from, BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		c->z.next_in = c->from;
		c->z.avail_in = (unsigned int)n;
		int err = deflate_block(c, n ? Z_NO_FLUSH : Z_FINISH);
		if (err || n == 0)
			return err;
	}
}

static int compress_open(struct compression *c, const _Atomic bool *stop)
{
	if (deflateInit2(&c->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	int err = deflate_all(c, stop);
	deflateEnd(&c->z);
	if (!err && fsync(c->out) < 0)
		err = -errno;
	return err;
}

static int compress_to(struct compression *c, const char *from, const char *unfinished,
		       const _Atomic bool *stop)
{
	c->in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (c->in < 0)
		return -errno;
	unlink(unfinished);
	c->out = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err = c->out < 0 ? -errno : compress_open(c, stop);
	if (c->out >= 0 && close(c->out) < 0 && !err)
		err = -errno;
	close(c->in);
	return err;
}

int compress_file(const char *from, const char *to, const _Atomic bool *stop, uint64_t *ret_size)
{
	struct compression *c = calloc(1, sizeof(*c));
	char *unfinished;

	if (!c || asprintf(&unfinished, "%s" COMPRESS_UNFINISHED, to) < 0) {
		free(c);
		return -ENOMEM;
	}
	int err = compress_to(c, from, unfinished, stop);
	if (!err && rename(unfinished, to) < 0)
		err = -errno;
	if (err)
		unlink(unfinished);
	else
		*ret_size = c->size;
	free(unfinished);
	free(c);
	return err;
}
