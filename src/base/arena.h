/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bump allocation for one event: everything lives until the next arena_reset(). The arena owns its blocks. */
#ifndef KUNAI_BASE_ARENA_H
#define KUNAI_BASE_ARENA_H

#include "base/str.h"

struct arena_block;

struct arena {
	struct arena_block *head;
	size_t used;
};

void arena_fini(struct arena *a);

/* Forgets all allocations and keeps the first block for the next event. */
void arena_reset(struct arena *a);

/* Returns 8-byte aligned, uninitialised memory; NULL with errno ENOMEM. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_zalloc(struct arena *a, size_t size);

/* A copy of the bytes, followed by NUL for the convenience of C functions; an absent str when memory is short. */
struct str arena_str(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
