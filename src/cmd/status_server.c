/* SPDX-License-Identifier: GPL-3.0-or-later */
#define LOG_MODULE "kunai::status"

#include "cmd/status_server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utc_clock.h"
#include "cmd/pid_file.h"
#include "config/config.h"
#include "sink/unix_socket.h"

enum {
	HISTORY = 10, /* seconds over which rates are taken */
	REQUEST_MAX = 4096,
	PATIENCE_MS = 2000, /* for one client */
	BACKLOG = 16,
	LISTENERS = 2,
};

struct listener {
	struct status_server *server;
	int fd; /* -1: none */
	void (*serve)(struct status_server *s, int fd);
	pthread_t thread;
	bool begun;
};

struct status_server {
	struct stopper *stopper;
	pthread_mutex_t lock; /* for the next four */
	struct status status;
	uint64_t published; /* boot time */
	uint64_t started;
	bool filled;
	struct {
		uint64_t time; /* boot time; 0: none */
		uint64_t received[EVENT_COUNT];
	} history[HISTORY]; /* of the publisher alone */
	unsigned int next;
	int stop; /* readable at the end */
	struct listener listeners[LISTENERS];
	struct run_path path;
};

static uint64_t read_resident(void)
{
	unsigned long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Since the oldest reading that is kept. */
static void fill_rates(struct status_server *s, struct status *status, uint64_t now)
{
	unsigned int oldest = s->history[s->next].time ? s->next : 0;
	uint64_t since = s->history[oldest].time;

	for (int i = 0; i < EVENT_COUNT && since && now > since; i++)
		status->rate[i] = (double)(status->received[i] - s->history[oldest].received[i]) * 1e9 /
				  (double)(now - since);
	s->history[s->next].time = now;
	memcpy(s->history[s->next].received, status->received, sizeof(status->received));
	s->next = (s->next + 1) % HISTORY;
}

void status_server_publish(struct status_server *s, const struct status *status, uint64_t now)
{
	if (!s)
		return;
	struct status complete = *status;
	fill_rates(s, &complete, now);
	complete.pid = getpid();
	complete.resident = read_resident();
	pthread_mutex_lock(&s->lock);
	s->status = complete;
	s->published = now;
	s->filled = true;
	pthread_mutex_unlock(&s->lock);
}

static void render(struct status_server *s, struct buf *out,
		   void (*write_status)(const struct status *s, uint64_t stale, struct buf *out))
{
	struct status *copy = malloc(sizeof(*copy));

	if (!copy)
		return;
	pthread_mutex_lock(&s->lock);
	*copy = s->status;
	uint64_t stale = s->filled ? boot_time_now() - s->published : 0;
	pthread_mutex_unlock(&s->lock);
	write_status(copy, stale, out);
	free(copy);
}

/* True when the descriptor is ready before the deadline (boot time) and the server is not to end. */
static bool wait_for(const struct status_server *s, int fd, short events, uint64_t deadline)
{
	struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = s->stop, .events = POLLIN}};
	uint64_t now = boot_time_now();

	if (now >= deadline)
		return false;
	int n = poll(fds, 2, (int)((deadline - now) / 1000000) + 1);
	return n > 0 && fds[0].revents && !fds[1].revents;
}

