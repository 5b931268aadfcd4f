/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/file_peek.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"

/* A request and its answer. Its thread's while it is read, the main thread's before and after. */
struct job {
	struct mount_ns_view view;
	struct file_id known, wanted;
	bool has_known, has_wanted, whole;
	uint64_t offset;
	size_t max;
	int error;
	struct file_peek_result result;
	enum { JOB_WAITS, JOB_RUNS, JOB_DONE } state; /* with the lock */
	bool abandoned;                               /* with the lock */
	TAILQ_ENTRY(job) next;
	char path[];
};

struct file_peeker {
	struct mount_ns_table *namespaces;
	TAILQ_HEAD(, job) stuck;
	uint32_t stuck_count;
	uint64_t unanswered;
	pthread_t thread;
	bool runs;

	pthread_mutex_t lock; /* for the rest */
	pthread_cond_t asked;
	pthread_cond_t answered;
	struct job *job;
	bool stop;
};

static int read_piece(int fd, struct job *j, size_t size)
{
	struct file_peek_result *r = &j->result;

	r->text = malloc(size + 1);
	if (!r->text)
		return -ENOMEM;
	while (r->len < size) {
		ssize_t len = pread(fd, r->text + r->len, size - r->len, (off_t)(j->offset + r->len));
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -EIO;
		if (len == 0)
			break;
		r->len += (size_t)len;
	}
	return 0;
}

static int read_file(int path_fd, struct job *j)
{
	struct file_peek_result *r = &j->result;
	int err = file_id_read(path_fd, &r->id, NULL);

	if (err < 0)
		return err;
	if (j->has_wanted && !file_id_matches(&j->wanted, &r->id))
		return -ESTALE;
	r->unchanged = j->has_known && file_id_matches(&j->known, &r->id);
	if (r->unchanged)
		return 0;
	if (j->whole && r->id.size > j->max)
		return -EFBIG;
	int fd = mount_ns_reopen(path_fd);
	if (fd < 0)
		return fd;
	err = read_piece(fd, j, j->whole ? (size_t)r->id.size : j->max);
	if (!err && j->has_wanted)
		err = file_id_read(fd, &r->id, NULL);
	if (!err && j->has_wanted && !file_id_matches(&j->wanted, &r->id))
		err = -ESTALE;
	close(fd);
	return err;
}

static void answer(struct job *j)
{
	int fd = mount_ns_view_open(&j->view, j->path);

	j->error = fd < 0 ? fd : read_file(fd, j);
	if (fd >= 0)
		close(fd);
}

/* Until it is told to end, or finds itself left behind: another one has its place then. */
static void *run(void *argument)
{
	struct file_peeker *p = argument;
	bool abandoned = false;

	pthread_mutex_lock(&p->lock);
	while (!p->stop && !abandoned) {
		struct job *j = p->job;
		if (!j || j->state != JOB_WAITS) {
			pthread_cond_wait(&p->asked, &p->lock);
			continue;
		}
		j->state = JOB_RUNS;
		pthread_cond_signal(&p->answered);
		pthread_mutex_unlock(&p->lock);
		answer(j);
		pthread_mutex_lock(&p->lock);
		j->state = JOB_DONE;
		abandoned = j->abandoned;
		pthread_cond_signal(&p->answered);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void free_job(struct job *j)
{
	mount_ns_view_fini(&j->view);
	free(j->result.text);
	free(j);
}

/* Those that have come back after all. */
static void reap(struct file_peeker *p)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&p->stuck); j; j = next) {
		next = TAILQ_NEXT(j, next);
		pthread_mutex_lock(&p->lock);
		bool done = j->state == JOB_DONE;
		pthread_mutex_unlock(&p->lock);
		if (!done)
			continue;
		TAILQ_REMOVE(&p->stuck, j, next);
		p->stuck_count--;
		free_job(j);
	}
}

static bool is_hopeless(const struct file_peeker *p, uint64_t mnt_ns)
{
	const struct job *j;

	TAILQ_FOREACH(j, &p->stuck, next)
	{
		if (j->view.id == mnt_ns)
			return true;
	}
	return p->stuck_count >= FILE_PEEK_STUCK_MAX;
}

