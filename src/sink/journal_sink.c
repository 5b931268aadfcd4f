/* SPDX-License-Identifier: GPL-3.0-or-later */
/* https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sink/kinds.h"
#include "sink/unix_socket.h"

#define FIELDS "SYSLOG_IDENTIFIER=kunai\nPRIORITY=6\nMESSAGE="

enum { PARTS = 2 };

struct journal {
	char *path;
	int fd;
};

static int send_datagram(const struct journal *j, const struct msghdr *message, const struct sink_end *end)
{
	while (sendmsg(j->fd, message, MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
			return -errno;
		int err = sink_wait_writable(end, j->fd);
		if (err)
			return err;
	}
	return 0;
}

/* The journal reads it from the file, which nobody can change any more. */
static int send_by_file(const struct journal *j, const struct iovec *parts, const struct sink_end *end)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control)};
	size_t len = parts[0].iov_len + parts[1].iov_len;

	int fd = memfd_create("kunai-event", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = writev(fd, parts, PARTS) != (ssize_t)len ? -EIO : 0;
	if (!err && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		err = -errno;
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	*head = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	if (!err)
		err = send_datagram(j, &message, end);
	close(fd);
	return err;
}

/* JSON holds no newline, so the line itself ends the field. */
static int send_line(const struct journal *j, const char *line, size_t len, const struct sink_end *end)
{
	struct iovec parts[PARTS] = {{(void *)FIELDS, sizeof(FIELDS) - 1}, {(void *)line, len}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = PARTS};

	int err = send_datagram(j, &message, end);
	return err == -EMSGSIZE ? send_by_file(j, parts, end) : err;
}

static int write_lines(void *state, const char *lines, size_t len, const struct sink_end *end,
		       struct sink_progress *progress)
{
	struct journal *j = state;
	int err = 0;

	if (j->fd < 0) {
		j->fd = unix_socket_connect(j->path, SOCK_DGRAM | SOCK_NONBLOCK);
		err = j->fd < 0 ? j->fd : 0;
	}
	while (!err && progress->done < len) {
		const char *line = lines + progress->done;
		const char *newline = memchr(line, '\n', len - progress->done);
		size_t line_len = newline ? (size_t)(newline - line) + 1 : len - progress->done;

		err = send_line(j, line, line_len, end);
		if (!err)
			progress->done += line_len;
	}
	if (err && err != -ECANCELED && j->fd >= 0) {
		close(j->fd);
		j->fd = -1;
	}
	return err;
}

static void free_journal(void *state)
{
	struct journal *j = state;

	if (j->fd >= 0)
		close(j->fd);
	free(j->path);
	free(j);
}

const struct sink_kind journal_sink = {.write = write_lines, .free = free_journal};

int journal_sink_new(const char *path, void **ret_state)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j || !(j->path = strdup(path))) {
		free(j);
		return -ENOMEM;
	}
	j->fd = -1;
	*ret_state = j;
	return 0;
}
