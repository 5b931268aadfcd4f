/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* pthread_clockjoin_np */
#include "enrich/worker_pool.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"
#include "base/utc_clock.h"

static void *run(void *argument)
{
	struct worker *w = argument;
	struct worker_pool *p = w->crew->pool;
	const struct crew_duty *duty = w->crew->duty;

	if (duty->prepare)
		duty->prepare();
	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct pool_job *job = duty->take(w);
		if (!job) {
			pthread_cond_wait(&w->crew->wake, &p->lock);
			continue;
		}
		w->since = boot_time_now();
		w->job = job;
		pthread_mutex_unlock(&p->lock);
		int result = duty->work(w, job);
		pthread_mutex_lock(&p->lock);
		w->since = 0;
		duty->put(w, job, result);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int worker_pool_init(struct worker_pool *p)
{
	SLIST_INIT(&p->crews);
	STAILQ_INIT(&p->done);
	p->stop = false;
	pthread_mutex_init(&p->lock, NULL);
	p->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return p->event_fd < 0 ? -errno : 0;
}

void worker_pool_fini(struct worker_pool *p)
{
	struct crew *c;

	SLIST_FOREACH(c, &p->crews, next)
	{
		pthread_cond_destroy(&c->wake);
	}
	pthread_mutex_destroy(&p->lock);
	if (p->event_fd >= 0)
		close(p->event_fd);
}

void crew_init(struct crew *c, struct worker_pool *p, const struct crew_duty *duty)
{
	c->pool = p;
	c->duty = duty;
	pthread_cond_init(&c->wake, NULL);
	SLIST_INSERT_HEAD(&p->crews, c, next);
}

int worker_start(struct worker *w, struct crew *c)
{
	w->crew = c;
	w->since = 0;
	return thread_start(&w->thread, run, w);
}

void worker_pool_stop(struct worker_pool *p)
{
	struct crew *c;

	pthread_mutex_lock(&p->lock);
	p->stop = true;
	SLIST_FOREACH(c, &p->crews, next)
	{
		pthread_cond_broadcast(&c->wake);
	}
	pthread_mutex_unlock(&p->lock);
}

struct pool_job *worker_stuck_at(struct worker *w, uint64_t now)
{
	pthread_mutex_lock(&w->crew->pool->lock);
	struct pool_job *job = w->since && now > w->since + WORKER_PATIENCE_NS ? w->job : NULL;
	pthread_mutex_unlock(&w->crew->pool->lock);
	return job;
}

bool worker_join(struct worker *w, const struct timespec *until)
{
	return pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, until) == 0;
}

struct timespec worker_join_deadline(void)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	return until;
}

struct pool_job *pool_queue_take(struct pool_queue *queue)
{
	struct pool_job *job = STAILQ_FIRST(queue);

	if (job)
		STAILQ_REMOVE_HEAD(queue, next);
	return job;
}

void worker_pool_put_done(struct worker_pool *p, struct pool_job *job)
{
	bool was_empty = STAILQ_EMPTY(&p->done);

	STAILQ_INSERT_TAIL(&p->done, job, next);
	if (was_empty)
		eventfd_write(p->event_fd, 1);
}

struct pool_job *worker_pool_take_done(struct worker_pool *p)
{
	pthread_mutex_lock(&p->lock);
	struct pool_job *job = pool_queue_take(&p->done);
	if (STAILQ_EMPTY(&p->done)) {
		eventfd_t value;
		eventfd_read(p->event_fd, &value);
	}
	pthread_mutex_unlock(&p->lock);
	return job;
}
