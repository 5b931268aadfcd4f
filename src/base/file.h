/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that are read as a whole. In a thread of opener_run() its caller opens them. */
#ifndef KUNAI_BASE_FILE_H
#define KUNAI_BASE_FILE_H

#include <sys/stat.h>

#include "base/buf.h"

/*
 * Appends the file to out. One byte more than max is read, so that a file that is too large shows: -EFBIG, and out then
 * holds more than max. Else 0, -ENOMEM, or -errno of open(2) or read(2).
 */
int file_read(const char *path, size_t max, struct buf *out);

/* As stat(2), but 0 or -errno. */
int file_stat(const char *path, struct stat *ret);

/*
 * Calls visit for each file of a directory whose name ends so, by bytes in order; directories are passed by. suffixes end with
 * NULL. Returns 0, -errno of the directory, -ENOMEM, or the first negative value that visit returns, which ends it.
 */
int file_each(const char *directory, const char *const *suffixes,
	      int (*visit)(void *context, const char *path), void *context);

bool file_has_suffix(const char *name, const char *const *suffixes);

#endif
