/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON's scalars. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "json/writer.h"

static void write_escape(struct buf *out, unsigned char c)
{
	char escape[6] = {'\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
	size_t n = 2;

	switch (c) {
	case '"':
	case '\\':
		escape[1] = (char)c;
		break;
	case '\b':
		escape[1] = 'b';
		break;
	case '\f':
		escape[1] = 'f';
		break;
	case '\n':
		escape[1] = 'n';
		break;
	case '\r':
		escape[1] = 'r';
		break;
	case '\t':
		escape[1] = 't';
		break;
	default:
		n = sizeof(escape);
	}
	buf_add(out, escape, n);
}

/* Sixteen bytes at once, with or without instructions for that. */
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint64_t words2 __attribute__((vector_size(16)));

static bool has_escaped(bytes16 b)
{
	words2 found = (words2)((b < 0x20) | (b == '"') | (b == '\\'));

	return (found[0] | found[1]) != 0;
}

static bytes16 load16(const char *p)
{
	bytes16 b;

	memcpy(&b, p, sizeof(b));
	return b;
}

/* All of 4 to 15 bytes, those in the middle twice. */
static bytes16 load_short(const char *p, size_t len)
{
	uint32_t half[2];
	words2 w;

	if (len >= 8) {
		memcpy(&w, p, 8);
		memcpy((char *)&w + 8, p + len - 8, 8);
		return (bytes16)w;
	}
	memcpy(&half[0], p, 4);
	memcpy(&half[1], p + len - 4, 4);
	w[0] = w[1] = half[0] | (uint64_t)half[1] << 32;
	return (bytes16)w;
}

/* Bytes before the first one that is escaped. */
static size_t plain_prefix(const char *p, size_t len)
{
	size_t at = 0;

	while (len - at >= sizeof(bytes16) && !has_escaped(load16(p + at)))
		at += sizeof(bytes16);
	/* the end, with some of what was seen where it is short */
	if (at && len - at < sizeof(bytes16)) {
		if (!has_escaped(load16(p + len - sizeof(bytes16))))
			return len;
	} else if (len >= 4 && len < sizeof(bytes16) && !has_escaped(load_short(p, len))) {
		return len;
	}
	for (; at < len; at++) {
		unsigned char c = (unsigned char)p[at];
		if (c < 0x20 || c == '"' || c == '\\')
			break;
	}
	return at;
}

void json_write_str(struct buf *out, struct str s)
{
	size_t at = 0;

	if (!buf_reserve(out, (size_t)s.len + 2))
		return;
	buf_add_char(out, '"');
	while (at < s.len) { /* p may be NULL when there is nothing */
		size_t n = plain_prefix(s.p + at, s.len - at);
		buf_add(out, s.p + at, n);
		at += n;
		if (at < s.len)
			write_escape(out, (unsigned char)s.p[at++]);
	}
	buf_add_char(out, '"');
}

/* "-1.25e-05" becomes -0.0000125: some readers know no exponents. */
static void write_decimal(struct buf *out, const char *scientific)
{
	char digits[20];
	int n = 0;
	int exponent = atoi(strchr(scientific, 'e') + 1);

	for (const char *at = scientific; *at != 'e'; at++) {
		if (*at == '-')
			buf_add_char(out, '-');
		else if (*at >= '0' && *at <= '9')
			digits[n++] = *at;
	}
	if (exponent < 0)
		buf_add_str(out, STR("0."));
	for (int i = exponent; i < -1; i++)
		buf_add_char(out, '0');
	for (int i = 0; i < n; i++) {
		buf_add_char(out, digits[i]);
		if (i == exponent && i < n - 1)
			buf_add_char(out, '.');
	}
	for (int i = n - 1; i < exponent; i++)
		buf_add_char(out, '0');
	if (exponent >= n - 1)
		buf_add_str(out, STR(".0"));
}

/*
 * The fewest digits that read back as the same number: more than enough do as well, so the search goes from where most
 * numbers end, down or up. 9 digits always tell two floats apart, 17 two doubles.
 */
enum { F32_DIGITS_USUAL = 7, F32_DIGITS_MAX = 9, F64_DIGITS_USUAL = 16, F64_DIGITS_MAX = 17 };

static bool write_digits(char text[32], int digits, double v, bool is_float)
{
	snprintf(text, 32, "%.*e", digits - 1, v);
	return is_float ? (double)strtof(text, NULL) == v : strtod(text, NULL) == v;
}

static void write_shortest(struct buf *out, double v, bool is_float)
{
	char text[32], shorter[32];
	int digits = is_float ? F32_DIGITS_USUAL : F64_DIGITS_USUAL;

	if (!isfinite(v)) {
		buf_add_str(out, STR("null"));
		return;
	}
	if (write_digits(text, digits, v, is_float)) {
		while (digits > 1 && write_digits(shorter, --digits, v, is_float))
			memcpy(text, shorter, sizeof(text));
	} else {
		while (!write_digits(text, ++digits, v, is_float) &&
		       digits < (is_float ? F32_DIGITS_MAX : F64_DIGITS_MAX))
			;
	}
	write_decimal(out, text);
}

/*
 * Numbers as entropies are, without the C library's, which takes thousands of instructions: v is m / 2^below, everything
 * in the middle between its neighbours reads back as v, and 64 bits hold all products. The decimal with the fewest
 * digits behind the point is also the one with the fewest digits. A power of two has a nearer neighbour below, and is left
 * to the general way, as is what is small or great. False: nothing is written.
 */
static bool write_short_f32(struct buf *out, float v)
{
	enum { FRACTION_BITS = 23, BIAS = 127, BELOW_MAX = 29, DECIMALS_MAX = 10 };
	uint32_t bits;

	memcpy(&bits, &v, sizeof(bits));
	if (bits >> 31 || !(v < (float)(1 << (FRACTION_BITS + 1))))
		return false;
	if (v == (float)(uint32_t)v) {
		buf_add_u64(out, (uint32_t)v);
		buf_add_str(out, STR(".0"));
		return true;
	}
	uint32_t m = bits & ((1U << FRACTION_BITS) - 1);
	uint32_t below = BIAS + FRACTION_BITS - (bits >> FRACTION_BITS);
	if (m == 0 || below > BELOW_MAX)
		return false;
	m |= 1U << FRACTION_BITS;
	uint64_t scale = 1;
	for (int decimals = 1; decimals <= DECIMALS_MAX; decimals++) {
		scale *= 10;
		uint64_t exact = m * scale, half = UINT64_C(1) << (below - 1);
		uint64_t number = exact >> below, rest = exact & (2 * half - 1);
		bool up = rest > half || (rest == half && number & 1);
		uint64_t off = up ? 2 * half - rest : rest;
		if (2 * off > scale || (2 * off == scale && m & 1))
			continue;
		number += up;
		buf_add_u64(out, number / scale);
		size_t point = out->len;
		buf_add_u64(out, scale + number % scale); /* a one, with all zeros behind it */
		if (!out->failed)
			out->p[point] = '.';
		return true;
	}
	return false;
}

void json_write_f32(struct buf *out, float v)
{
	if (!write_short_f32(out, v))
		write_shortest(out, (double)v, true);
}

void json_write_f64(struct buf *out, double v)
{
	write_shortest(out, v, false);
}

void json_write_time(struct buf *out, uint64_t ns)
{
	/* most events share their second with the one before */
	static __thread time_t last = -1;
	static __thread char text[32];
	static __thread size_t len;
	time_t seconds = (time_t)(ns / 1000000000);

	if (seconds != last) {
		struct tm tm;
		gmtime_r(&seconds, &tm);
		len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.", &tm);
		last = seconds;
	}
	char fraction[10];
	uint32_t rest = (uint32_t)(ns % 1000000000);
	for (int i = 8; i >= 0; i--, rest /= 10)
		fraction[i] = (char)('0' + rest % 10);
	fraction[9] = 'Z';
	buf_add(out, text, len);
	buf_add(out, fraction, sizeof(fraction));
}
