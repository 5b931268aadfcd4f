/* SPDX-License-Identifier: GPL-3.0-or-later */
#define LOG_MODULE "kunai::reload"

#include "cmd/reloader.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/reload_status.h"

struct reloader {
	const struct config_scanner *config;
	pthread_t thread;
	bool running;
	int wake;  /* for the thread */
	int ready; /* for the pipeline */
	atomic_bool compiling;

	struct scanner *scanner;     /* in use: the pipeline's, but for what any thread may do */
	struct reload_status status; /* the thread's */

	pthread_mutex_t lock; /* of what follows */
	bool stop;
	bool requested;
	bool failed;             /* the last one, and the pipeline does not know */
	struct scanner *loaded;  /* waits for the pipeline */
	struct scanner *retired; /* the pipeline has done with it */
};

static void notify(int fd)
{
	uint64_t one = 1;

	/* it can only fail when it is readable already */
	(void)!write(fd, &one, sizeof(one));
}

static void clear(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof(count));
}

/* ---- the thread ---- */

static bool is_stopped(struct reloader *r)
{
	pthread_mutex_lock(&r->lock);
	bool stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return stop;
}

static bool take_request(struct reloader *r)
{
	pthread_mutex_lock(&r->lock);
	bool requested = r->requested;
	r->requested = false;
	pthread_mutex_unlock(&r->lock);
	return requested;
}

static struct scanner *take_retired(struct reloader *r)
{
	pthread_mutex_lock(&r->lock);
	struct scanner *retired = r->retired;
	r->retired = NULL;
	pthread_mutex_unlock(&r->lock);
	return retired;
}

static void await_wake(struct reloader *r)
{
	struct pollfd fd = {.fd = r->wake, .events = POLLIN};

	poll(&fd, 1, -1);
	clear(r->wake);
}

static void write_status(struct reloader *r)
{
	int err = reload_status_write(&r->status);

	if (err)
		log_warn("cannot tell `kunai reload` how it went: %s", strerror(-err));
}

static void finish(struct reloader *r, bool failed)
{
	r->status.failed = failed;
	r->status.finished = r->status.begun;
	write_status(r);
}

static void log_problem(struct reloader *r, const struct problem *p)
{
	struct buf *text = &r->status.text;
	size_t start = text->len;

	problem_add_text(p, text);
	if (text->failed)
		return;
	log_write(p->level == PROBLEM_ERROR ? LOG_ERROR : LOG_WARN, LOG_MODULE, "%.*s",
		  (int)(text->len - start), text->p + start);
	buf_add_char(text, '\n');
}

static void log_problems(struct reloader *r, const struct problems *problems)
{
	for (uint32_t i = 0; i < problems->count; i++)
		log_problem(r, &problems->v[i]);
	if (problems->dropped)
		log_error("%u more problems", problems->dropped);
}

static struct scanner *load(struct reloader *r)
{
	struct problems problems = {0};
	struct scanner *scanner = NULL;

	int err = cmd_read_scanner(r->config, PATHS_MUST_EXIST, &problems, &scanner);
	log_problems(r, &problems);
	if (err && !problems.errors) {
		log_error("cannot load the rules and IoCs: %s", strerror(-err));
		buf_printf(&r->status.text, "cannot load the rules and IoCs: %s\n", strerror(-err));
	}
	problems_fini(&problems);
	return scanner;
}

static void compile(struct reloader *r, struct scanner *scanner)
{
	r->compiling = true;
	if (scanner_compile(scanner) < 0)
		log_warn("no memory to compile the rules: they cost more than they could");
	r->compiling = false;
}

static void refuse(struct reloader *r)
{
	log_error("the reload failed: the old rules and IoCs stay");
	pthread_mutex_lock(&r->lock);
	r->failed = true;
	pthread_mutex_unlock(&r->lock);
	notify(r->ready);
	finish(r, true);
}

