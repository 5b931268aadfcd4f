/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 256, MAX_QUOTED = 64 };

void buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

static bool fail(struct buf *b)
{
	b->failed = true;
	b->cap = b->len;
	return false;
}

bool buf_grow(struct buf *b, size_t more)
{
	if (b->failed)
		return false;

	size_t cap = b->cap ? b->cap : FIRST_CAPACITY;
	while (cap - b->len < more) {
		if (cap > SIZE_MAX / 2)
			return fail(b);
		cap *= 2;
	}
	char *p = realloc(b->p, cap);
	if (!p)
		return fail(b);
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_add_u64(struct buf *b, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[20];
	size_t n = sizeof(digits);

	for (; v >= 100; v /= 100)
		memcpy(digits + (n -= 2), pairs + v % 100 * 2, 2);
	if (v >= 10)
		memcpy(digits + (n -= 2), pairs + v * 2, 2);
	else
		digits[--n] = (char)('0' + v);
	buf_add(b, digits + n, sizeof(digits) - n);
}

void buf_add_i64(struct buf *b, int64_t v)
{
	uint64_t magnitude = (uint64_t)v;

	if (v < 0) {
		buf_add_char(b, '-');
		magnitude = 0 - magnitude;
	}
	buf_add_u64(b, magnitude);
}

void buf_add_hex(struct buf *b, uint64_t v)
{
	char digits[18];
	size_t n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	digits[--n] = 'x';
	digits[--n] = '0';
	buf_add(b, digits + n, sizeof(digits) - n);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int need = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (need < 0 || !buf_reserve(b, (size_t)need + 1))
		return;

	va_start(args, format);
	vsnprintf(b->p + b->len, (size_t)need + 1, format, args);
	va_end(args);
	b->len += (size_t)need;
}

void buf_add_quoted(struct buf *b, struct str text)
{
	uint32_t len = text.len < MAX_QUOTED ? text.len : MAX_QUOTED;

	/* Not in the middle of a UTF-8 sequence. */
	while (len < text.len && len > 0 && ((unsigned char)text.p[len] & 0xc0) == 0x80)
		len--;

	buf_add_char(b, '\'');
	for (uint32_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text.p[i];
		buf_add_char(b, c < 0x20 || c == 0x7f ? '?' : (char)c);
	}
	buf_add_str(b, len < text.len ? STR("...'") : STR("'"));
}
