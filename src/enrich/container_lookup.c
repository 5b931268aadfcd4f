/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/container_lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/thread.h"

/* Between two tries, in ms. Engines write first and start then. */
static const uint16_t pauses[] = {2, 2, 4, 4, 8, 8, 16, 16, 32, 64, 128, 256, 512, 1024};

/*
 * runc alone writes when the first process stands ready: after it was put into its cgroup, for as long as the machine is
 * slow, and some ms before it runs the container's program. Such a container is looked at so often, for a second.
 */
#define SOON_NS UINT64_C(3000000)
enum { SOON_MAX = 333 };

enum { PAUSES = sizeof(pauses) / sizeof(*pauses) };

enum lookup_state { WAITING, RUNNING, ENDED };

struct container_lookup {
	struct container_lookups *owner;
	uint32_t references;
	UT_hash_handle hh;
	uint32_t key_len;
	const char *id;
	uint32_t id_len;

	/* Under the owner's lock. */
	TAILQ_ENTRY(container_lookup) next; /* while it waits */
	enum lookup_state state;
	uint64_t due; /* monotonic, ns */
	uint32_t tries;
	uint32_t tries_soon;
	bool hurry;     /* try again at once */
	bool abandoned; /* nobody wants it any more: the thread frees it */

	struct container_names names; /* constant from the moment that found is set */
	bool found;

	char key[]; /* C or I, then the cgroup's path or the id, NUL */
};

struct container_lookups {
	struct container_lookup *entries;
	struct container_place place;
	pthread_t thread;
	uint64_t refused;
	bool started;

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t work;
	TAILQ_HEAD(, container_lookup) waiting;
	uint32_t waiting_count;
	uint64_t unknown, resolved;
	bool stop;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void free_lookup(struct container_lookup *lookup)
{
	container_names_fini(&lookup->names);
	free(lookup);
}

static void enqueue(struct container_lookups *l, struct container_lookup *lookup, uint64_t due)
{
	lookup->state = WAITING;
	lookup->due = due;
	TAILQ_INSERT_TAIL(&l->waiting, lookup, next);
	l->waiting_count++;
}

static void dequeue(struct container_lookups *l, struct container_lookup *lookup)
{
	TAILQ_REMOVE(&l->waiting, lookup, next);
	l->waiting_count--;
}

/* The one that is due first; few wait at a time. */
static struct container_lookup *first_due(struct container_lookups *l)
{
	struct container_lookup *lookup, *first = NULL;

