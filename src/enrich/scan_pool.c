/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/scan_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/thread.h"
#include "base/utc_clock.h"

enum {
	NICE = 10,    /* events come first */
	SLACK = 4096, /* zeros behind the bytes, for an engine that looks a little too far */
};

struct reader_thread {
	struct worker worker;
	struct scan_pool *pool;
	struct file_tools *tools;
	struct file_digests *digests;
};

struct matcher_thread {
	struct worker worker;
	struct scan_pool *pool;
	void *matcher;
	void *rules; /* of the matcher, which holds them */
};

struct scan_pool {
	const struct content_engine *engine;
	uint32_t timeout_s;
	struct worker_pool pool;
	struct crew reading; /* woken for work, and for room */
	struct reader_thread readers[SCAN_POOL_READERS_MAX];
	uint32_t reader_count;
	bool kept; /* a thread still works, with what is ours */
	struct crew matching;
	struct matcher_thread *matchers;
	uint32_t matcher_count;

	/* With the lock. */
	struct pool_queue fresh;
	struct pool_queue read;
	uint64_t bytes; /* mapped */
};

static struct scan_job *scan_job_of(struct pool_job *job)
{
	return (struct scan_job *)((char *)job - offsetof(struct scan_job, job));
}

static struct reader_thread *reader_thread_of(struct worker *worker)
{
	return (struct reader_thread *)((char *)worker - offsetof(struct reader_thread, worker));
}

static struct matcher_thread *matcher_thread_of(struct worker *worker)
{
	return (struct matcher_thread *)((char *)worker - offsetof(struct matcher_thread, worker));
}

/* ---- contents ---- */

/* Waits until there is room; false when there will be none. */
static bool reserve(struct reader_thread *t, size_t size)
{
	struct scan_pool *p = t->pool;

	pthread_mutex_lock(&p->pool.lock);
	t->worker.since = 0; /* it is not a file that it waits for */
	while (!p->pool.stop && p->bytes > 0 && p->bytes + size > SCAN_POOL_BYTES_MAX)
		pthread_cond_wait(&p->reading.wake, &p->pool.lock);
	t->worker.since = boot_time_now();
	bool reserved = !p->pool.stop;
	if (reserved)
		p->bytes += size;
	pthread_mutex_unlock(&p->pool.lock);
	return reserved;
}

static void unreserve(struct scan_pool *p, size_t size)
{
	pthread_mutex_lock(&p->pool.lock);
	p->bytes -= size;
	pthread_cond_broadcast(&p->reading.wake);
	pthread_mutex_unlock(&p->pool.lock);
}

/* A mapping of its own: what a large file took goes back to the system at once. */
static bool make_room(struct reader_thread *t, struct scan_job *job, uint64_t file_size)
{
	size_t size = (size_t)(file_size < SCAN_POOL_FILE_MAX ? file_size : SCAN_POOL_FILE_MAX) + SLACK;

	if (!reserve(t, size))
		return false;
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED) {
		unreserve(t->pool, size);
		return false;
	}
	job->bytes = bytes;
	job->size = size;
	return true;
}

static void drop_content(struct scan_pool *p, struct scan_job *job)
{
	if (!job->bytes)
		return;
	munmap(job->bytes, job->size);
	unreserve(p, job->size);
	job->bytes = NULL;
	job->size = 0;
}

/* ---- reading ---- */

