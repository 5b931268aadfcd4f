/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sink/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void signal_fd(int fd)
{
	uint64_t one = 1;

	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return; /* readable already */
}

static void drop_lines(struct sink *s, uint64_t lines, int error)
{
	if (lines == 0)
		return;
	s->dropped += lines;
	s->drop_error = error;
}

static void close_sink(struct sink *s)
{
	if (!atomic_exchange(&s->closed, true))
		signal_fd(s->on_closed);
}

/* ms */
static int time_left(const struct sink_end *end)
{
	uint64_t now = now_ms();

	return now < end->deadline ? (int)(end->deadline - now) : 0;
}

static bool is_too_late(const struct sink_end *end)
{
	return end->asked && time_left(end) == 0;
}

int sink_wait_writable(const struct sink_end *end, int fd)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLOUT}, {.fd = end->cancel, .events = POLLIN}};

	int n = poll(fds, 2, SINK_WAIT_MS);
	if (n > 0 && !fds[0].revents)
		n = poll(fds, 1, time_left(end));
	if (n < 0 && errno != EINTR)
		return -errno;
	return is_too_late(end) ? -ECANCELED : 0;
}

/* Lines that come meanwhile stay in the queue. */
static void wait_before_retry(struct sink *s)
{
	struct pollfd fd = {.fd = s->end.cancel, .events = POLLIN};

	poll(&fd, 1, SINK_RETRY_MS);
}

/* One try. True: there is nothing more to do for these lines. */
static bool write_once(struct sink *s, const struct chunk *c, size_t *done)
{
	struct sink_progress progress = {0};
	const char *rest = c->bytes + *done;

	int err = s->kind->write(s->state, rest, c->len - *done, &s->end, &progress);
	uint64_t lines = lines_count(rest, progress.done);
	s->written += lines - progress.dropped;
	s->in_hand -= lines;
	drop_lines(s, progress.dropped, err ? -err : EMSGSIZE);
	*done += progress.done;
	s->error = -err;
	if (err == -EPIPE)
		close_sink(s);
	return !err || err == -EPIPE;
}

static void write_chunk(struct sink *s, const struct chunk *c)
{
	size_t done = 0;

	s->in_hand = c->lines;
	while (!s->closed && !is_too_late(&s->end)) {
		if (write_once(s, c, &done))
			break;
		if (s->end.asked)
			break; /* tried, and there is no time to try again */
		wait_before_retry(s);
	}
	if (done < c->len)
		drop_lines(s, lines_count(c->bytes + done, c->len - done), s->error ? s->error : ECANCELED);
	s->in_hand = 0;
}

/* Until there are lines, or the end is near. */
static void wait_for_work(struct sink *s)
{
	struct pollfd fds[1 + SINK_FDS_MAX] = {{.fd = s->queue.wake, .events = POLLIN}};
	unsigned int n = s->kind->fds ? s->kind->fds(s->state, fds + 1, SINK_FDS_MAX) : 0;

	if (poll(fds, 1 + n, -1) <= 0)
		return;
	if (fds[0].revents) {
		queue_calm(&s->queue);
		if (s->kind->tend)
			s->kind->tend(s->state);
	}
	if (n && s->kind->serve(s->state, fds + 1, n) == -EPIPE)
		close_sink(s);
}

static void *work(void *argument)
{
	struct sink *s = argument;

	for (;;) {
		/* looked at before the queue: what was put in before the end is taken */
		bool ending = s->end.asked;
		struct chunk *c = queue_take(&s->queue);
		if (c) {
			write_chunk(s, c);
			chunk_drop(c);
		} else if (ending) {
			break;
		} else if (s->closed) {
			struct pollfd fd = {.fd = s->queue.wake, .events = POLLIN};
			poll(&fd, 1, -1);
			queue_calm(&s->queue);
		} else {
			wait_for_work(s);
		}
	}
	if (s->kind->finish) {
		uint64_t lines = s->kind->finish(s->state, is_too_late(&s->end) ? 0 : SINK_FINISH_MS);
		s->written -= lines;
		drop_lines(s, lines, ETIMEDOUT);
	}
	return NULL;
}

int sink_start(const struct sink_kind *kind, void *state, const char *name, int on_closed, struct sink **ret)
{
	struct sink *s = calloc(1, sizeof(*s));
	int err = s && (s->name = strdup(name)) ? 0 : -ENOMEM;

	if (!err)
		err = queue_init(&s->queue);
	if (err) {
		if (s)
			free(s->name);
		free(s);
		kind->free(state);
		return err;
	}
	s->kind = kind;
	s->state = state;
	s->on_closed = on_closed;
	s->end.cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = s->end.cancel < 0 ? -errno : -pthread_create(&s->thread, NULL, work, s);
	s->begun = !err;
	if (err) {
		sink_free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void sink_put(struct sink *s, struct chunk *c)
{
	if (s->closed)
		drop_lines(s, c->lines, EPIPE);
	else if (!queue_put(&s->queue, c))
		drop_lines(s, c->lines, s->error ? s->error : EAGAIN);
}

void sink_end(struct sink *s, bool now)
{
	s->end.deadline = now ? 0 : now_ms() + SINK_END_MS;
	s->end.asked = true;
	queue_wake(&s->queue);
	signal_fd(s->end.cancel);
}

void sink_join(struct sink *s)
{
	if (s->begun)
		pthread_join(s->thread, NULL);
	s->begun = false;
}

void sink_free(struct sink *s)
{
	if (!s)
		return;
	if (s->begun) {
		sink_end(s, true);
		sink_join(s);
	}
	s->kind->free(s->state);
	queue_fini(&s->queue);
	if (s->end.cancel >= 0)
		close(s->end.cancel);
	free(s->name);
	free(s);
}
