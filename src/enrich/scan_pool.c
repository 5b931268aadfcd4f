/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/scan_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	NICE = 10,    /* events come first */
	SLACK = 4096, /* zeros behind the bytes, for an engine that looks a little too far */
};

STAILQ_HEAD(scan_queue, scan_job);

struct matcher_thread {
	pthread_t thread;
	struct scan_pool *pool;
	void *matcher;
	void *rules; /* of the matcher, which holds them */
};

struct scan_pool {
	const struct content_engine *engine;
	uint32_t timeout_s;
	int event_fd;
	struct file_tools *tools; /* the reader's */
	struct file_digests *digests;
	pthread_t reader;
	bool reader_runs;
	struct matcher_thread *matchers;
	uint32_t matcher_count;

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t work;  /* for the reader */
	pthread_cond_t room;  /* too */
	pthread_cond_t match; /* for matchers */
	struct scan_queue fresh;
	struct scan_queue read;
	struct scan_queue done;
	uint64_t bytes; /* mapped */
	bool stop;
};

static void put_done(struct scan_pool *p, struct scan_job *job)
{
	bool was_empty = STAILQ_EMPTY(&p->done);

	STAILQ_INSERT_TAIL(&p->done, job, next);
	if (was_empty)
		eventfd_write(p->event_fd, 1);
}

/* ---- contents ---- */

/* Waits until there is room; false when there will be none. */
static bool reserve(struct scan_pool *p, size_t size)
{
	pthread_mutex_lock(&p->lock);
	while (!p->stop && p->bytes > 0 && p->bytes + size > SCAN_POOL_BYTES_MAX)
		pthread_cond_wait(&p->room, &p->lock);
	bool reserved = !p->stop;
	if (reserved)
		p->bytes += size;
	pthread_mutex_unlock(&p->lock);
	return reserved;
}

static void unreserve(struct scan_pool *p, size_t size)
{
	pthread_mutex_lock(&p->lock);
	p->bytes -= size;
	pthread_cond_signal(&p->room);
	pthread_mutex_unlock(&p->lock);
}

/* A mapping of its own: what a large file took goes back to the system at once. */
static bool make_room(struct scan_pool *p, struct scan_job *job, uint64_t file_size)
{
	size_t size = (size_t)(file_size < SCAN_POOL_FILE_MAX ? file_size : SCAN_POOL_FILE_MAX) + SLACK;

	if (!reserve(p, size))
		return false;
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED) {
		unreserve(p, size);
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
static void read_content(struct scan_pool *p, struct scan_job *job, struct file_reading *reading)
{
	bool huge = reading->seen.size > SCAN_POOL_FILE_MAX;
	int more = 1;

	if (job->rules && !make_room(p, job, reading->seen.size))
		snprintf(job->findings.error, sizeof(job->findings.error), "out of memory");
	if (huge && job->bytes)
		read_beginning(reading->fd, job);
	while (more == 1) {
		uint64_t before = reading->offset;
		more = file_reading_step(reading, p->tools, p->digests);
		size_t len = (size_t)(reading->offset - before);
		if (huge || !job->bytes)
			continue;
		memcpy((char *)job->bytes + job->len, file_tools_chunk(p->tools), len);
		job->len += len;
	}
	/* that the type could not be told does not count */
	if (!huge && strncmp(job->outcome.error, "failed to read", strlen("failed to read")) == 0)
		take_error(job);
}

static void read_file(struct scan_pool *p, struct scan_job *job)
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
		read_content(p, job, &reading);
	else
		take_error(job);
	close(job->fd);
	job->fd = -1;
}

/* With the lock. */
static void put_read(struct scan_pool *p, struct scan_job *job)
{
	if (!job->bytes) {
		put_done(p, job);
		return;
	}
	STAILQ_INSERT_TAIL(&p->read, job, next);
	pthread_cond_signal(&p->match);
}

static void *run_reader(void *argument)
{
	struct scan_pool *p = argument;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct scan_job *job = STAILQ_FIRST(&p->fresh);
		if (!job) {
			pthread_cond_wait(&p->work, &p->lock);
			continue;
		}
		STAILQ_REMOVE_HEAD(&p->fresh, next);
		pthread_mutex_unlock(&p->lock);
		read_file(p, job);
		pthread_mutex_lock(&p->lock);
		put_read(p, job);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- matching ---- */

/* Of this thread alone. It can only be refused by a security module, and then matching is as safe as reading. */
static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_capset, &head, none);
}

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

