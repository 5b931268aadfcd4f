/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/file_scans.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "event/copy.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* What came of a file; shared by its event and the cache. Never changes. */
struct scan_result {
	uint32_t references;
	const struct file_hashes *hashes;
	struct findings findings;
};

struct cache_entry {
	struct file_id id;
	struct scan_result *result;
	UT_hash_handle hh;
	uint32_t key_len;
	char key[]; /* the namespace, then the path's bytes */
};

struct file_scan {
	struct scan_job job;
	struct scan_source *source;
	struct str shown;
	struct scan_result *known;  /* the result if the file still is job.cached */
	struct scan_result *result; /* NULL until it is done */
};

/* An event whose files are scanned: in one block with its texts. */
struct scan_source {
	TAILQ_ENTRY(scan_source) next;
	struct wire_header wire;
	struct obj_info info;
	struct file_scan files[FILE_SCANS_TARGETS_MAX];
	uint32_t count;
	uint32_t told;
	bool listed;
	char *keys[FILE_SCANS_TARGETS_MAX];
	uint32_t key_lens[FILE_SCANS_TARGETS_MAX];
	_Alignas(8) char bytes[];
};

TAILQ_HEAD(source_list, scan_source);

struct file_scans {
	const struct content_engine *engine;
	struct scan_pool *pool;
	struct mount_ns_table *namespaces;
	struct cache_entry *cache;  /* least recently used first */
	void *rules;                /* that the cache is about; a reference */
	struct source_list ready;   /* their next file is done */
	struct source_list waiting; /* all others */
	struct scan_source *last;   /* its event was given out */
	struct file_scan_stats stats;
};

/* ---- results ---- */

static void release_result(struct scan_result *r)
{
	if (!r || --r->references > 0)
		return;
	file_hashes_release(r->hashes);
	findings_fini(&r->findings);
	free(r);
}

static struct scan_result *share_result(struct scan_result *r)
{
	r->references++;
	return r;
}

/* Takes the findings. NULL when memory is short. */
static struct scan_result *new_result(const struct file_outcome *outcome, struct findings *findings)
{
	struct scan_result *r = calloc(1, sizeof(*r));

	if (!r) {
		findings_fini(findings);
		return NULL;
	}
	r->references = 1;
	r->hashes = file_hashes_new(outcome);
	r->findings = *findings;
	*findings = (struct findings){0};
	return r;
}

/* ---- the cache ---- */

static void drop_cached(struct file_scans *s, struct cache_entry *e)
{
	HASH_DEL(s->cache, e);
	release_result(e->result);
	free(e);
}

static void clear_cache(struct file_scans *s)
{
	while (s->cache)
		drop_cached(s, s->cache);
}

/* Other rules find other things. */
static void use_rules(struct file_scans *s, void *rules)
{
	if (rules == s->rules)
		return;
	clear_cache(s);
	if (s->rules)
		s->engine->release(s->rules);
	s->rules = rules ? s->engine->share(rules) : NULL;
}

static void look_up(struct file_scans *s, struct file_scan *f, const char *key, uint32_t len)
{
	struct cache_entry *e;

	HASH_FIND(hh, s->cache, key, len, e);
	if (!e)
		return;
	f->known = share_result(e->result);
	f->job.cached = e->id;
}

static void remember(struct file_scans *s, const struct file_scan *f, const char *key, uint32_t len)
{
	struct cache_entry *e;

	HASH_FIND(hh, s->cache, key, len, e);
	if (e)
		drop_cached(s, e);
	if (HASH_COUNT(s->cache) >= FILE_SCANS_CACHE_MAX)
		drop_cached(s, s->cache);
	e = malloc(sizeof(*e) + len);
	if (!e)
		return;
	*e = (struct cache_entry){.id = f->result == f->known ? f->job.cached : f->job.outcome.id,
				  .key_len = len};
	memcpy(e->key, key, len);
	e->result = share_result(f->result);
	/* the table keeps the order of insertion, so what was used goes to its end */
	HASH_ADD_KEYPTR(hh, s->cache, e->key, e->key_len, e);
	if (!e->hh.tbl) {
		release_result(e->result);
		free(e);
	}
}

/* ---- sources ---- */

static size_t source_size(const struct event *event, const struct scan_target *targets, uint32_t count)
{
	size_t size = sizeof(struct scan_source) + event_info_size(&event->info);

	for (uint32_t i = 0; i < count; i++)
		size += targets[i].shown.len + sizeof(uint64_t) + targets[i].raw.len + 1;
	return size;
}

static char *put(char **at, const void *bytes, size_t len)
{
	char *to = *at;

	if (len)
		memcpy(to, bytes, len);
	*at += len;
	return to;
}

