/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sink/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

uint64_t lines_count(const char *bytes, size_t len)
{
	uint64_t n = 0;

	for (const char *end = bytes + len; (bytes = memchr(bytes, '\n', (size_t)(end - bytes))); bytes++)
		n++;
	return n;
}

struct chunk *chunk_new(const char *lines, size_t len)
{
	struct chunk *c = malloc(sizeof(*c) + len);

	if (!c)
		return NULL;
	c->references = 1;
	c->lines = (uint32_t)lines_count(lines, len);
	c->len = len;
	memcpy(c->bytes, lines, len);
	return c;
}

void chunk_drop(struct chunk *c)
{
	if (c && atomic_fetch_sub(&c->references, 1) == 1)
		free(c);
}

int queue_init(struct queue *q)
{
	*q = (struct queue){.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	if (q->wake < 0)
		return -errno;
	q->ring = calloc(QUEUE_CHUNKS_MAX, sizeof(struct chunk *));
	if (!q->ring) {
		close(q->wake);
		return -ENOMEM;
	}
	pthread_mutex_init(&q->lock, NULL);
	return 0;
}

void queue_fini(struct queue *q)
{
	for (struct chunk *c; (c = queue_take(q));)
		chunk_drop(c);
	pthread_mutex_destroy(&q->lock);
	free(q->ring);
	close(q->wake);
}

bool queue_put(struct queue *q, struct chunk *c)
{
	pthread_mutex_lock(&q->lock);
	bool fits = q->count < QUEUE_CHUNKS_MAX && q->bytes + c->len <= QUEUE_BYTES_MAX;
	bool was_empty = q->count == 0;
	if (fits) {
		atomic_fetch_add(&c->references, 1);
		q->ring[(q->first + q->count++) % QUEUE_CHUNKS_MAX] = c;
		q->bytes += c->len;
		q->lines += c->lines;
	}
	pthread_mutex_unlock(&q->lock);
	if (fits && was_empty)
		queue_wake(q);
	return fits;
}

struct chunk *queue_take(struct queue *q)
{
	struct chunk *c = NULL;

	pthread_mutex_lock(&q->lock);
	if (q->count) {
		c = q->ring[q->first];
		q->first = (q->first + 1) % QUEUE_CHUNKS_MAX;
		q->count--;
		q->bytes -= c->len;
		q->lines -= c->lines;
	}
	pthread_mutex_unlock(&q->lock);
	return c;
}

uint64_t queue_lines(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	uint64_t lines = q->lines;
	pthread_mutex_unlock(&q->lock);
	return lines;
}

void queue_wake(struct queue *q)
{
	uint64_t one = 1;

	if (write(q->wake, &one, sizeof(one)) < 0)
		return; /* the counter is at its end: readable already */
}

void queue_calm(struct queue *q)
{
	uint64_t n;

	if (read(q->wake, &n, sizeof(n)) < 0)
		return; /* it was not readable */
}
