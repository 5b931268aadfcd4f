/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A growing byte buffer that owns its bytes. A failed allocation sets failed and later writes do nothing. */
#ifndef KUNAI_BASE_BUF_H
#define KUNAI_BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct buf {
	char *p;
	size_t len;
	size_t cap;
	bool failed;
};

void buf_fini(struct buf *b);

/* The slow part of buf_reserve(). A failed buffer has no room left, so that only this one looks at failed. */
bool buf_grow(struct buf *b, size_t more);

/* Makes room for more bytes; false when memory is short. */
static inline bool buf_reserve(struct buf *b, size_t more)
{
	return b->cap - b->len >= more || buf_grow(b, more);
}

static inline void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0 || !buf_reserve(b, len))
		return;
	memcpy(b->p + b->len, bytes, len);
	b->len += len;
}

static inline void buf_add_char(struct buf *b, char c)
{
	if (buf_reserve(b, 1))
		b->p[b->len++] = c;
}

void buf_add_u64(struct buf *b, uint64_t v);
void buf_add_i64(struct buf *b, int64_t v);
/* "0x" and lower-case digits without leading zeros, "0x0" for zero. */
void buf_add_hex(struct buf *b, uint64_t v);
/* The bytes in single quotes, fit for a terminal: cut when long, without control characters. */
void buf_add_quoted(struct buf *b, struct str text);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.len);
}

static inline void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){b->p ? b->p : "", (uint32_t)b->len};
}

#endif