	TAILQ_FOREACH(lookup, &l->waiting, next)
	{
		if (!first || lookup->due < first->due)
			first = lookup;
	}
	return first;
}

static void wait_until(struct container_lookups *l, const struct container_lookup *first)
{
	if (!first) {
		pthread_cond_wait(&l->work, &l->lock);
		return;
	}
	struct timespec t = {(time_t)(first->due / 1000000000), (long)(first->due % 1000000000)};
	pthread_cond_timedwait(&l->work, &l->lock, &t);
}

/* Called with the lock, which it lets go of while it reads. */
static int look(struct container_lookups *l, struct container_lookup *lookup, struct container_names *ret)
{
	struct container_key key = {.id = lookup->id};

	if (lookup->key[0] == 'C')
		key.cgroup = lookup->key + 1;
	dequeue(l, lookup);
	lookup->state = RUNNING;
	lookup->hurry = false;
	pthread_mutex_unlock(&l->lock);
	int err = container_files_read(&l->place, &key, ret);
	pthread_mutex_lock(&l->lock);
	return err;
}

/* Of a cgroup that no runtime claims nothing will come: most are no containers. */
static bool is_hopeless(const struct container_lookup *lookup, int err)
{
	return lookup->tries >= PAUSES || (lookup->key[0] == 'C' && err == -ENOENT);
}

static uint64_t next_pause(struct container_lookup *lookup, int err)
{
	if (lookup->hurry)
		return 0;
	if (err == -EAGAIN && lookup->tries_soon++ < SOON_MAX)
		return SOON_NS;
	return pauses[lookup->tries++] * UINT64_C(1000000);
}

static void conclude(struct container_lookups *l, struct container_lookup *lookup, int err,
		     const struct container_names *names)
{
	if (err == 0) {
		lookup->names = *names;
		lookup->state = ENDED;
		l->resolved++;
		__atomic_store_n(&lookup->found, true, __ATOMIC_RELEASE);
	} else if (is_hopeless(lookup, err) && !lookup->hurry) {
		lookup->state = ENDED;
		l->unknown += lookup->key[0] == 'I';
	} else {
		enqueue(l, lookup, now_ns() + next_pause(lookup, err));
	}
}

static void *work(void *argument)
{
	struct container_lookups *l = argument;

	pthread_mutex_lock(&l->lock);
	while (!l->stop) {
		struct container_lookup *lookup = first_due(l);
		struct container_names names = {0};
		if (!lookup || lookup->due > now_ns()) {
			wait_until(l, lookup);
			continue;
		}
		int err = look(l, lookup, &names);
		if (lookup->abandoned) {
			container_names_fini(&names);
			free_lookup(lookup);
		} else {
			conclude(l, lookup, err, &names);
		}
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

struct container_lookups *container_lookups_new(const char *root, uid_t owner)
{
	struct container_lookups *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;
	if (!l)
		return NULL;

	TAILQ_INIT(&l->waiting);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->work, &attr);
	pthread_condattr_destroy(&attr);
	l->place.owner = owner;
	l->place.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err = l->place.root < 0 ? -errno : thread_start(&l->thread, work, l);
	l->started = err == 0;
	if (err) {
		container_lookups_free(l);
		errno = -err;
		return NULL;
	}
	return l;
}

void container_lookups_free(struct container_lookups *l)
{
	struct container_lookup *lookup, *next;

	if (!l)
		return;
	if (l->started) {
		pthread_mutex_lock(&l->lock);
		l->stop = true;
		pthread_cond_signal(&l->work);
		pthread_mutex_unlock(&l->lock);
		pthread_join(l->thread, NULL);
	}
	if (l->place.root >= 0)
		close(l->place.root);
	HASH_ITER(hh, l->entries, lookup, next)
	{
		HASH_DEL(l->entries, lookup);
		free_lookup(lookup);
	}
	pthread_cond_destroy(&l->work);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static struct str last_component(struct str path)
{
	const char *slash = path.len ? memrchr(path.p, '/', path.len) : NULL;

	if (!slash)
		return (struct str){0};
	return (struct str){slash + 1, (uint32_t)(path.p + path.len - slash - 1)};
}

static struct container_lookup *make(struct container_lookups *l, char kind, struct str text, uint32_t id_len)
{
	struct container_lookup *lookup = calloc(1, sizeof(*lookup) + text.len + 2);
	if (!lookup)
		return NULL;

	lookup->owner = l;
	lookup->references = 1;
	lookup->key[0] = kind;
	memcpy(lookup->key + 1, text.p, text.len);
	lookup->key_len = text.len + 1;
	lookup->id = lookup->key + lookup->key_len - id_len;
	lookup->id_len = id_len;
	HASH_ADD_KEYPTR(hh, l->entries, lookup->key, lookup->key_len, lookup);
	if (lookup->hh.tbl)
		return lookup;
	free(lookup);
	return NULL;
}

static struct container_lookup *begin(struct container_lookups *l, char kind, struct str text,
				      uint32_t id_len)
{
	struct container_lookup *lookup = NULL;

	pthread_mutex_lock(&l->lock);
	if (l->waiting_count < CONTAINER_LOOKUPS_MAX)
		lookup = make(l, kind, text, id_len);
	if (lookup) {
		enqueue(l, lookup, now_ns());
		pthread_cond_signal(&l->work);
	}
	pthread_mutex_unlock(&l->lock);
	l->refused += !lookup;
	return lookup;
}

struct container_lookup *container_lookup_get(struct container_lookups *l, struct str id, struct str cgroup)
{
	char key[CONTAINER_CGROUP_MAX + 1];
	struct str text = id.len ? id : cgroup;
	struct str leaf = id.len ? id : last_component(cgroup);
	struct container_lookup *lookup;

	if (!leaf.len || leaf.len > CONTAINER_ID_MAX || text.len > CONTAINER_CGROUP_MAX || leaf.p[0] == '.')
		return NULL;
	key[0] = id.len ? 'I' : 'C';
	memcpy(key + 1, text.p, text.len);
	HASH_FIND(hh, l->entries, key, text.len + 1, lookup);
	if (!lookup)
		return begin(l, key[0], text, leaf.len);
	lookup->references++;
	return lookup;
}

void container_lookup_release(struct container_lookup *lookup)
{
	if (!lookup || --lookup->references > 0)
		return;
	struct container_lookups *l = lookup->owner;
	HASH_DEL(l->entries, lookup);
	pthread_mutex_lock(&l->lock);
	bool is_running = lookup->state == RUNNING && l->started;
	if (lookup->state == WAITING)
		dequeue(l, lookup);
	lookup->abandoned = true;
	pthread_mutex_unlock(&l->lock);
	if (!is_running)
		free_lookup(lookup);
}

void container_lookup_hurry(struct container_lookup *lookup)
{
	if (!lookup || container_lookup_names(lookup))
		return;
	struct container_lookups *l = lookup->owner;
	pthread_mutex_lock(&l->lock);
	if (lookup->state == WAITING) {
		lookup->due = now_ns();
		pthread_cond_signal(&l->work);
	} else if (lookup->state == RUNNING) {
		lookup->hurry = true;
	}
	pthread_mutex_unlock(&l->lock);
}

const struct container_names *container_lookup_names(const struct container_lookup *lookup)
{
	return lookup && __atomic_load_n(&lookup->found, __ATOMIC_ACQUIRE) ? &lookup->names : NULL;
}

struct str container_lookup_id(const struct container_lookup *lookup)
{
	return (struct str){lookup->id, lookup->id_len};
}

void container_lookups_read_stats(struct container_lookups *l, struct container_lookup_stats *ret)
{
	pthread_mutex_lock(&l->lock);
	*ret = (struct container_lookup_stats){l->refused, l->unknown, l->resolved};
	pthread_mutex_unlock(&l->lock);
}