static void log_facts(struct reloader *r, const struct scanner *scanner)
{
	struct ruleset_facts facts = ruleset_facts(scanner_rules(scanner));
	struct buf *text = &r->status.text;
	size_t start = text->len;

	buf_printf(text, "%u detections, %u filters, %u dependencies and %u IoCs are in use\n",
		   facts.detections, facts.filters, facts.dependencies, scanner_ioc_count(scanner));
	if (!text->failed)
		log_info("%.*s", (int)(text->len - start) - 1, text->p + start);
}

/* Waits until the pipeline matches with it. */
static void hand_over(struct reloader *r, struct scanner *scanner)
{
	struct scanner *retired;

	pthread_mutex_lock(&r->lock);
	r->loaded = scanner;
	pthread_mutex_unlock(&r->lock);
	notify(r->ready);
	while (!(retired = take_retired(r)) && !is_stopped(r))
		await_wake(r);
	if (!retired)
		return;
	scanner_free(retired);
	malloc_trim(0); /* it was large, and so was what loading took */
	log_facts(r, scanner);
	finish(r, false);
	compile(r, scanner);
}

static void reload(struct reloader *r)
{
	r->status.begun++;
	buf_reset(&r->status.text);
	write_status(r);
	struct scanner *scanner = load(r);
	if (scanner)
		hand_over(r, scanner);
	else
		refuse(r);
}

static void *run(void *context)
{
	struct reloader *r = context;

	compile(r, r->scanner);
	while (!is_stopped(r)) {
		if (take_request(r))
			reload(r);
		else
			await_wake(r);
	}
	return NULL;
}

/* ---- the pipeline ---- */

void reloader_request(struct reloader *r)
{
	pthread_mutex_lock(&r->lock);
	r->requested = true;
	pthread_mutex_unlock(&r->lock);
	notify(r->wake);
}

int reloader_fd(const struct reloader *r)
{
	return r->ready;
}

struct scanner *reloader_scanner(const struct reloader *r)
{
	return r->scanner;
}

bool reloader_is_compiling(const struct reloader *r)
{
	return r->compiling;
}

enum reload_result reloader_take(struct reloader *r)
{
	enum reload_result result = RELOAD_NOTHING;

	clear(r->ready);
	pthread_mutex_lock(&r->lock);
	if (r->loaded) {
		r->retired = r->scanner;
		r->scanner = r->loaded;
		r->loaded = NULL;
		result = RELOAD_DONE;
	} else if (r->failed) {
		r->failed = false;
		result = RELOAD_FAILED;
	}
	pthread_mutex_unlock(&r->lock);
	if (result == RELOAD_DONE)
		notify(r->wake);
	return result;
}

/* ---- life ---- */

int reloader_open(const struct config_scanner *config, struct reloader **ret)
{
	struct reloader *r = calloc(1, sizeof(*r));
	if (!r)
		return cmd_fail("out of memory");

	*r = (struct reloader){.config = config, .lock = PTHREAD_MUTEX_INITIALIZER};
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int status = r->wake < 0 || r->ready < 0 ? cmd_fail("cannot make an eventfd: %s", strerror(errno))
						 : cmd_load_scanner(config, &r->scanner);
	if (status)
		reloader_close(r);
	else
		*ret = r;
	return status;
}

int reloader_start(struct reloader *r)
{
	reload_status_remove(); /* that of a sensor before us */
	int err = pthread_create(&r->thread, NULL, run, r);
	r->running = err == 0;
	return -err;
}

static void stop(struct reloader *r)
{
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_mutex_unlock(&r->lock);
	notify(r->wake);
	pthread_join(r->thread, NULL);
	reload_status_remove();
}

void reloader_close(struct reloader *r)
{
	if (!r)
		return;
	if (r->running)
		stop(r);
	if (r->wake >= 0)
		close(r->wake);
	if (r->ready >= 0)
		close(r->ready);
	scanner_free(r->loaded);
	scanner_free(r->retired);
	scanner_free(r->scanner);
	reload_status_fini(&r->status);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
