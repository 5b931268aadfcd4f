/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/hash_pool.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

struct hash_worker {
	struct worker worker;
	struct hash_pool *pool;
	struct file_tools *tools;
	struct file_digests *digests; /* of files that are read in one step */
};

struct hash_pool {
	struct worker_pool pool;
	struct crew crew;
	struct hash_worker *workers;
	uint32_t worker_count;
	uint32_t wanted; /* that are not stuck */
	bool stalled;    /* all are */
	bool kept;       /* a thread still works, with what is ours */

	/* With the lock, as the pool's part of jobs in its queues. */
	struct pool_queue fresh;
	struct pool_queue large;                         /* being read, waiting for their next turn */
	struct pool_queue large_waiting;                 /* for one of HASH_POOL_LARGE_MAX */
	struct file_digests *spare[HASH_POOL_LARGE_MAX]; /* of large files that are not being read */
	uint32_t spare_count;
	uint32_t fds;
	bool large_turn;
};

static struct hash_job *hash_job_of(struct pool_job *job)
{
	return (struct hash_job *)((char *)job - offsetof(struct hash_job, job));
}

static struct hash_worker *hash_worker_of(struct worker *worker)
{
	return (struct hash_worker *)((char *)worker - offsetof(struct hash_worker, worker));
}

/* Small and large files take turns, so neither waits for all of the others. */
static struct pool_job *take(struct worker *worker)
{
	struct hash_pool *p = hash_worker_of(worker)->pool;
	struct pool_queue *large = &p->large;
	if (STAILQ_EMPTY(large) && p->spare_count > 0)
		large = &p->large_waiting;

	bool use_large = !STAILQ_EMPTY(large) && (p->large_turn || STAILQ_EMPTY(&p->fresh));
	struct pool_queue *queue = use_large ? large : &p->fresh;
	struct pool_job *taken = pool_queue_take(queue);
	if (!taken)
		return NULL;

	struct hash_job *job = hash_job_of(taken);
	if (queue == &p->large_waiting)
		job->digests = p->spare[--p->spare_count];
	job->started = true;
	p->large_turn = !use_large;
	return taken;
}

static void close_path(struct hash_pool *p, struct hash_job *job)
{
	if (job->fd < 0)
		return;
	close(job->fd);
	job->fd = -1;
	if (!job->counted)
		return;
	job->counted = false;
	pthread_mutex_lock(&p->pool.lock);
	p->fds--;
	pthread_mutex_unlock(&p->pool.lock);
}

enum progress { PROGRESS_DONE, PROGRESS_MORE, PROGRESS_WAIT };

/* A large file needs digests of its own between its turns; false when all are in use. */
static bool claim_digests(struct hash_pool *p, struct hash_job *job)
{
	pthread_mutex_lock(&p->pool.lock);
	if (p->spare_count > 0) {
		job->digests = p->spare[--p->spare_count];
	} else if (!job->counted && p->fds < HASH_POOL_FDS_MAX) {
		/* The file may be gone when its turn comes: it stays open while there is room. */
		job->counted = true;
		p->fds++;
	}
	pthread_mutex_unlock(&p->pool.lock);
	return job->digests != NULL;
}

static enum progress begin(struct hash_pool *p, struct hash_job *job)
{
	if (job->fd < 0)
		job->fd = mount_ns_view_open(&job->view, job->path);
	if (job->fd < 0) {
		file_outcome_fail_lookup(&job->outcome, job->view.id, -job->fd);
		job->fd = -1;
		return PROGRESS_DONE;
	}

	const struct file_id *cached = job->cached.known ? &job->cached : NULL;
	int ret = file_reading_open(&job->reading, job->fd, &job->wanted, cached, &job->outcome);
	if (ret == 1 && file_reading_is_long(&job->reading.seen) && !job->digests && !claim_digests(p, job)) {
		file_reading_close(&job->reading);
		if (!job->counted)
			close_path(p, job);
		return PROGRESS_WAIT;
	}
	close_path(p, job);
	return ret == 1 ? PROGRESS_MORE : PROGRESS_DONE;
}

static int advance(struct worker *worker, struct pool_job *taken)
{
	struct hash_worker *w = hash_worker_of(worker);
	struct hash_job *job = hash_job_of(taken);
	enum progress progress = PROGRESS_MORE;
	if (job->reading.fd < 0)
		progress = begin(w->pool, job);
	if (progress != PROGRESS_MORE)
		return progress;
	struct file_digests *digests = job->digests ? job->digests : w->digests;
	return file_reading_step(&job->reading, w->tools, digests) == 1 ? PROGRESS_MORE : PROGRESS_DONE;
}

static void put_done(struct hash_pool *p, struct hash_job *job)
{
	if (job->digests)
		p->spare[p->spare_count++] = job->digests;
	job->digests = NULL;
	worker_pool_put_done(&p->pool, &job->job);
}

static void put_back(struct worker *worker, struct pool_job *job, int progress)
{
	struct hash_pool *p = hash_worker_of(worker)->pool;

	if (progress == PROGRESS_DONE)
		put_done(p, hash_job_of(job));
	else if (progress == PROGRESS_MORE)
		STAILQ_INSERT_TAIL(&p->large, job, next);
	else
		STAILQ_INSERT_TAIL(&p->large_waiting, job, next);
	/* Whoever finished or put back a large file may have given another thread something to do. */
	if (!STAILQ_EMPTY(&p->large) || !STAILQ_EMPTY(&p->large_waiting))
		pthread_cond_signal(&p->crew.wake);
}

