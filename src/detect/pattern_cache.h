/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compiled patterns on disk, since making them takes long. A file is believed only if nobody but us, who are root, could have
 * written it: Vectorscan trusts what is in it.
 */
#ifndef KUNAI_DETECT_PATTERN_CACHE_H
#define KUNAI_DETECT_PATTERN_CACHE_H

#include "detect/patterns.h"

enum {
	PATTERN_CACHE_FILES = 128,                    /* the ones used last are kept */
	PATTERN_CACHE_BYTES = 2 * PATTERNS_IMAGE_MAX, /* of all */
};

struct pattern_cache {
	int fd; /* of the directory, -1: none */
};

/* Makes the directory if create. Returns 0; -EPERM when others own it or may write to it; -errno. */
int pattern_cache_open(const char *path, bool create, struct pattern_cache *ret);
void pattern_cache_close(struct pattern_cache *cache);

/* Returns 0 and the set is compiled; -ENOENT; -EPERM when others could have written the file; -EBADMSG; -errno. */
int pattern_cache_read(const struct pattern_cache *cache, struct pattern_set *set);

/* The image of the set, see patterns_add_image(). Makes room by removing those that were used longest ago. -errno. */
int pattern_cache_write(const struct pattern_cache *cache, const struct pattern_set *set,
			const struct buf *image);

#endif
