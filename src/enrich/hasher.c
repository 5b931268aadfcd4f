/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/hasher.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "enrich/hash_pool.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* The namespace, then the path's bytes. */
struct key {
	uint32_t len;
	char bytes[sizeof(uint64_t) + PATH_MAX]; /* ends in NUL, which len does not count */
};

/* A request from submission to its last ticket. */
struct hash_ticket {
	uint32_t references; /* tickets, and one of the hasher while it is pending */
	bool listed;         /* in the table of requests that others can join */
	const struct file_hashes *result;
	const struct file_hashes *cached; /* the result if the file still is job.cached */
	struct hash_job job;
	UT_hash_handle hh;
	uint32_t key_len;
	char key[];
};

struct cache_entry {
	struct file_id id;
	const struct file_hashes *hashes;
	UT_hash_handle hh;
	uint32_t key_len;
	char key[];
};

struct hasher {
	struct cache_entry *cache; /* least recently used first */
	struct hash_ticket *joinable;
	struct hasher_stats stats;
	struct hash_pool *pool;
};

static struct hash_ticket *ticket_of(struct hash_job *job)
{
	return (struct hash_ticket *)((char *)job - offsetof(struct hash_ticket, job));
}

static bool make_key(struct key *k, uint64_t mnt_ns, struct str path)
{
	if (path.len == 0 || path.len >= PATH_MAX || memchr(path.p, 0, path.len))
		return false;
	k->len = (uint32_t)sizeof(mnt_ns) + path.len;
	memcpy(k->bytes, &mnt_ns, sizeof(mnt_ns));
	memcpy(k->bytes + sizeof(mnt_ns), path.p, path.len);
	k->bytes[k->len] = '\0';
	return true;
}

static struct cache_entry *find_cached(struct hasher *h, const struct key *k)
{
	struct cache_entry *e;
	HASH_FIND(hh, h->cache, k->bytes, k->len, e);
	return e;
}

static void drop_cached(struct hasher *h, struct cache_entry *e)
{
	HASH_DEL(h->cache, e);
	file_hashes_release(e->hashes);
	free(e);
}

/* The table keeps the order of insertion, so what was used goes to its end. */
static void touch_cached(struct hasher *h, struct cache_entry *e)
{
	HASH_DEL(h->cache, e);
	HASH_ADD_KEYPTR(hh, h->cache, e->key, e->key_len, e);
	if (!e->hh.tbl) {
		file_hashes_release(e->hashes);
		free(e);
	}
}

static void store_cached(struct hasher *h, const struct hash_ticket *t)
{
	struct cache_entry *e;
	HASH_FIND(hh, h->cache, t->key, t->key_len, e);
	if (e)
		drop_cached(h, e);
	if (HASH_COUNT(h->cache) >= HASHER_CACHE_MAX)
		drop_cached(h, h->cache);

	e = malloc(sizeof(*e) + t->key_len);
	if (!e)
		return;
	*e = (struct cache_entry){.id = t->job.outcome.id, .key_len = t->key_len};
	memcpy(e->key, t->key, t->key_len);
	e->hashes = file_hashes_share(t->result);
	HASH_ADD_KEYPTR(hh, h->cache, e->key, e->key_len, e);
	if (!e->hh.tbl) {
		file_hashes_release(e->hashes);
		free(e);
	}
}

static void unlist(struct hasher *h, struct hash_ticket *t)
{
	if (t->listed)
		HASH_DEL(h->joinable, t);
	t->listed = false;
}

static void unreference(struct hash_ticket *t)
{
	if (--t->references > 0)
		return;
	file_hashes_release(t->result);
	free(t);
}

static void retire(struct hasher *h, struct hash_ticket *t)
{
	unlist(h, t);
	mount_ns_view_fini(&t->job.view);
	file_hashes_release(t->cached);
	t->cached = NULL;
	h->stats.pending--;
	unreference(t);
}

static const struct file_hashes *refuse(const char *why)
{
	struct file_outcome o = {0};
	file_outcome_fail(&o, OUTCOME_NOT_FOUND, "%s", why);
	return file_hashes_new(&o);
}

/* Whatever its ctime: that changes when a link goes, and an overlay shows a layer's. It only proves that nothing
 * changed. */
