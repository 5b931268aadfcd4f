/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sink/archives.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/chars.h"
#include "base/str.h"
#include "sink/compress.h"

enum {
	DIGITS_MAX = 18,   /* of a number: it cannot overflow */
	IOPRIO_IDLE = 3,   /* include/uapi/linux/ioprio.h */
	IOPRIO_SHIFT = 13, /* too */
	RENAME_TRIES = 64, /* numbers that somebody else has taken meanwhile */
};

struct archives {
	char *path;
	pthread_t thread;
	bool begun;

	pthread_mutex_t lock; /* for all that follows */
	pthread_cond_t change;
	struct archive_list list;
	size_t capacity;
	uint64_t next; /* number */
	uint64_t bytes;
	struct archives_stats stats;
	bool busy;
	_Atomic bool stop;
};

enum part { PART_NONE, PART_PLAIN, PART_COMPRESSED, PART_UNFINISHED };

/* What `name` is to the file `base`. */
static enum part parse_name(const char *base, const char *name, uint64_t *ret_index)
{
	size_t len = strlen(base);

	if (strncmp(name, base, len) != 0 || name[len] != '.')
		return PART_NONE;
	name += len + 1;
	uint32_t digits = chars_count_digits(str_of(name));
	if (digits == 0 || digits > DIGITS_MAX || *name == '0')
		return PART_NONE;
	*ret_index = strtoull(name, NULL, 10);
	name += digits;
	if (*name == '\0')
		return PART_PLAIN;
	if (strcmp(name, ".gz") == 0)
		return PART_COMPRESSED;
	return strcmp(name, ".gz" COMPRESS_UNFINISHED) == 0 ? PART_UNFINISHED : PART_NONE;
}

char *archive_path(const char *path, const struct archive *archive)
{
	char *name;
	int n = asprintf(&name, "%s.%" PRIu64 "%s", path, archive->index, archive->compressed ? ".gz" : "");

	return n < 0 ? NULL : name;
}

static int compare_archives(const void *left, const void *right)
{
	const struct archive *a = left, *b = right;

	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	return a->compressed - b->compressed;
}

static int list_add(struct archive_list *list, size_t *capacity, const struct archive *archive)
{
	if (list->count == ARCHIVES_MAX)
		return -E2BIG;
	if (list->count == *capacity) {
		size_t wanted = *capacity ? *capacity * 2 : 64;
		struct archive *v = reallocarray(list->v, wanted, sizeof(*v));
		if (!v)
			return -ENOMEM;
		list->v = v;
		*capacity = wanted;
	}
	list->v[list->count++] = *archive;
	return 0;
}

void archive_list_fini(struct archive_list *list)
{
	free(list->v);
	*list = (struct archive_list){0};
}

/*
 * Each name that belongs to the file. clean: removes what a run that ended early left. A compressed archive is complete,
 * as it gets its name last; then the plain one is not needed.
 */
static int visit_directory(DIR *directory, const char *base, bool clean, struct archive_list *list,
			   size_t *capacity)
{
	for (struct dirent *entry; (entry = readdir(directory));) {
		struct archive archive = {0};
		struct stat st;
		enum part part = parse_name(base, entry->d_name, &archive.index);

		if (part == PART_UNFINISHED && clean)
			unlinkat(dirfd(directory), entry->d_name, 0);
		if (part != PART_PLAIN && part != PART_COMPRESSED)
			continue;
		if (fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		archive.compressed = part == PART_COMPRESSED;
		archive.size = (uint64_t)st.st_size;
		int err = list_add(list, capacity, &archive);
		if (err)
			return err;
	}
	return 0;
}

/* Of two neighbours with one number the second is the compressed one. */
static void drop_doubles(struct archive_list *list, DIR *directory, const char *base, bool clean)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (i + 1 == list->count || list->v[i].index != list->v[i + 1].index) {
			list->v[kept++] = list->v[i];
			continue;
		}
		char *name = clean ? archive_path(base, &list->v[i]) : NULL;
		if (name)
			unlinkat(dirfd(directory), name, 0);
		free(name);
	}
	list->count = kept;
}

static int read_list(const char *path, bool clean, struct archive_list *ret, size_t *ret_capacity)
{
	struct archive_list list = {0};
	size_t capacity = 0;
	char *for_dir = strdup(path), *for_base = strdup(path);
	int err = for_dir && for_base ? 0 : -ENOMEM;
	DIR *directory = err ? NULL : opendir(dirname(for_dir));

	if (!err && !directory)
		err = -errno;
	if (!err) {
		const char *base = basename(for_base);
		err = visit_directory(directory, base, clean, &list, &capacity);
		if (list.count)
			qsort(list.v, list.count, sizeof(*list.v), compare_archives);
		drop_doubles(&list, directory, base, clean);
	}
	if (directory)
		closedir(directory);
	free(for_dir);
	free(for_base);
	if (err) {
		archive_list_fini(&list);
		return err;
	}
	*ret = list;
	*ret_capacity = capacity;
	return 0;
}

int archive_list_read(const char *path, struct archive_list *ret)
{
	size_t capacity;

	return read_list(path, false, ret, &capacity);
}

static struct archive *find(struct archives *a, uint64_t index)
{
	for (size_t i = a->list.count; i > 0; i--)
		if (a->list.v[i - 1].index == index)
			return &a->list.v[i - 1];
	return NULL;
}

static struct archive *find_plain(struct archives *a)
{
	for (size_t i = 0; i < a->list.count; i++)
		if (!a->list.v[i].compressed && !a->list.v[i].given_up)
			return &a->list.v[i];
	return NULL;
}