static struct scan_source *new_source(const struct event *event, const struct scan_target *targets,
				      uint32_t count)
{
	struct scan_source *source = calloc(1, source_size(event, targets, count));
	uint64_t mnt_ns = event->wire ? wire_mnt_ns(&event->wire->task) : 0;

	if (!source)
		return NULL;
	source->info = event_info_copy(&event->info, source->bytes);
	if (event->wire)
		source->wire = *event->wire;
	source->count = count;
	char *at = source->bytes + event_info_size(&event->info);
	for (uint32_t i = 0; i < count; i++) {
		struct file_scan *f = &source->files[i];
		f->source = source;
		f->shown = (struct str){put(&at, targets[i].shown.p, targets[i].shown.len),
					targets[i].shown.len};
		source->keys[i] = put(&at, &mnt_ns, sizeof(mnt_ns));
		f->job.path = put(&at, targets[i].raw.p, targets[i].raw.len);
		source->key_lens[i] = (uint32_t)sizeof(mnt_ns) + targets[i].raw.len;
		put(&at, "", 1);
	}
	return source;
}

static void free_source(struct file_scans *s, struct scan_source *source)
{
	for (uint32_t i = 0; i < source->count; i++) {
		struct file_scan *f = &source->files[i];
		release_result(f->known);
		release_result(f->result);
		findings_fini(&f->job.findings);
		mount_ns_view_fini(&f->job.view);
		if (f->job.rules)
			s->engine->release(f->job.rules);
	}
	free(source);
}

/* In the list that its next file belongs to. */
static void list_source(struct file_scans *s, struct scan_source *source)
{
	struct file_scan *next = &source->files[source->told];

	if (next->result)
		TAILQ_INSERT_TAIL(&s->ready, source, next);
	else
		TAILQ_INSERT_TAIL(&s->waiting, source, next);
}

static void complete(struct file_scans *s, struct file_scan *f, struct scan_result *result)
{
	struct scan_source *source = f->source;
	bool was_next = f == &source->files[source->told];

	f->result = result;
	if (!was_next || !source->listed)
		return;
	TAILQ_REMOVE(&s->waiting, source, next);
	TAILQ_INSERT_TAIL(&s->ready, source, next);
}

/* There must be a result: one without memory says so. */
static struct scan_result no_memory = {.references = 1};

static struct scan_result *result_of(const struct file_outcome *outcome, struct findings *findings)
{
	static const struct file_outcome none;
	struct scan_result *r = new_result(outcome, findings);

	if (r)
		return r;
	if (!no_memory.hashes) {
		struct file_outcome o = none;
		file_outcome_fail(&o, OUTCOME_FOUND, "out of memory");
		no_memory.hashes = file_hashes_new(&o);
		strcpy(no_memory.findings.error, "out of memory");
	}
	return share_result(&no_memory);
}

static void refuse(struct file_scans *s, struct file_scan *f, const char *why)
{
	struct findings findings = {0};

	file_outcome_fail(&f->job.outcome, OUTCOME_NOT_FOUND, "%s", why);
	memcpy(findings.error, f->job.outcome.error, sizeof(findings.error));
	s->stats.refused++;
	complete(s, f, result_of(&f->job.outcome, &findings));
}

/* A path as the kernel has it holds no NUL and is not longer than this; what was cut or detached leads nowhere. */
static bool is_findable(const struct scan_target *t)
{
	bool is_text = t->raw.len > 0 && t->raw.len < PATH_MAX && !memchr(t->raw.p, 0, t->raw.len);

	return is_text && (t->fd >= 0 || t->raw.p[0] == '/');
}

static void start(struct file_scans *s, struct file_scan *f, const struct scan_target *target, uint32_t pid,
		  void *rules)
{
	struct scan_source *source = f->source;
	size_t i = (size_t)(f - source->files);
	uint64_t mnt_ns;

	memcpy(&mnt_ns, source->keys[i], sizeof(mnt_ns));
	f->job.wanted = target->wanted;
	f->job.rules = rules ? s->engine->share(rules) : NULL;
	look_up(s, f, source->keys[i], source->key_lens[i]);
	mount_ns_view_init(s->namespaces, mnt_ns, pid, &f->job.view);
	s->stats.pending++;
	scan_pool_add(s->pool, &f->job, target->fd);
}

static void start_or_refuse(struct file_scans *s, struct file_scan *f, const struct scan_target *target,
			    uint32_t pid, void *rules)
{
	const char *why = NULL;

	if (!is_findable(target))
		why = "metadata is needed for ebpf path";
	else if (s->stats.pending >= FILE_SCANS_PENDING_MAX)
		why = "too many files are waiting";
	if (!why) {
		start(s, f, target, pid, rules);
		return;
	}
	if (target->fd >= 0)
		close(target->fd);
	refuse(s, f, why);
}

void file_scans_request(struct file_scans *s, struct mount_ns_table *namespaces, const struct event *event,
			const struct scan_target *targets, uint32_t count, void *rules)
{
	uint32_t pid = event->wire ? event->wire->task.tgid : 0;
	struct scan_source *source = count ? new_source(event, targets, count) : NULL;

	s->namespaces = namespaces;
	s->stats.requested += count;
	if (!source) {
		s->stats.refused += count;
		for (uint32_t i = 0; i < count; i++)
			if (targets[i].fd >= 0)
				close(targets[i].fd);
		return;
	}
	use_rules(s, rules);
	for (uint32_t i = 0; i < count; i++)
		start_or_refuse(s, &source->files[i], &targets[i], pid, rules);
	list_source(s, source);
	source->listed = true;
}