static bool is_wanted(const struct file_id *wanted, const struct file_id *seen)
{
	struct file_id id = *wanted;

	id.known &= ~(uint32_t)FILE_ID_CTIME;
	return file_id_matches(&id, seen);
}

static int open_exe(struct mount_ns_table *namespaces, const struct hash_request *request,
		    struct file_id *ret_id)
{
	if (request->exe_of == 0 || !(request->id.known & FILE_ID_INODE))
		return -1;
	int fd = mount_ns_open_exe(namespaces, request->exe_of);
	if (fd < 0)
		return -1;

	struct file_id id;
	if (file_id_read(fd, &id, NULL) < 0 || !is_wanted(&request->id, &id)) {
		close(fd);
		return -1;
	}
	*ret_id = id;
	return fd;
}

/* What outlives the process, or else what the process still has. */
static int open_executed(struct hasher *h, struct mount_ns_table *namespaces,
			 const struct hash_request *request, struct file_id *ret_id)
{
	if (!hash_pool_has_room_for_fd(h->pool))
		return -1;
	int fd = request->opened
			 ? exec_files_take(request->opened, request->opened_by, &request->id, request->path)
			 : -1;
	if (fd < 0)
		return open_exe(namespaces, request, ret_id);
	if (file_id_read(fd, ret_id, NULL) == 0)
		return fd;
	close(fd);
	return -1;
}

/*
 * A request can be joined until its file is opened: afterwards the file may change once more within one tick of the
 * clock, and the new request asks for the new content.
 */
static struct hash_ticket *join(struct hasher *h, const struct key *k, const struct file_id *id)
{
	struct hash_ticket *t;
	HASH_FIND(hh, h->joinable, k->bytes, k->len, t);
	if (!t || t->job.wanted.known != id->known || !file_id_matches(&t->job.wanted, id))
		return NULL;
	return hash_pool_has_started(h->pool, &t->job) ? NULL : t;
}

static struct hash_ticket *new_ticket(struct hasher *h, const struct key *k, const struct file_id *id)
{
	struct hash_ticket *t = calloc(1, sizeof(*t) + k->len + 1);
	if (!t)
		return NULL;
	t->references = 1;
	t->job.wanted = *id;
	t->job.path = t->key + sizeof(uint64_t);
	t->key_len = k->len;
	memcpy(t->key, k->bytes, k->len + 1);

	struct hash_ticket *older;
	HASH_FIND(hh, h->joinable, t->key, t->key_len, older);
	if (older)
		unlist(h, older);
	HASH_ADD_KEYPTR(hh, h->joinable, t->key, t->key_len, t);
	t->listed = t->hh.tbl != NULL;
	return t;
}

/* The result if the cache can tell without a look at the file. */
static const struct file_hashes *lookup(struct hasher *h, const struct key *k, const struct file_id *id)
{
	struct cache_entry *e = find_cached(h, k);
	if (!e || id->known != FILE_ID_ALL || !file_id_matches(id, &e->id))
		return NULL;
	const struct file_hashes *hashes = file_hashes_share(e->hashes);
	h->stats.hits++;
	touch_cached(h, e);
	return hashes;
}

static void start(struct hasher *h, struct mount_ns_table *namespaces, const struct hash_request *request,
		  const struct key *k, struct hash_ticket *t, int fd)
{
	struct cache_entry *e = find_cached(h, k);
	if (e && is_wanted(&t->job.wanted, &e->id)) {
		t->cached = file_hashes_share(e->hashes);
		t->job.cached = e->id;
	}
	mount_ns_view_init(namespaces, request->mnt_ns, request->pid, &t->job.view);
	h->stats.pending++;
	hash_pool_add(h->pool, &t->job, fd);
}

