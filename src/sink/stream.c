/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sink/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/directory.h"

enum { CANCEL_WAIT_MS = 2000 };

int stream_open(struct stream *ret, int standard, const char *path)
{
	struct stat st;

	*ret = (struct stream){.fd = standard, .owned = standard < 0, .cancel = -1};
	if (ret->owned) {
		int err = directory_make(path);
		if (err)
			return err;
		ret->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
	}
	if (ret->fd < 0 || fstat(ret->fd, &st) < 0)
		return -errno;
	ret->waits = !S_ISREG(st.st_mode);
	return 0;
}

void stream_close(struct stream *s)
{
	if (s->owned && s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static uint64_t count_lines(const char *p, size_t len)
{
	uint64_t n = 0;

	for (const char *end = p + len; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		n++;
	return n;
}

static void drop(struct stream *s, const char *lines, size_t len, bool partial, int error)
{
	s->dropped += count_lines(lines, len);
	s->last_error = error;
	s->closed = s->closed || error == EPIPE || error == ECANCELED;
	s->partial_line = partial;
}

/*
 * Waits until bytes can be taken. A pipe that says so takes PIPE_BUF of them without blocking. -ECANCELED when the
 * reader is stuck and the writer is asked to end.
 */
static int wait_writable(struct stream *s)
{
	struct pollfd fds[] = {{.fd = s->fd, .events = POLLOUT}, {.fd = s->cancel, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents)
			return 0;
		if (fds[1].revents)
			return poll(fds, 1, CANCEL_WAIT_MS) > 0 ? 0 : -ECANCELED;
	}
}

/* -errno, or 0 once something may be written again. */
static int write_some(struct stream *s, const char *bytes, size_t len, size_t *ret_done)
{
	*ret_done = 0;
	if (s->waits) {
		int err = wait_writable(s);
		if (err)
			return err;
		len = len < PIPE_BUF ? len : PIPE_BUF;
	}
	ssize_t n = write(s->fd, bytes, len);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	*ret_done = (size_t)n;
	return 0;
}

void stream_write(struct stream *s, const char *lines, size_t len)
{
	size_t done = 0;

	if (s->closed) {
		drop(s, lines, len, false, EPIPE);
		return;
	}
	if (s->partial_line) {
		/* end the line that a full disk cut, or it would spoil the next one */
		size_t n = 0;
		int err = write_some(s, "\n", 1, &n);
		if (err || n == 0) {
			drop(s, lines, len, true, -err);
			return;
		}
		s->partial_line = false;
	}
	while (done < len) {
		size_t n;
		int err = write_some(s, lines + done, len - done, &n);
		done += n;
		if (err) {
			s->written += count_lines(lines, done);
			drop(s, lines + done, len - done, done > 0 && lines[done - 1] != '\n', -err);
			return;
		}
	}
	s->written += count_lines(lines, len);
}