static void *run_matcher(void *argument)
{
	struct matcher_thread *t = argument;
	struct scan_pool *p = t->pool;

	drop_capabilities();
	setpriority(PRIO_PROCESS, 0, NICE); /* of the thread, as Linux has it */
	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct scan_job *job = STAILQ_FIRST(&p->read);
		if (!job) {
			pthread_cond_wait(&p->match, &p->lock);
			continue;
		}
		STAILQ_REMOVE_HEAD(&p->read, next);
		pthread_mutex_unlock(&p->lock);
		match_content(t, job);
		pthread_mutex_lock(&p->lock);
		put_done(p, job);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- the pool ---- */

/* Signals are the main thread's. */
static int start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(thread, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

static int start_threads(struct scan_pool *p, uint32_t matchers)
{
	p->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (p->event_fd < 0)
		return -errno;
	p->tools = file_tools_new();
	p->digests = file_digests_new();
	p->matchers = calloc(matchers, sizeof(*p->matchers));
	if (!p->tools || !p->digests || !p->matchers)
		return -ENOMEM;
	int err = start_thread(&p->reader, run_reader, p);
	p->reader_runs = err == 0;
	/* counted one by one, so that a half-built pool can be freed */
	while (!err && p->matcher_count < matchers) {
		struct matcher_thread *t = &p->matchers[p->matcher_count];
		t->pool = p;
		err = start_thread(&t->thread, run_matcher, t);
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
	p->event_fd = -1;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->room, NULL);
	pthread_cond_init(&p->match, NULL);
	STAILQ_INIT(&p->fresh);
	STAILQ_INIT(&p->read);
	STAILQ_INIT(&p->done);

	int err = start_threads(p, matchers);
	if (err) {
		scan_pool_free(p);
		errno = -err;
		return NULL;
	}
	return p;
}

static void return_queue(struct scan_pool *p, struct scan_queue *queue)
{
	struct scan_job *job;

	while ((job = STAILQ_FIRST(queue))) {
		STAILQ_REMOVE_HEAD(queue, next);
		drop_content(p, job);
		put_done(p, job);
	}
}

void scan_pool_stop(struct scan_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	pthread_cond_broadcast(&p->room);
	pthread_cond_broadcast(&p->match);
	pthread_mutex_unlock(&p->lock);
	if (p->reader_runs)
		pthread_join(p->reader, NULL);
	p->reader_runs = false;
	for (uint32_t i = 0; i < p->matcher_count; i++) {
		pthread_join(p->matchers[i].thread, NULL);
		if (p->matchers[i].matcher)
			p->engine->matcher_free(p->matchers[i].matcher);
	}
	p->matcher_count = 0;
	return_queue(p, &p->fresh);
	return_queue(p, &p->read);
}

void scan_pool_free(struct scan_pool *p)
{
	if (!p)
		return;
	scan_pool_stop(p);
	file_tools_free(p->tools);
	file_digests_free(p->digests);
	free(p->matchers);
	if (p->event_fd >= 0)
		close(p->event_fd);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->room);
	pthread_cond_destroy(&p->match);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int scan_pool_event_fd(const struct scan_pool *p)
{
	return p->event_fd;
}

void scan_pool_add(struct scan_pool *p, struct scan_job *job, int fd)
{
	job->fd = fd;
	job->bytes = NULL;
	job->len = job->size = 0;
	job->owner = UINT32_MAX;
	job->findings = (struct findings){0};

	pthread_mutex_lock(&p->lock);
	STAILQ_INSERT_TAIL(&p->fresh, job, next);
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

struct scan_job *scan_pool_take_done(struct scan_pool *p)
{
	pthread_mutex_lock(&p->lock);
	struct scan_job *job = STAILQ_FIRST(&p->done);
	if (job)
		STAILQ_REMOVE_HEAD(&p->done, next);
	if (STAILQ_EMPTY(&p->done)) {
		eventfd_t value;
		eventfd_read(p->event_fd, &value);
	}
	pthread_mutex_unlock(&p->lock);
	if (!job)
		return NULL;
	if (job->fd >= 0)
		close(job->fd); /* only if the pool was stopped */
	job->fd = -1;
	return job;
}