/* The compressed one is there: the plain one goes. Both, when it was deleted meanwhile. */
static void finish_archive(struct archives *a, uint64_t index, const char *plain, const char *compressed,
			   uint64_t size)
{
	struct archive *archive = find(a, index);

	unlink(plain);
	if (!archive) {
		unlink(compressed);
		return;
	}
	a->bytes = a->bytes - archive->size + size;
	archive->size = size;
	archive->compressed = true;
	a->stats.compressed++;
}

/* Called with the lock, which is given up meanwhile. */
static void compress_archive(struct archives *a, struct archive archive)
{
	char *plain = archive_path(a->path, &archive);
	archive.compressed = true;
	char *compressed = archive_path(a->path, &archive);
	uint64_t size = 0;

	pthread_mutex_unlock(&a->lock);
	int err = plain && compressed ? compress_file(plain, compressed, &a->stop, &size) : -ENOMEM;
	pthread_mutex_lock(&a->lock);
	if (!err) {
		finish_archive(a, archive.index, plain, compressed, size);
	} else if (err != -ECANCELED) {
		struct archive *failed = find(a, archive.index);
		if (failed)
			failed->given_up = true;
		a->stats.failures++;
	}
	free(plain);
	free(compressed);
}

static void lower_priority(void)
{
	struct sched_param param = {0};

	sched_setscheduler(0, SCHED_IDLE, &param);
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
	syscall(SYS_ioprio_set, 1 /* this thread */, 0, IOPRIO_IDLE << IOPRIO_SHIFT);
}

static void *work(void *argument)
{
	struct archives *a = argument;
	struct archive *next;

	lower_priority();
	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		next = find_plain(a);
		a->busy = next != NULL;
		if (next) {
			compress_archive(a, *next);
			continue;
		}
		pthread_cond_broadcast(&a->change);
		pthread_cond_wait(&a->change, &a->lock);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

int archives_open(const char *path, struct archives **ret)
{
	struct archives *a = calloc(1, sizeof(*a));
	int err = a && (a->path = strdup(path)) ? 0 : -ENOMEM;

	if (!err)
		err = read_list(path, true, &a->list, &a->capacity);
	if (err) {
		if (a)
			free(a->path);
		free(a);
		return err;
	}
	for (size_t i = 0; i < a->list.count; i++)
		a->bytes += a->list.v[i].size;
	a->next = a->list.count ? a->list.v[a->list.count - 1].index + 1 : 1;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->change, NULL);
	/* without the thread, archives stay as they are */
	a->begun = pthread_create(&a->thread, NULL, work, a) == 0;
	*ret = a;
	return 0;
}

void archives_close(struct archives *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->change);
	pthread_mutex_unlock(&a->lock);
	if (a->begun)
		pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->change);
	pthread_mutex_destroy(&a->lock);
	archive_list_fini(&a->list);
	free(a->path);
	free(a);
}

/* Never onto a file that is there, which may be somebody else's. File systems that cannot promise that make a link. */
static int rename_fresh(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (link(from, to) < 0 || unlink(from) < 0)
		return -errno;
	return 0;
}

/* With the lock. */
static int rename_newest(struct archives *a, struct archive *archive)
{
	for (int tries = 0; tries < RENAME_TRIES; tries++) {
		archive->index = a->next;
		char *name = archive_path(a->path, archive);
		if (!name)
			return -ENOMEM;
		int err = rename_fresh(a->path, name);
		free(name);
		if (err != -EEXIST)
			return err;
		a->next++;
	}
	return -EEXIST;
}

int archives_add(struct archives *a, uint64_t size)
{
	struct archive archive = {.size = size};

	pthread_mutex_lock(&a->lock);
	int err = rename_newest(a, &archive);
	if (!err) {
		a->next = archive.index + 1;
		a->bytes += size;
		for (size_t i = 0; i < a->list.count; i++)
			a->list.v[i].given_up = false; /* there may be room again */
		/* one that is not in the list is found by the next run */
		if (list_add(&a->list, &a->capacity, &archive) < 0)
			a->stats.failures++;
		pthread_cond_broadcast(&a->change);
	}
	pthread_mutex_unlock(&a->lock);
	return err;
}

/* With the lock. What cannot be deleted is no longer looked at. */
static void delete_oldest(struct archives *a)
{
	char *name = archive_path(a->path, &a->list.v[0]);

	if (name && (unlink(name) == 0 || errno == ENOENT))
		a->stats.deleted++;
	else
		a->stats.failures++;
	free(name);
	a->bytes -= a->list.v[0].size;
	memmove(a->list.v, a->list.v + 1, --a->list.count * sizeof(*a->list.v));
}

void archives_trim(struct archives *a, uint64_t max)
{
	pthread_mutex_lock(&a->lock);
	while (a->list.count && a->bytes >= max)
		delete_oldest(a);
	pthread_mutex_unlock(&a->lock);
}

void archives_read_stats(struct archives *a, struct archives_stats *ret)
{
	pthread_mutex_lock(&a->lock);
	*ret = a->stats;
	ret->count = a->list.count;
	ret->bytes = a->bytes;
	pthread_mutex_unlock(&a->lock);
}

void archives_wait(struct archives *a)
{
	pthread_mutex_lock(&a->lock);
	while (a->begun && (a->busy || find_plain(a)))
		pthread_cond_wait(&a->change, &a->lock);
	pthread_mutex_unlock(&a->lock);
}
