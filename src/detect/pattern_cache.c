/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/pattern_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX   ".patterns"
#define NEW_NAME "new" SUFFIX

enum { NAME_SIZE = 2 * PATTERNS_KEY_SIZE + sizeof(SUFFIX) };

static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

int pattern_cache_open(const char *path, bool create, struct pattern_cache *ret)
{
	struct stat st;

	if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = fstat(fd, &st) < 0 ? -errno : is_ours(&st) ? 0 : -EPERM;
	if (err)
		close(fd);
	else
		ret->fd = fd;
	return err;
}

void pattern_cache_close(struct pattern_cache *cache)
{
	if (cache->fd >= 0)
		close(cache->fd);
	cache->fd = -1;
}

static void make_name(const struct pattern_set *set, char ret[NAME_SIZE])
{
	unsigned char key[PATTERNS_KEY_SIZE];

	patterns_key(set, key);
	for (int i = 0; i < PATTERNS_KEY_SIZE; i++)
		snprintf(ret + 2 * i, 3, "%02x", key[i]);
	memcpy(ret + 2 * PATTERNS_KEY_SIZE, SUFFIX, sizeof(SUFFIX));
}

static int read_all(int fd, char *bytes, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(fd, bytes + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		len += (size_t)n;
	}
	return 0;
}

static int read_image(int fd, struct pattern_set *set)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || !is_ours(&st))
		return -EPERM;
	if (st.st_size <= 0 || st.st_size > PATTERNS_IMAGE_MAX)
		return -EBADMSG;
	char *image = malloc((size_t)st.st_size);
	int err = image ? read_all(fd, image, (size_t)st.st_size) : -ENOMEM;
	if (!err)
		err = patterns_use_image(set, image, (size_t)st.st_size);
	free(image);
	return err;
}

int pattern_cache_read(const struct pattern_cache *cache, struct pattern_set *set)
{
	const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
	char name[NAME_SIZE];

	make_name(set, name);
	int fd = openat(cache->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = read_image(fd, set);
	if (!err)
		futimens(fd, now); /* used: it stays */
	close(fd);
	return err;
}

/* ---- making room ---- */

struct entry {
	char name[NAME_SIZE];
	struct timespec used;
	uint64_t size;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? 1 : -1;
	return (x->used.tv_nsec < y->used.tv_nsec) - (x->used.tv_nsec > y->used.tv_nsec);
}

/* Files of ours, at most max: more cannot have come together. */
static uint32_t list_entries(DIR *dir, struct entry *entries, uint32_t max)
{
	struct dirent *d;
	struct stat st;
	uint32_t n = 0;

	while (n < max && (d = readdir(dir))) {
		size_t len = strlen(d->d_name);
		if (len >= NAME_SIZE || len < sizeof(SUFFIX) ||
		    strcmp(d->d_name + len - sizeof(SUFFIX) + 1, SUFFIX) != 0 ||
		    fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		memcpy(entries[n].name, d->d_name, len + 1);
		entries[n].used = st.st_mtim;
		entries[n++].size = (uint64_t)st.st_size;
	}
	return n;
}

static void make_room(const struct pattern_cache *cache)
{
	uint32_t max = 2 * PATTERN_CACHE_FILES;
	uint64_t bytes = 0;
	int fd = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct entry *entries = calloc(max, sizeof(*entries));

	if (dir && entries) {
		uint32_t n = list_entries(dir, entries, max);
		qsort(entries, n, sizeof(*entries), compare_entries);
		for (uint32_t i = 0; i < n; i++) {
			bytes += entries[i].size;
			if (i >= PATTERN_CACHE_FILES || bytes > PATTERN_CACHE_BYTES)
				unlinkat(cache->fd, entries[i].name, 0);
		}
	}
	free(entries);
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

static int write_all(int fd, const struct buf *bytes)
{
	size_t done = 0;

	while (done < bytes->len) {
		ssize_t n = write(fd, bytes->p + done, bytes->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int pattern_cache_write(const struct pattern_cache *cache, const struct pattern_set *set,
			const struct buf *image)
{
	char name[NAME_SIZE];

	make_name(set, name);
	unlinkat(cache->fd, NEW_NAME, 0);
	int fd = openat(cache->fd, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	/* a file that is damaged by a crash is refused by its digest: no need to wait for the disk */
	int err = write_all(fd, image);
	close(fd);
	if (!err && renameat(cache->fd, NEW_NAME, cache->fd, name) < 0)
		err = -errno;
	if (err)
		unlinkat(cache->fd, NEW_NAME, 0);
	make_room(cache);
	return err;
}
