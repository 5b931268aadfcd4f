/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One file to another, by gzip. */
#ifndef KUNAI_SINK_COMPRESS_H
#define KUNAI_SINK_COMPRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Behind the name of a compressed file that is not complete. */
#define COMPRESS_UNFINISHED ".tmp"

/*
 * Makes `to`, with mode 0600; it gets its name when it is complete and on the disk. The original stays. -ECANCELED as
 * soon as *stop is true. Returns 0 and the size of the result, or -errno.
 */
int compress_file(const char *from, const char *to, const _Atomic bool *stop, uint64_t *ret_size);

#endif
