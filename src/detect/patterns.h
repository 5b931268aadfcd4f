/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The regular expressions of one field as one Vectorscan database. Its patterns never change; the database is made once, or
 * read from an image that another process made of the same patterns. References are counted: rule sets that are loaded
 * one after the other share it, in different threads.
 */
#ifndef KUNAI_DETECT_PATTERNS_H
#define KUNAI_DETECT_PATTERNS_H

#include <hs.h>
#include <stdatomic.h>

#include "base/buf.h"

enum {
	PATTERNS_TEXT_MAX = 64 << 20,   /* bytes of all patterns of a field */
	PATTERNS_IMAGE_MAX = 256 << 20, /* bytes; ten thousand patterns make some five megabytes */
	PATTERNS_KEY_SIZE = 32,
};

struct pattern_set {
	atomic_uint references;
	uint32_t count;
	uint32_t size;         /* of texts */
	bool compiled;         /* all that a database can hold is in it */
	bool *held;            /* one a pattern: the database holds it */
	hs_database_t *db;     /* NULL: it holds none. Its ids are indices of patterns */
	const char **patterns; /* sorted by bytes; the same one can be there twice */
	char *texts;
};

/* texts: sorted patterns, each ended by NUL. NULL with errno ENOMEM, or EINVAL when that is not so. */
struct pattern_set *patterns_new(const char *texts, size_t size);
struct pattern_set *patterns_ref(struct pattern_set *set);
void patterns_unref(struct pattern_set *set);

bool patterns_equal(const struct pattern_set *a, const struct pattern_set *b);

/*
 * Makes the database, which takes up to half a minute for ten thousand patterns and hundreds of megabytes meanwhile. What it
 * cannot hold is left out. Returns 0 or -ENOMEM.
 */
int patterns_compile(struct pattern_set *set);

/* A digest of all that the database depends on: patterns, flags, library, CPU. */
void patterns_key(const struct pattern_set *set, unsigned char ret_key[PATTERNS_KEY_SIZE]);

/* A compiled set as bytes. Returns 0 or -ENOMEM. */
int patterns_add_image(const struct pattern_set *set, struct buf *out);

/*
 * The reverse, for a set of the same patterns. The bytes are believed: their digest shows damage, not malice. Returns 0,
 * -ENOMEM, or -EBADMSG when they are damaged or of other patterns, another library or another CPU.
 */
int patterns_use_image(struct pattern_set *set, const void *image, size_t len);

#endif