int hasher_submit(struct hasher *h, struct mount_ns_table *namespaces, const struct hash_request *request,
		  const struct file_hashes **ret_hashes, struct hash_ticket **ret_ticket)
{
	struct key k;
	const struct file_hashes *hashes = NULL;
	struct hash_ticket *t = NULL;
	struct file_id seen;
	int fd = -1;

	h->stats.requests++;
	if (!make_key(&k, request->mnt_ns, request->path)) {
		hashes = refuse(request->path.len < PATH_MAX ? "metadata is needed for ebpf path"
							     : "failed to get metadata: File name too long");
		goto out;
	}
	hashes = lookup(h, &k, &request->id);
	if (hashes)
		goto out;
	fd = open_executed(h, namespaces, request, &seen);
	if (fd >= 0)
		hashes = lookup(h, &k, &seen);
	if (hashes)
		goto out;

	t = join(h, &k, &request->id);
	if (t) {
		h->stats.merged++;
	} else if (h->stats.pending >= HASHER_PENDING_MAX) {
		h->stats.refused++;
		hashes = refuse("failed to create lazy cache: too many files are waiting");
	} else {
		t = new_ticket(h, &k, &request->id);
		if (t)
			start(h, namespaces, request, &k, t, fd);
		fd = t ? -1 : fd;
	}
out:
	if (fd >= 0)
		close(fd);
	if (t && ret_ticket) {
		t->references++;
		*ret_ticket = t;
	}
	if (hashes && ret_ticket)
		*ret_hashes = hashes;
	else
		file_hashes_release(hashes);
	if (!t && !hashes)
		return -ENOMEM;
	return t ? 0 : 1;
}

static void complete(struct hasher *h, struct hash_ticket *t)
{
	struct file_outcome *o = &t->job.outcome;
	if (o->kind == OUTCOME_SAME) {
		struct cache_entry *e;
		HASH_FIND(hh, h->cache, t->key, t->key_len, e);
		if (e)
			touch_cached(h, e);
		h->stats.hits++;
		t->result = file_hashes_share(t->cached);
	} else {
		t->result = file_hashes_new(o);
		h->stats.not_found += o->kind == OUTCOME_NOT_FOUND;
		h->stats.files += t->job.bytes > 0;
		h->stats.bytes += t->job.bytes;
	}
	if (o->cacheable)
		store_cached(h, t);
	retire(h, t);
}

uint32_t hasher_collect(struct hasher *h)
{
	uint32_t count = 0;
	struct hash_job *job;
	while ((job = hash_pool_take_done(h->pool))) {
		complete(h, ticket_of(job));
		count++;
	}
	return count;
}

bool hasher_has_lost(const struct hasher *h, const struct hash_ticket *ticket)
{
	return !ticket->result && hash_pool_has_lost(h->pool, &ticket->job);
}

const struct file_hashes *hash_ticket_result(const struct hash_ticket *ticket)
{
	return ticket->result;
}

void hash_ticket_drop(struct hash_ticket *ticket)
{
	if (ticket)
		unreference(ticket);
}

void hasher_read_stats(const struct hasher *h, struct hasher_stats *ret_stats)
{
	*ret_stats = h->stats;
	ret_stats->cached = HASH_COUNT(h->cache);
}

int hasher_event_fd(const struct hasher *h)
{
	return hash_pool_event_fd(h->pool);
}

struct hasher *hasher_new(uint32_t workers)
{
	struct hasher *h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->pool = hash_pool_new(workers);
	if (!h->pool) {
		free(h);
		return NULL;
	}
	return h;
}

void hasher_watch(struct hasher *h, uint64_t now)
{
	h->stats.stuck = hash_pool_watch(h->pool, now);
}

bool hasher_free(struct hasher *h)
{
	if (!h)
		return true;
	struct hash_job *job;
	bool all_back = hash_pool_stop(h->pool);
	while ((job = hash_pool_take_done(h->pool)))
		retire(h, ticket_of(job));
	if (!all_back)
		return false;
	hash_pool_free(h->pool);
	while (h->cache)
		drop_cached(h, h->cache);
	free(h);
	return true;
}

const struct file_hashes *hasher_file_now(int fd)
{
	struct file_tools *tools = file_tools_new();
	struct file_digests *digests = file_digests_new();
	struct file_reading reading;
	struct file_outcome outcome = {0};
	struct file_id any = {0};

	if (!tools || !digests)
		file_outcome_fail(&outcome, OUTCOME_FOUND, "failed to create lazy cache: out of memory");
	else if (file_reading_open(&reading, fd, &any, NULL, &outcome) == 1)
		while (file_reading_step(&reading, tools, digests) == 1)
			;
	file_tools_free(tools);
	file_digests_free(digests);
	return file_hashes_new(&outcome);
}
