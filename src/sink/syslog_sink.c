/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "sink/kinds.h"
#include "sink/unix_socket.h"

enum {
	PRIORITY = 3 * 8 + 6, /* RFC 5424, 6.2.1: system daemons, informational */
	HEADER_MAX = 256,
};

struct logger {
	char *path;
	int fd;
	bool stream; /* lines are ended by a newline then, as in RFC 6587, 3.4.2 */
	char host[HOST_NAME_MAX + 1];
	int pid;
};

static int connect_logger(struct logger *l)
{
	l->fd = unix_socket_connect(l->path, SOCK_DGRAM | SOCK_NONBLOCK);
	l->stream = l->fd == -EPROTOTYPE;
	if (l->stream)
		l->fd = unix_socket_connect(l->path, SOCK_STREAM | SOCK_NONBLOCK);
	return l->fd < 0 ? l->fd : 0;
}

static void disconnect(struct logger *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static size_t write_header(const struct logger *l, char ret[HEADER_MAX])
{
	struct timespec now;
	struct tm tm;
	char stamp[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	int n = snprintf(ret, HEADER_MAX, "<%d>1 %s.%06ldZ %.*s kunai %d event - ", PRIORITY, stamp,
			 now.tv_nsec / 1000, HOST_NAME_MAX, l->host, l->pid);
	return (size_t)n;
}

/* A stream can take a part of a message; a datagram is taken as a whole. */
static int send_message(struct logger *l, struct iovec *parts, size_t count, const struct sink_end *end)
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};

	for (;;) {
		ssize_t n = sendmsg(l->fd, &message, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
			return -errno;
		for (; n > 0 && message.msg_iovlen; message.msg_iov++, message.msg_iovlen--) {
			size_t taken =
				(size_t)n < message.msg_iov->iov_len ? (size_t)n : message.msg_iov->iov_len;
			message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + taken;
			message.msg_iov->iov_len -= taken;
			n -= (ssize_t)taken;
			if (message.msg_iov->iov_len)
				break;
		}
		if (message.msg_iovlen == 0 || message.msg_iov->iov_len == 0)
			return 0;
		int err = sink_wait_writable(end, l->fd);
		if (err)
			return err;
	}
}

/* line: with its newline, which only a stream needs. */
static int send_line(struct logger *l, const char *line, size_t len, const struct sink_end *end)
{
	char header[HEADER_MAX];
	struct iovec parts[] = {{header, write_header(l, header)}, {(void *)line, len - !l->stream}};

	return send_message(l, parts, 2, end);
}

static int write_lines(void *state, const char *lines, size_t len, const struct sink_end *end,
		       struct sink_progress *progress)
{
	struct logger *l = state;
	int err = l->fd < 0 ? connect_logger(l) : 0;

	while (!err && progress->done < len) {
		const char *line = lines + progress->done;
		const char *newline = memchr(line, '\n', len - progress->done);
		size_t line_len = newline ? (size_t)(newline - line) + 1 : len - progress->done;

		err = send_line(l, line, line_len, end);
		if (err == -EMSGSIZE) {
			progress->dropped++;
			err = 0;
		}
		if (!err)
			progress->done += line_len;
	}
	if (err && err != -ECANCELED)
		disconnect(l); /* a logger that was restarted has another socket */
	return err;
}

static void free_logger(void *state)
{
	struct logger *l = state;

	disconnect(l);
	free(l->path);
	free(l);
}

const struct sink_kind syslog_sink = {.write = write_lines, .free = free_logger};

int syslog_sink_new(const char *path, void **ret_state)
{
	struct logger *l = calloc(1, sizeof(*l));

	if (!l || !(l->path = strdup(path))) {
		free(l);
		return -ENOMEM;
	}
	l->fd = -1;
	l->pid = getpid();
	if (gethostname(l->host, sizeof(l->host) - 1) < 0 || !l->host[0])
		strcpy(l->host, "-");
	*ret_state = l;
	return 0;
}