static const struct crew_duty duty = {.take = take, .work = advance, .put = put_back};

static void fini_worker(struct hash_worker *w)
{
	file_tools_free(w->tools);
	file_digests_free(w->digests);
}

static int init_worker(struct hash_pool *p, struct hash_worker *w)
{
	*w = (struct hash_worker){.pool = p, .tools = file_tools_new(), .digests = file_digests_new()};
	int ret = w->tools && w->digests ? worker_start(&w->worker, &p->crew) : -ENOMEM;
	if (ret < 0)
		fini_worker(w);
	return ret;
}

/* Counted one by one, so that a half-built pool can be freed. */
static int add_workers(struct hash_pool *p, uint32_t total)
{
	int ret = 0;

	while (ret == 0 && p->worker_count < total) {
		ret = init_worker(p, &p->workers[p->worker_count]);
		p->worker_count += ret == 0;
	}
	return ret;
}

static int init_workers(struct hash_pool *p, uint32_t workers)
{
	while (p->spare_count < HASH_POOL_LARGE_MAX) {
		p->spare[p->spare_count] = file_digests_new();
		if (!p->spare[p->spare_count])
			return -ENOMEM;
		p->spare_count++;
	}
	p->workers = calloc(HASH_POOL_WORKERS_MAX, sizeof(*p->workers));
	p->wanted = workers;
	return p->workers ? add_workers(p, workers) : -ENOMEM;
}

struct hash_pool *hash_pool_new(uint32_t workers)
{
	if (workers == 0 || workers > HASH_POOL_WORKERS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	struct hash_pool *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	STAILQ_INIT(&p->fresh);
	STAILQ_INIT(&p->large);
	STAILQ_INIT(&p->large_waiting);

	int ret = worker_pool_init(&p->pool);
	crew_init(&p->crew, &p->pool, &duty);
	if (ret == 0)
		ret = init_workers(p, workers);
	if (ret < 0) {
		hash_pool_free(p);
		errno = -ret;
		return NULL;
	}
	return p;
}

static void return_queue(struct hash_pool *p, struct pool_queue *queue)
{
	struct pool_job *job;

	while ((job = pool_queue_take(queue)))
		put_done(p, hash_job_of(job));
}

uint32_t hash_pool_watch(struct hash_pool *p, uint64_t now)
{
	uint32_t stuck = 0;

	for (uint32_t i = 0; i < p->worker_count; i++) {
		struct pool_job *job = worker_stuck_at(&p->workers[i].worker, now);
		if (!job)
			continue;
		hash_job_of(job)->lost = true;
		stuck++;
	}
	uint32_t total = p->wanted + stuck;
	add_workers(p, total < HASH_POOL_WORKERS_MAX ? total : HASH_POOL_WORKERS_MAX);
	p->stalled = stuck == p->worker_count;
	return stuck;
}

bool hash_pool_has_lost(const struct hash_pool *p, const struct hash_job *job)
{
	return p->stalled || job->lost;
}

bool hash_pool_stop(struct hash_pool *p)
{
	struct timespec until = worker_join_deadline();

	worker_pool_stop(&p->pool);
	for (uint32_t i = 0; i < p->worker_count; i++) {
		if (worker_join(&p->workers[i].worker, &until))
			fini_worker(&p->workers[i]);
		else
			p->kept = true;
	}
	p->worker_count = 0;

	pthread_mutex_lock(&p->pool.lock);
	return_queue(p, &p->fresh);
	return_queue(p, &p->large);
	return_queue(p, &p->large_waiting);
	pthread_mutex_unlock(&p->pool.lock);
	return !p->kept;
}

void hash_pool_free(struct hash_pool *p)
{
	if (!p)
		return;
	if (!hash_pool_stop(p))
		return;
	while (p->spare_count > 0)
		file_digests_free(p->spare[--p->spare_count]);
	worker_pool_fini(&p->pool);
	free(p->workers);
	free(p);
}

int hash_pool_event_fd(const struct hash_pool *p)
{
	return p->pool.event_fd;
}

bool hash_pool_has_room_for_fd(struct hash_pool *p)
{
	pthread_mutex_lock(&p->pool.lock);
	bool room = p->fds < HASH_POOL_FDS_MAX;
	pthread_mutex_unlock(&p->pool.lock);
	return room;
}

void hash_pool_add(struct hash_pool *p, struct hash_job *job, int fd)
{
	job->started = false;
	job->lost = false;
	job->fd = fd;
	job->counted = fd >= 0;
	job->digests = NULL;
	job->reading = (struct file_reading){.fd = -1};

	pthread_mutex_lock(&p->pool.lock);
	p->fds += job->counted;
	STAILQ_INSERT_TAIL(&p->fresh, &job->job, next);
	pthread_cond_signal(&p->crew.wake);
	pthread_mutex_unlock(&p->pool.lock);
}

bool hash_pool_has_started(struct hash_pool *p, const struct hash_job *job)
{
	pthread_mutex_lock(&p->pool.lock);
	bool started = job->started;
	pthread_mutex_unlock(&p->pool.lock);
	return started;
}

struct hash_job *hash_pool_take_done(struct hash_pool *p)
{
	struct pool_job *done = worker_pool_take_done(&p->pool);
	if (!done)
		return NULL;

	struct hash_job *job = hash_job_of(done);
	/* Both are still open only if the pool was stopped. */
	file_reading_close(&job->reading);
	close_path(p, job);
	job->bytes = job->reading.offset;
	return job;
}
