/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { READ_SIZE = 65536 };

static int read_on(int fd, size_t max, struct buf *out)
{
	while (out->len <= max) {
		if (!buf_reserve(out, READ_SIZE))
			return -ENOMEM;
		ssize_t n = read(fd, out->p + out->len, out->cap - out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		out->len += (size_t)n;
	}
	return -EFBIG;
}

int file_read(const char *path, size_t max, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	int err = read_on(fd, max, out);
	close(fd);
	return err;
}
