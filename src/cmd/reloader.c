/* SPDX-License-Identifier: GPL-3.0-or-later */
#define LOG_MODULE "kunai::reload"

#include "cmd/reloader.h"

#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/opener.h"
#include "base/thread.h"
#include "base/utc_clock.h"
#include "cmd/cmd.h"
#include "cmd/compile_helper.h"
#include "cmd/reload_status.h"
#include "detect/pattern_cache.h"

struct reloader {
	const struct config_scanner *config;
	pthread_t thread;
	bool running;
	int wake;  /* for the thread */
	int ready; /* for the pipeline */

	const struct helper *compiler;
	struct pattern_cache cache;

	struct scanner *scanner;         /* in use: the pipeline's, but for what any thread may do */
	struct detector_counters before; /* of those that were in use before it; the pipeline's */
	/* The thread's: */
	struct scanner *newest; /* in use, or about to be */
	bool uncompiled;        /* some of its patterns are */
	struct reload_status status;

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

/* ---- what the threads tell each other ---- */

static bool is_stopped(struct reloader *r)
{
	pthread_mutex_lock(&r->lock);
	bool stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return stop;
}

static bool is_requested(struct reloader *r)
{
	pthread_mutex_lock(&r->lock);
	bool requested = r->requested;
	pthread_mutex_unlock(&r->lock);
	return requested;
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

static void keep_capabilities(uint64_t kept)
{
	int err = thread_keep_capabilities(kept);

	if (err)
		log_warn("the thread that reads rules keeps its capabilities: %s", strerror(-err));
}

struct loading {
	const struct config_scanner *config;
	enum path_policy policy;
	struct problems *problems;
	struct scanner *scanner;
	int err;
};

static void load_here(void *context)
{
	struct loading *l = context;

	keep_capabilities(0);
	l->err = cmd_read_scanner(l->config, l->policy, l->problems, &l->scanner);
}

/* What rules and indicators are made of may come from anywhere: the thread that reads them can do nothing else. */
static int load(struct reloader *r, enum path_policy policy, struct problems *problems, struct scanner **ret)
{
	struct loading l = {.config = r->config, .policy = policy, .problems = problems};

	int err = opener_run("kunai-load", load_here, &l);
	if (err || l.err)
		return err ? err : l.err;
	*ret = l.scanner;
	return 0;
}

static struct scanner *load_anew(struct reloader *r)
{
	struct problems problems = {0};
	struct scanner *scanner = NULL;

	int err = load(r, PATHS_MUST_EXIST, &problems, &scanner);
	log_problems(r, &problems);
	if (err && !problems.errors) {
		log_error("cannot load the rules and IoCs: %s", strerror(-err));
		buf_printf(&r->status.text, "cannot load the rules and IoCs: %s\n", strerror(-err));
	}
	problems_fini(&problems);
	return scanner;
}

/* ---- compiling ---- */

static int find_in_cache(void *context, struct pattern_set *set)
{
	struct reloader *r = context;

	if (r->cache.fd < 0)
		return -ENOENT;
	int err = pattern_cache_read(&r->cache, set);
	if (err && err != -ENOENT)
		log_warn("compiled patterns in " CACHE_DIRECTORY " cannot be used: %s", strerror(-err));
	return err;
}

static int make_by_helper(void *context, struct pattern_set *set)
{
	struct reloader *r = context;
	struct buf image = {0};

	int err = compile_helper_run(r->compiler, set, r->wake, &image);
	if (!err && r->cache.fd >= 0) {
		int cache_err = pattern_cache_write(&r->cache, set, &image);
		if (cache_err)
			log_warn("cannot keep compiled patterns in " CACHE_DIRECTORY ": %s",
				 strerror(-cache_err));
	}
	buf_fini(&image);
	if (err && err != -ECANCELED)
		log_warn("cannot compile %u patterns, they cost more than they could: %s", set->count,
			 strerror(-err));
	return err;
}

static struct pattern_source source_of(struct reloader *r)
{
	return (struct pattern_source){.context = r, .find = find_in_cache, .make = make_by_helper};
}

static void find_compiled(struct reloader *r, struct scanner *scanner)
{
	const struct pattern_source source = source_of(r);
	int err = scanner_find_compiled(scanner, &source);

	r->uncompiled = err == -EAGAIN;
	if (err == -ENOMEM)
		log_warn("no memory for compiled rules: they cost more than they could");
}

static void open_cache(struct reloader *r)
{
	int err = pattern_cache_open(CACHE_DIRECTORY, true, &r->cache);

	if (err)
		log_warn("cannot keep compiled patterns in " CACHE_DIRECTORY
			 ", they are made at each start: %s",
			 err == -EPERM ? "others may write there, or own it" : strerror(-err));
}

/* ---- the thread ---- */

/* Ends early when there is something else to do, and is called again then. */
static void compile(struct reloader *r)
{
	const struct pattern_source source = source_of(r);
	uint64_t begun = boot_time_now();

	clear(r->wake);
	if (is_stopped(r) || is_requested(r))
		return;
	int err = scanner_compile(r->newest, &source);
	r->uncompiled = err == -ECANCELED;
	if (!err)
		log_info("the patterns of the rules were compiled in %.1f s",
			 (double)(boot_time_now() - begun) / 1e9);
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

	if (scanner_adopt(scanner, r->newest) < 0)
		log_warn("no memory for compiled rules: they cost more than they could");
	find_compiled(r, scanner);
	r->newest = scanner;
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
}

static void reload(struct reloader *r)
{
	r->status.begun++;
	buf_reset(&r->status.text);
	write_status(r);
	struct scanner *scanner = load_anew(r);
	if (scanner)
		hand_over(r, scanner);
	else
		refuse(r);
}

static void *run(void *context)
{
	struct reloader *r = context;

	keep_capabilities(UINT64_C(1) << CAP_DAC_READ_SEARCH); /* it opens the files */
	while (!is_stopped(r)) {
		if (take_request(r))
			reload(r);
		else if (r->uncompiled)
			compile(r);
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

static void add_counters(struct detector_counters *sum, const struct detector_counters *more)
{
	sum->events += more->events;
	sum->regex_limits += more->regex_limits;
	sum->regex_failures += more->regex_failures;
	sum->scans += more->scans;
	sum->recalled += more->recalled;
	sum->confirmed += more->confirmed;
	sum->slow += more->slow;
	sum->candidates += more->candidates;
}

struct detector_counters reloader_counters(const struct reloader *r)
{
	struct detector_counters sum = r->before, now = scanner_counters(r->scanner);

	add_counters(&sum, &now);
	return sum;
}

enum reload_result reloader_take(struct reloader *r)
{
	enum reload_result result = RELOAD_NOTHING;

	clear(r->ready);
	pthread_mutex_lock(&r->lock);
	if (r->loaded) {
		r->before = reloader_counters(r);
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

static int load_first(struct reloader *r)
{
	struct problems problems = {0};

	int err = load(r, PATHS_MAY_BE_MISSING, &problems, &r->scanner);
	return cmd_conclude_load(err, &problems);
}

int reloader_open(const struct config_scanner *config, const struct helper *compiler, struct reloader **ret)
{
	struct reloader *r = calloc(1, sizeof(*r));
	if (!r)
		return cmd_fail("out of memory");

	*r = (struct reloader){
		.config = config, .compiler = compiler, .cache.fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER};
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int status = r->wake < 0 || r->ready < 0 ? cmd_fail("cannot make an eventfd: %s", strerror(errno))
						 : load_first(r);
	if (status) {
		reloader_close(r);
		return status;
	}
	r->newest = r->scanner;
	if (config->rules.count)
		open_cache(r);
	find_compiled(r, r->scanner);
	malloc_trim(0); /* what loading took */
	*ret = r;
	return EXIT_SUCCESS;
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
	pattern_cache_close(&r->cache);
	reload_status_fini(&r->status);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