static void finish(struct file_scans *s, struct scan_job *job)
{
	struct file_scan *f = (struct file_scan *)((char *)job - offsetof(struct file_scan, job));
	size_t i = (size_t)(f - f->source->files);
	struct scan_result *result;

	s->stats.pending--;
	if (job->outcome.kind == OUTCOME_SAME && f->known) {
		s->stats.hits++;
		findings_fini(&job->findings);
		result = share_result(f->known);
	} else {
		s->stats.scanned += job->outcome.kind == OUTCOME_FOUND;
		s->stats.failed += job->outcome.kind == OUTCOME_NOT_FOUND;
		s->stats.timed_out += job->findings.timed_out;
		result = result_of(&job->outcome, &job->findings);
	}
	s->stats.positive += result->findings.count > 0;
	/* what takes too long once takes too long again: that, too, is remembered */
	bool keep = result == f->known ||
		    (job->outcome.cacheable && strcmp(result->findings.error, "out of memory") != 0);
	complete(s, f, result);
	if (keep && job->rules == s->rules)
		remember(s, f, f->source->keys[i], f->source->key_lens[i]);
}

/* ---- events ---- */

static struct strv names_of(const struct findings *f, struct arena *a)
{
	struct str *v = arena_alloc(a, (f->count + 1) * sizeof(*v));
	uint32_t n = 0;

	for (size_t at = 0; v && at < f->size; at += v[n++].len + 1)
		v[n] = str_of(f->names + at);
	return (struct strv){v, n};
}

static void make_event(const struct file_scan *f, struct arena *arena, struct event *ret)
{
	const struct file_hashes *h = f->result->hashes;
	const struct findings *findings = &f->result->findings;

	event_make(ret, EVENT_file_scan, arena);
	const struct obj_event_id id = ret->info.event;
	ret->wire = &f->source->wire;
	ret->info = f->source->info;
	ret->info.event.id = id.id;
	ret->info.event.name = id.name;
	ret->data.file_scan = (struct data_file_scan){
		.path = f->shown,
		.meta =
			{
				.magic = str_of(h->magic),
				.md5 = str_of(h->md5),
				.sha1 = str_of(h->sha1),
				.sha256 = str_of(h->sha256),
				.sha512 = str_of(h->sha512),
				.size = h->size,
				.error = str_of(h->error),
			},
		.signatures = names_of(findings, arena),
		.positives = findings->count,
		.source_event = f->source->info.event.uuid,
		.scan_error = str_of(findings->error[0] ? findings->error : NULL),
	};
}

bool file_scans_next(struct file_scans *s, struct arena *arena, struct event *ret)
{
	struct scan_job *job;

	if (s->last)
		free_source(s, s->last);
	s->last = NULL;
	while (TAILQ_EMPTY(&s->ready) && (job = scan_pool_take_done(s->pool)))
		finish(s, job);
	struct scan_source *source = TAILQ_FIRST(&s->ready);
	if (!source)
		return false;
	TAILQ_REMOVE(&s->ready, source, next);
	make_event(&source->files[source->told++], arena, ret);
	if (source->told < source->count)
		list_source(s, source);
	else
		s->last = source;
	return true;
}

/* ---- all of it ---- */

int file_scans_fd(const struct file_scans *s)
{
	return scan_pool_event_fd(s->pool);
}

struct file_scans *file_scans_new(const struct content_engine *engine, uint32_t matchers, uint32_t timeout_s)
{
	struct file_scans *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	TAILQ_INIT(&s->ready);
	TAILQ_INIT(&s->waiting);
	s->engine = engine;
	s->pool = scan_pool_new(engine, matchers, timeout_s);
	if (!s->pool) {
		free(s);
		return NULL;
	}
	return s;
}

static void free_sources(struct file_scans *s, struct source_list *list)
{
	struct scan_source *source;

	while ((source = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, source, next);
		free_source(s, source);
	}
}

void file_scans_watch(struct file_scans *s, uint64_t now)
{
	s->stats.stuck = scan_pool_watch(s->pool, now);
}

bool file_scans_free(struct file_scans *s)
{
	if (!s)
		return true;
	if (!scan_pool_stop(s->pool))
		return false;
	while (scan_pool_take_done(s->pool))
		;
	if (s->last)
		free_source(s, s->last);
	free_sources(s, &s->ready);
	free_sources(s, &s->waiting);
	use_rules(s, NULL);
	clear_cache(s);
	scan_pool_free(s->pool);
	free(s);
	return true;
}

void file_scans_read_stats(const struct file_scans *s, struct file_scan_stats *ret)
{
	*ret = s->stats;
}
