/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/opener.h"
#include "base/str.h"

enum { READ_SIZE = 65536 };

static int read_on(int fd, size_t max, struct buf *out)
{
	while (out->len <= max) {
		if (!buf_reserve(out, READ_SIZE))
			return -ENOMEM;
		ssize_t n = read(fd, out->p + out->len, out->cap - out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		out->len += (size_t)n;
	}
	return -EFBIG;
}

int file_read(const char *path, size_t max, struct buf *out)
{
	int fd = opener_open(path, O_RDONLY);
	if (fd < 0)
		return fd;
	int err = read_on(fd, max, out);
	close(fd);
	return err;
}

int file_stat(const char *path, struct stat *ret)
{
	int fd = opener_open(path, O_PATH);
	if (fd < 0)
		return fd;
	int err = fstat(fd, ret) < 0 ? -errno : 0;
	close(fd);
	return err;
}

bool file_has_suffix(const char *name, const char *const *suffixes)
{
	for (; *suffixes; suffixes++)
		if (str_ends_with(str_of(name), str_of(*suffixes)))
			return true;
	return false;
}

/* ---- directories ---- */

struct names {
	char **v;
	size_t count, capacity;
};

/* By bytes, not as the locale has it. */
static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct names *names, const char *name)
{
	if (names->count == names->capacity) {
		size_t capacity = names->capacity ? 2 * names->capacity : 64;
		char **v = realloc(names->v, capacity * sizeof(*v));
		if (!v)
			return -ENOMEM;
		names->v = v;
		names->capacity = capacity;
	}
	names->v[names->count] = strdup(name);
	return names->v[names->count] ? (int)(names->count++, 0) : -ENOMEM;
}

static int list_names(DIR *dir, const char *const *suffixes, struct names *out)
{
	int err = 0;

	while (!err) {
		errno = 0;
		struct dirent *entry = readdir(dir);
		if (!entry)
			return -errno;
		if (file_has_suffix(entry->d_name, suffixes))
			err = add_name(out, entry->d_name);
	}
	return err;
}

static int visit_entry(const char *directory, const char *name, int (*visit)(void *context, const char *path),
		       void *context)
{
	struct stat st;
	char *path;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	/* what cannot be looked at is visited: reading it says why */
	bool passed = file_stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	int err = passed ? 0 : visit(context, path);
	free(path);
	return err;
}

int file_each(const char *directory, const char *const *suffixes,
	      int (*visit)(void *context, const char *path), void *context)
{
	struct names names = {0};
	int fd = opener_open(directory, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		int err = fd < 0 ? fd : -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	int err = list_names(dir, suffixes, &names);
	closedir(dir);
	if (names.count)
		qsort(names.v, names.count, sizeof(*names.v), compare_names);
	for (size_t i = 0; i < names.count; i++) {
		if (err >= 0)
			err = visit_entry(directory, names.v[i], visit, context);
		free(names.v[i]);
	}
	free(names.v);
	return err < 0 ? err : 0;
}