static void read_beginning(int fd, struct scan_job *job)
{
	while (job->len < SCAN_POOL_FILE_MAX) {
		ssize_t n = pread(fd, (char *)job->bytes + job->len, SCAN_POOL_FILE_MAX - job->len,
				  (off_t)job->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		job->len += (size_t)n;
	}
	snprintf(job->findings.error, sizeof(job->findings.error),
		 "partial scan, file size exceeds scan limit");
}

static void read_owner(struct scan_job *job)
{
	struct statx st;

	if (statx(job->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_UID, &st) == 0)
		job->owner = st.stx_uid;
}

/* What kept the file from being matched, or a part of it. */
static void take_error(struct scan_job *job)
{
	if (job->findings.error[0] == '\0')
		snprintf(job->findings.error, sizeof(job->findings.error), "%s", job->outcome.error);
}

/* What is matched is what the digests are of, byte for byte, whatever happens to the file meanwhile. */
static void read_content(struct reader_thread *t, struct scan_job *job, struct file_reading *reading)
{
	bool huge = reading->seen.size > SCAN_POOL_FILE_MAX;
	int more = 1;

	if (job->rules && !make_room(t, job, reading->seen.size))
		snprintf(job->findings.error, sizeof(job->findings.error), "out of memory");
	if (huge && job->bytes)
		read_beginning(reading->fd, job);
	while (more == 1) {
		uint64_t before = reading->offset;
		more = file_reading_step(reading, t->tools, t->digests);
		size_t len = (size_t)(reading->offset - before);
		if (huge || !job->bytes)
			continue;
		memcpy((char *)job->bytes + job->len, file_tools_chunk(t->tools), len);
		job->len += len;
	}
	/* that the type could not be told does not count */
	if (!huge && strncmp(job->outcome.error, "failed to read", strlen("failed to read")) == 0)
		take_error(job);
}

static void read_file(struct reader_thread *t, struct scan_job *job)
{
	const struct file_id *cached = job->cached.known ? &job->cached : NULL;
	struct file_reading reading;

	if (job->fd < 0)
		job->fd = mount_ns_view_open(&job->view, job->path);
	if (job->fd < 0) {
		file_outcome_fail_lookup(&job->outcome, job->view.id, -job->fd);
		take_error(job);
		return;
	}
	read_owner(job);
	if (file_reading_open(&reading, job->fd, &job->wanted, cached, &job->outcome) == 1)
		read_content(t, job, &reading);
	else
		take_error(job);
	close(job->fd);
	job->fd = -1;
}

static struct pool_job *take_fresh(struct worker *reader)
{
	return pool_queue_take(&reader_thread_of(reader)->pool->fresh);
}

static int read_job(struct worker *reader, struct pool_job *job)
{
	read_file(reader_thread_of(reader), scan_job_of(job));
	return 0;
}

static void put_read(struct worker *reader, struct pool_job *job, int result)
{
	struct scan_pool *p = reader_thread_of(reader)->pool;

	(void)result;
	if (!scan_job_of(job)->bytes) {
		worker_pool_put_done(&p->pool, job);
		return;
	}
	STAILQ_INSERT_TAIL(&p->read, job, next);
	pthread_cond_signal(&p->matching.wake);
}

static const struct crew_duty reading_duty = {.take = take_fresh, .work = read_job, .put = put_read};

/* ---- matching ---- */

/* Rules change rarely: a matcher is made anew when they did. */
static void *get_matcher(struct matcher_thread *t, void *rules)
{
	const struct content_engine *engine = t->pool->engine;

	if (t->matcher && t->rules == rules)
		return t->matcher;
	if (t->matcher)
		engine->matcher_free(t->matcher);
	t->matcher = engine->matcher_new(rules);
	t->rules = rules;
	return t->matcher;
}

static void match_content(struct matcher_thread *t, struct scan_job *job)
{
	void *matcher = get_matcher(t, job->rules);
	const struct content content = {
		.bytes = job->bytes,
		.len = job->len,
		.path = job->path,
		.magic = job->outcome.magic,
		.owner = job->owner,
		.timeout_s = t->pool->timeout_s,
	};

	if (matcher)
		t->pool->engine->match(matcher, &content, &job->findings);
	else
		snprintf(job->findings.error, sizeof(job->findings.error), "out of memory");
	drop_content(t->pool, job);
}

static void prepare_matcher(void)
{
	/* it can only be refused by a security module, and then matching is as safe as reading */
	(void)thread_keep_capabilities(0);
	pthread_setname_np(pthread_self(), "kunai-match");
	setpriority(PRIO_PROCESS, 0, NICE); /* of the thread, as Linux has it */
}

static struct pool_job *take_read(struct worker *worker)
{
	return pool_queue_take(&matcher_thread_of(worker)->pool->read);
}

static int match_job(struct worker *worker, struct pool_job *job)
{
	match_content(matcher_thread_of(worker), scan_job_of(job));
	return 0;
}

static void put_matched(struct worker *worker, struct pool_job *job, int result)
{
	(void)result;
	worker_pool_put_done(&matcher_thread_of(worker)->pool->pool, job);
}

static const struct crew_duty matching_duty = {
	.prepare = prepare_matcher,
	.take = take_read,
	.work = match_job,
	.put = put_matched,
};

/* ---- the pool ---- */

static void fini_reader(struct reader_thread *t)
{
	file_tools_free(t->tools);
	file_digests_free(t->digests);
}

static int init_reader(struct scan_pool *p, struct reader_thread *t)
{
	*t = (struct reader_thread){.pool = p, .tools = file_tools_new(), .digests = file_digests_new()};
	int err = t->tools && t->digests ? worker_start(&t->worker, &p->reading) : -ENOMEM;
	if (err)
		fini_reader(t);
	return err;
}

static int add_readers(struct scan_pool *p, uint32_t total)
{
	int err = 0;

	while (!err && p->reader_count < total && total <= SCAN_POOL_READERS_MAX) {
		err = init_reader(p, &p->readers[p->reader_count]);
		p->reader_count += err == 0;
	}
	return err;
}

uint32_t scan_pool_watch(struct scan_pool *p, uint64_t now)
{
	uint32_t stuck = 0;

	for (uint32_t i = 0; i < p->reader_count; i++)
		stuck += worker_stuck_at(&p->readers[i].worker, now) != NULL;
	add_readers(p, stuck + 1);
	return stuck;
}

static int start_threads(struct scan_pool *p, uint32_t matchers)
{
	p->matchers = calloc(matchers, sizeof(*p->matchers));
	if (!p->matchers)
		return -ENOMEM;
	int err = add_readers(p, 1);
	/* counted one by one, so that a half-built pool can be freed */
	while (!err && p->matcher_count < matchers) {
		struct matcher_thread *t = &p->matchers[p->matcher_count];
		t->pool = p;
		err = worker_start(&t->worker, &p->matching);
		p->matcher_count += err == 0;
	}
	return err;
}

struct scan_pool *scan_pool_new(const struct content_engine *engine, uint32_t matchers, uint32_t timeout_s)
{
	if (matchers == 0 || matchers > SCAN_POOL_MATCHERS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	struct scan_pool *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->engine = engine;
	p->timeout_s = timeout_s;
	STAILQ_INIT(&p->fresh);
	STAILQ_INIT(&p->read);

	int err = worker_pool_init(&p->pool);
	crew_init(&p->reading, &p->pool, &reading_duty);
	crew_init(&p->matching, &p->pool, &matching_duty);
	if (!err)
		err = start_threads(p, matchers);
	if (err) {
		scan_pool_free(p);
		errno = -err;
		return NULL;
	}
	return p;
}

/* Threads that are stuck may come back meanwhile. */
static void return_queue(struct scan_pool *p, struct pool_queue *queue)
{
	struct pool_job *job;

	do {
		pthread_mutex_lock(&p->pool.lock);
		job = pool_queue_take(queue);
		pthread_mutex_unlock(&p->pool.lock);
		if (!job)
			break;
		drop_content(p, scan_job_of(job));
		pthread_mutex_lock(&p->pool.lock);
		worker_pool_put_done(&p->pool, job);
		pthread_mutex_unlock(&p->pool.lock);
	} while (job);
}

static void stop_readers(struct scan_pool *p)
{
	struct timespec until = worker_join_deadline();

	for (uint32_t i = 0; i < p->reader_count; i++) {
		if (worker_join(&p->readers[i].worker, &until))
			fini_reader(&p->readers[i]);
		else
			p->kept = true;
	}
	p->reader_count = 0;
}

bool scan_pool_stop(struct scan_pool *p)
{
	worker_pool_stop(&p->pool);
	stop_readers(p);
	for (uint32_t i = 0; i < p->matcher_count; i++) {
		pthread_join(p->matchers[i].worker.thread, NULL);
		if (p->matchers[i].matcher)
			p->engine->matcher_free(p->matchers[i].matcher);
	}
	p->matcher_count = 0;
	return_queue(p, &p->fresh);
	return_queue(p, &p->read);
	return !p->kept;
}

void scan_pool_free(struct scan_pool *p)
{
	if (!p)
		return;
	if (!scan_pool_stop(p))
		return;
	free(p->matchers);
	worker_pool_fini(&p->pool);
	free(p);
}

int scan_pool_event_fd(const struct scan_pool *p)
{
	return p->pool.event_fd;
}

void scan_pool_add(struct scan_pool *p, struct scan_job *job, int fd)
{
	job->fd = fd;
	job->bytes = NULL;
	job->len = job->size = 0;
	job->owner = UINT32_MAX;
	job->findings = (struct findings){0};

	pthread_mutex_lock(&p->pool.lock);
	STAILQ_INSERT_TAIL(&p->fresh, &job->job, next);
	pthread_cond_broadcast(&p->reading.wake);
	pthread_mutex_unlock(&p->pool.lock);
}

struct scan_job *scan_pool_take_done(struct scan_pool *p)
{
	struct pool_job *done = worker_pool_take_done(&p->pool);
	if (!done)
		return NULL;
	struct scan_job *job = scan_job_of(done);
	if (job->fd >= 0)
		close(job->fd); /* only if the pool was stopped */
	job->fd = -1;
	return job;
}
