/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads that take jobs, and the list of those that are done, with a descriptor that tells of it. The user owns jobs, crews
 * and workers, has them inside its own structs, and keeps the queues of jobs that are not done.
 *
 *     main: adds to a queue, wakes -> worker: take(), work(), put(): to another queue or the list -> main
 *
 * All functions are for one thread, the main one, but those that say otherwise.
 */
#ifndef KUNAI_ENRICH_WORKER_POOL_H
#define KUNAI_ENRICH_WORKER_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

struct pool_job {
	STAILQ_ENTRY(pool_job) next;
};

STAILQ_HEAD(pool_queue, pool_job);

struct worker_pool {
	SLIST_HEAD(, crew) crews;
	int event_fd;

	pthread_mutex_t lock; /* for all below, and for what the user shares with its workers */
	struct pool_queue done;
	bool stop;
};

struct worker;

/* What the workers of a crew do. They have the lock in take() and put(). */
struct crew_duty {
	void (*prepare)(void);                      /* once, before anything else; or NULL */
	struct pool_job *(*take)(struct worker *w); /* NULL: there is nothing to do until the crew is woken */
	int (*work)(struct worker *w, struct pool_job *job);
	void (*put)(struct worker *w, struct pool_job *job, int result); /* of work() */
};

/* Workers that do the same, and wait for the same. */
struct crew {
	SLIST_ENTRY(crew) next;
	struct worker_pool *pool;
	const struct crew_duty *duty;
	pthread_cond_t wake; /* that there may be something to do; with the lock of the pool */
};

struct worker {
	struct crew *crew;
	pthread_t thread;
	uint64_t since; /* boot time when it began with the work in hand, 0: it has none. With the lock. */
	struct pool_job *job; /* in hand; with the lock */
};

/* Work that takes longer is taken for lost: the file of a server that never answers. */
#define WORKER_PATIENCE_NS UINT64_C(5000000000)

/* -errno; to be finished in any case. */
int worker_pool_init(struct worker_pool *p);
/* Stopped, and all workers joined. What is done and was not taken is left alone. */
void worker_pool_fini(struct worker_pool *p);

/* Of the pool, which finishes it. */
void crew_init(struct crew *c, struct worker_pool *p, const struct crew_duty *duty);

/* Starts the thread, with all signals blocked. -errno. */
int worker_start(struct worker *w, struct crew *c);

/* What it has been working at for too long; NULL: it is not stuck. */
struct pool_job *worker_stuck_at(struct worker *w, uint64_t now);

/* Workers take no more jobs, and end. */
void worker_pool_stop(struct worker_pool *p);
/* Waits until the monotonic time `until`; false: it still works, and what it uses must stay. */
bool worker_join(struct worker *w, const struct timespec *until);
/* A second from now. */
struct timespec worker_join_deadline(void);

/* NULL when it is empty. With the lock, or after the end of all workers. */
struct pool_job *pool_queue_take(struct pool_queue *queue);

/* Of any thread, with the lock, or after the end of all workers. */
void worker_pool_put_done(struct worker_pool *p, struct pool_job *job);

/* NULL when no more jobs are done; the event descriptor is not readable then. */
struct pool_job *worker_pool_take_done(struct worker_pool *p);

#endif
