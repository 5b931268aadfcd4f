/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that are read as a whole. */
#ifndef KUNAI_BASE_FILE_H
#define KUNAI_BASE_FILE_H

#include "base/buf.h"

/*
 * Appends the file to out. One byte more than max is read, so that a file that is too large shows: -EFBIG, and out then
 * holds more than max. Else 0, -ENOMEM, or -errno of open(2) or read(2).
 */
int file_read(const char *path, size_t max, struct buf *out);

#endif
