/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines on their way to a sink: one thread puts them in, one takes them out. Chunks are shared by the queues of all sinks;
 * each queue holds a reference.
 */
#ifndef KUNAI_SINK_QUEUE_H
#define KUNAI_SINK_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	QUEUE_CHUNKS_MAX = 16384,
	QUEUE_BYTES_MAX = 16 << 20,
};

/* Whole lines. */
struct chunk {
	atomic_uint references;
	uint32_t lines;
	size_t len;
	char bytes[];
};

/* Copies; one reference is the caller's. NULL: no memory. */
struct chunk *chunk_new(const char *lines, size_t len);
void chunk_drop(struct chunk *c);

uint64_t lines_count(const char *bytes, size_t len);

struct queue {
	pthread_mutex_t lock;
	struct chunk **ring; /* of QUEUE_CHUNKS_MAX */
	uint32_t first, count;
	size_t bytes;
	uint64_t lines;
	int wake; /* readable when there is something to take, or to know */
};

/* Returns 0 or -errno. */
int queue_init(struct queue *q);
void queue_fini(struct queue *q);

/* Takes a reference of its own. False when the queue is full. */
bool queue_put(struct queue *q, struct chunk *c);

/* The oldest chunk, whose reference is the caller's now; NULL when there is none. */
struct chunk *queue_take(struct queue *q);

uint64_t queue_lines(struct queue *q);

/* Makes q->wake readable; the taker calls queue_calm() when it has looked. */
void queue_wake(struct queue *q);
void queue_calm(struct queue *q);

#endif