static void send_all(const struct status_server *s, int fd, const struct buf *text, uint64_t deadline)
{
	for (size_t done = 0; done < text->len && wait_for(s, fd, POLLOUT, deadline);) {
		ssize_t n = send(fd, text->p + done, text->len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (n > 0)
			done += (size_t)n;
	}
}

/* Up to the end of a line, or of a header: as C string. */
static bool receive(const struct status_server *s, int fd, const char *end, char ret[REQUEST_MAX],
		    uint64_t deadline)
{
	size_t len = 0;

	ret[0] = '\0';
	while (len < REQUEST_MAX - 1 && !strstr(ret, end)) {
		if (!wait_for(s, fd, POLLIN, deadline))
			return false;
		ssize_t n = recv(fd, ret + len, REQUEST_MAX - 1 - len, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		if (n > 0)
			len += (size_t)n;
		ret[len] = '\0';
	}
	return strstr(ret, end) != NULL;
}

static uint64_t deadline_now(void)
{
	return boot_time_now() + PATIENCE_MS * UINT64_C(1000000);
}

static const char *try_stop(struct status_server *s, int fd, char *secret)
{
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);

	secret[strcspn(secret, "\n")] = '\0';
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	const char *answer = stopper_try(s->stopper, str_of(secret), peer.pid);
	explicit_bzero(secret, strlen(secret));
	return answer;
}

static void serve_status(struct status_server *s, int fd)
{
	char request[REQUEST_MAX];
	uint64_t deadline = deadline_now();
	struct buf out = {0};

	if (!unix_socket_is_trusted(fd) || !receive(s, fd, "\n", request, deadline))
		return;
	if (strcmp(request, "json\n") == 0)
		render(s, &out, status_write_json);
	else if (strcmp(request, "text\n") == 0)
		render(s, &out, status_write_text);
	else if (strncmp(request, STOP_REQUEST, strlen(STOP_REQUEST)) == 0)
		buf_add_str(&out, str_of(try_stop(s, fd, request + strlen(STOP_REQUEST))));
	if (!out.failed)
		send_all(s, fd, &out, deadline);
	buf_fini(&out);
}

static void serve_metrics(struct status_server *s, int fd)
{
	char request[REQUEST_MAX];
	uint64_t deadline = deadline_now();
	struct buf body = {0}, out = {0};

	if (!receive(s, fd, "\r\n\r\n", request, deadline))
		return;
	bool known = strncmp(request, "GET /metrics ", 13) == 0;
	if (known)
		render(s, &body, status_write_metrics);
	buf_printf(&out,
		   "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
		   "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		   known ? "200 OK" : "404 Not Found", body.len);
	buf_add(&out, body.p, body.len);
	if (!body.failed && !out.failed)
		send_all(s, fd, &out, deadline);
	buf_fini(&body);
	buf_fini(&out);
}

static void *work(void *argument)
{
	struct listener *l = argument;
	struct pollfd fds[] = {{.fd = l->fd, .events = POLLIN}, {.fd = l->server->stop, .events = POLLIN}};

	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[1].revents)
			break;
		int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			usleep(10000); /* no descriptors, perhaps: not as fast as possible */
			continue;
		}
		l->serve(l->server, fd);
		close(fd);
	}
	return NULL;
}

static void start_listener(struct status_server *s, struct listener *l, int fd, const char *what,
			   void (*serve)(struct status_server *s, int fd))
{
	*l = (struct listener){.server = s, .fd = fd, .serve = serve};
	int err = fd < 0 ? fd : -pthread_create(&l->thread, NULL, work, l);
	l->begun = !err;
	if (err)
		log_warn("cannot listen at %s: %s", what, strerror(-err));
}

static int listen_at(const char *text)
{
	struct sockaddr_storage address;
	int one = 1, size = config_parse_loopback(str_of(text), &address);

	if (size < 0)
		return size;
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, (socklen_t)size) < 0 || listen(fd, BACKLOG) < 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

struct status_server *status_server_open(const char *metrics, struct stopper *stopper)
{
	struct status_server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->stopper = stopper;
	pthread_mutex_init(&s->lock, NULL);
	s->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->path = run_path_of(STATUS_SOCKET);
	start_listener(s, &s->listeners[0], unix_socket_listen(s->path.text), s->path.text, serve_status);
	s->listeners[1].fd = -1;
	if (metrics)
		start_listener(s, &s->listeners[1], listen_at(metrics), metrics, serve_metrics);
	return s;
}

void status_server_close(struct status_server *s)
{
	uint64_t one = 1;

	if (!s)
		return;
	if (write(s->stop, &one, sizeof(one)) != sizeof(one))
		log_error("cannot end the threads that tell the status");
	if (s->listeners[0].fd >= 0)
		unlink(s->path.text);
	for (int i = 0; i < LISTENERS; i++) {
		if (s->listeners[i].begun)
			pthread_join(s->listeners[i].thread, NULL);
		if (s->listeners[i].fd >= 0)
			close(s->listeners[i].fd);
	}
	close(s->stop);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
