/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "sink/kinds.h"
#include "sink/unix_socket.h"

/* Bytes before `sent` have gone. */
struct client {
	int fd;
	size_t sent;
	struct buf backlog;
};

struct server {
	int fd;
	char *path;
	struct client clients[SOCKET_CLIENTS_MAX];
	unsigned int count;
};

static bool has_backlog(const struct client *c)
{
	return c->sent < c->backlog.len;
}

static void remove_client(struct server *s, unsigned int i)
{
	close(s->clients[i].fd);
	buf_fini(&s->clients[i].backlog);
	s->clients[i] = s->clients[--s->count];
}

/* What the socket takes without waiting. False: the client has gone. */
static bool send_backlog(struct client *c)
{
	while (has_backlog(c)) {
		ssize_t n = send(c->fd, c->backlog.p + c->sent, c->backlog.len - c->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		c->sent += (size_t)n;
	}
	buf_reset(&c->backlog);
	c->sent = 0;
	return true;
}

static void make_room(struct client *c)
{
	memmove(c->backlog.p, c->backlog.p + c->sent, c->backlog.len - c->sent);
	c->backlog.len -= c->sent;
	c->sent = 0;
}

/* A client that is behind misses whole lines. */
static bool give(struct client *c, const char *lines, size_t len)
{
	if (c->backlog.len - c->sent + len > SOCKET_BACKLOG_MAX)
		return false;
	if (c->sent)
		make_room(c);
	size_t before = c->backlog.len;
	buf_add(&c->backlog, lines, len);
	if (!c->backlog.failed)
		return true;
	c->backlog.len = before;
	c->backlog.failed = false;
	return false;
}

/* A line that one of several clients misses counts once. */
static int write_lines(void *state, const char *lines, size_t len, const struct sink_end *end,
		       struct sink_progress *progress)
{
	struct server *s = state;
	bool missed = false;

	(void)end;
	for (unsigned int i = s->count; i > 0; i--) {
		missed = !give(&s->clients[i - 1], lines, len) || missed;
		if (!send_backlog(&s->clients[i - 1]))
			remove_client(s, i - 1);
	}
	progress->done = len;
	progress->dropped = missed ? lines_count(lines, len) : 0;
	return 0;
}

static unsigned int list_fds(void *state, struct pollfd *ret, unsigned int max)
{
	struct server *s = state;

	(void)max;
	ret[0] = (struct pollfd){.fd = s->fd, .events = POLLIN};
	for (unsigned int i = 0; i < s->count; i++) {
		struct client *c = &s->clients[i];
		short events = has_backlog(c) ? POLLIN | POLLOUT : POLLIN;
		ret[1 + i] = (struct pollfd){.fd = c->fd, .events = events};
	}
	return 1 + s->count;
}

static void accept_client(struct server *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (s->count == SOCKET_CLIENTS_MAX || !unix_socket_is_trusted(fd)) {
		close(fd);
		return;
	}
	s->clients[s->count++] = (struct client){.fd = fd};
}

/* Clients have nothing to say: what they send is thrown away, and the end of it is their end. */
static bool has_gone(int fd)
{
	char nothing[512];
	ssize_t n = recv(fd, nothing, sizeof(nothing), MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static int serve(void *state, const struct pollfd *fds, unsigned int count)
{
	struct server *s = state;

	/* from the last: a removed client's place is taken by the last one */
	for (unsigned int i = count - 1; i > 0; i--) {
		short revents = fds[i].revents;
		if (revents == 0)
			continue;
		if ((revents & ~POLLOUT && has_gone(fds[i].fd)) || !send_backlog(&s->clients[i - 1]))
			remove_client(s, i - 1);
	}
	if (fds[0].revents)
		accept_client(s);
	return 0;
}

/* Lines that the slowest client has not got. */
static uint64_t count_backlog(const struct server *s)
{
	uint64_t most = 0;

	for (unsigned int i = 0; i < s->count; i++) {
		const struct client *c = &s->clients[i];
		uint64_t lines =
			has_backlog(c) ? lines_count(c->backlog.p + c->sent, c->backlog.len - c->sent) : 0;
		most = lines > most ? lines : most;
	}
	return most;
}

static uint64_t finish(void *state, int timeout_ms)
{
	enum { STEP_MS = 20 };
	struct server *s = state;

	for (int waited = 0; waited <= timeout_ms && count_backlog(s); waited += STEP_MS) {
		struct pollfd fds[SOCKET_CLIENTS_MAX];
		for (unsigned int i = 0; i < s->count; i++)
			fds[i] = (struct pollfd){.fd = has_backlog(&s->clients[i]) ? s->clients[i].fd : -1,
						 .events = POLLOUT};
		poll(fds, s->count, STEP_MS);
		for (unsigned int i = s->count; i > 0; i--)
			if (!send_backlog(&s->clients[i - 1]))
				remove_client(s, i - 1);
	}
	return count_backlog(s);
}

static void free_server(void *state)
{
	struct server *s = state;

	while (s->count)
		remove_client(s, s->count - 1);
	if (s->fd >= 0) {
		close(s->fd);
		unlink(s->path);
	}
	free(s->path);
	free(s);
}

const struct sink_kind socket_sink = {
	.write = write_lines, .fds = list_fds, .serve = serve, .finish = finish, .free = free_server};

int socket_sink_new(const char *path, void **ret_state)
{
	struct server *s = calloc(1, sizeof(*s));
	int err = s && (s->path = strdup(path)) ? 0 : -ENOMEM;

	if (!err) {
		s->fd = unix_socket_listen(path);
		err = s->fd < 0 ? s->fd : 0;
	}
	if (err) {
		if (s)
			free(s->path);
		free(s);
		return err;
	}
	*ret_state = s;
	return 0;
}