static struct job *new_job(struct file_peeker *p, const struct file_peek_request *request)
{
	size_t len = strlen(request->path);
	struct job *j = calloc(1, sizeof(*j) + len + 1);

	if (!j)
		return NULL;
	memcpy(j->path, request->path, len);
	j->has_known = request->known;
	if (request->known)
		j->known = *request->known;
	j->has_wanted = request->wanted;
	if (request->wanted)
		j->wanted = *request->wanted;
	j->offset = request->offset;
	j->max = request->max;
	j->whole = request->whole;
	mount_ns_view_init(p->namespaces, request->mnt_ns, request->pid, &j->view);
	/* Its old root, left by pivot_root, may show another file: good enough only where nothing is known yet. */
	if (request->known)
		mount_ns_view_fini(&j->view);
	return j;
}

/* False: there was no answer in time, and the thread is left behind with the job. What counts is the time since it began: a
 * machine may be too busy for it to begin. */
static bool await(struct file_peeker *p, struct job *j)
{
	struct timespec end;

	pthread_mutex_lock(&p->lock);
	p->job = j;
	pthread_cond_signal(&p->asked);
	while (j->state == JOB_WAITS)
		pthread_cond_wait(&p->answered, &p->lock);
	clock_gettime(CLOCK_MONOTONIC, &end);
	uint64_t ns = (uint64_t)end.tv_nsec + FILE_PEEK_PATIENCE_NS;
	end.tv_sec += (time_t)(ns / 1000000000);
	end.tv_nsec = (long)(ns % 1000000000);
	while (j->state == JOB_RUNS && pthread_cond_timedwait(&p->answered, &p->lock, &end) != ETIMEDOUT)
		;
	bool done = j->state == JOB_DONE;
	j->abandoned = !done;
	p->job = NULL;
	pthread_mutex_unlock(&p->lock);
	return done;
}

static void leave_behind(struct file_peeker *p, struct job *j)
{
	pthread_detach(p->thread);
	p->runs = false;
	p->unanswered++;
	p->stuck_count++;
	TAILQ_INSERT_TAIL(&p->stuck, j, next);
}

int file_peek(struct file_peeker *p, const struct file_peek_request *request, struct file_peek_result *ret)
{
	*ret = (struct file_peek_result){0};
	reap(p);
	if (is_hopeless(p, request->mnt_ns)) {
		p->unanswered++;
		return -EBUSY;
	}
	if (!p->runs) {
		int err = thread_start(&p->thread, run, p);
		if (err)
			return err;
		p->runs = true;
	}
	struct job *j = new_job(p, request);
	if (!j)
		return -ENOMEM;
	if (!await(p, j)) {
		leave_behind(p, j);
		return -ETIMEDOUT;
	}
	int err = j->error;
	if (!err) {
		*ret = j->result;
		j->result.text = NULL;
	}
	ret->id = j->result.id;
	free_job(j);
	return err;
}

uint32_t file_peek_stuck(const struct file_peeker *p)
{
	return p->stuck_count;
}

uint64_t file_peek_unanswered(const struct file_peeker *p)
{
	return p->unanswered;
}

struct file_peeker *file_peeker_new(struct mount_ns_table *namespaces)
{
	struct file_peeker *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (!p)
		return NULL;
	p->namespaces = namespaces;
	TAILQ_INIT(&p->stuck);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->asked, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->answered, &attr);
	pthread_condattr_destroy(&attr);
	return p;
}

bool file_peeker_free(struct file_peeker *p)
{
	if (!p)
		return true;
	reap(p);
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->asked);
	pthread_mutex_unlock(&p->lock);
	if (p->runs)
		pthread_join(p->thread, NULL);
	if (p->stuck_count)
		return false;
	pthread_cond_destroy(&p->answered);
	pthread_cond_destroy(&p->asked);
	pthread_mutex_destroy(&p->lock);
	free(p);
	return true;
}
