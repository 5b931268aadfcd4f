/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	int err = read_on(fd, max, out);
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

/* By bytes, not as the locale has it. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int visit_entry(const char *directory, const char *name, int (*visit)(void *context, const char *path),
		       void *context)
{
	struct stat st;
	char *path;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	/* what cannot be looked at is visited: reading it says why */
	bool passed = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	int err = passed ? 0 : visit(context, path);
	free(path);
	return err;
}

int file_each(const char *directory, const char *const *suffixes,
	      int (*visit)(void *context, const char *path), void *context)
{
	struct dirent **entries;
	int err = 0;
	int n = scandir(directory, &entries, NULL, compare_entries);

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (err >= 0 && file_has_suffix(entries[i]->d_name, suffixes))
			err = visit_entry(directory, entries[i]->d_name, visit, context);
		free(entries[i]);
	}
	free(entries);
	return err < 0 ? err : 0;
}
