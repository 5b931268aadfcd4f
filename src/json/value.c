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

#define EACH(byte)         (UINT64_C(0x0101010101010101) * (byte))
#define HAS_ZERO(word)     (((word)-EACH(1)) & ~(word)&EACH(0x80))
#define HAS_BELOW_32(word) (((word)-EACH(0x20)) & ~(word)&EACH(0x80))

/* Bytes before the first one that is escaped, eight at a time. A borrow can make a byte look like one, but only behind a
 * real one of the same eight. */
static size_t plain_prefix(const char *p, size_t len)
{
	size_t at = 0;

	for (; len - at >= 8; at += 8) {
		uint64_t word;
		memcpy(&word, p + at, 8);
		if (HAS_BELOW_32(word) | HAS_ZERO(word ^ EACH('"')) | HAS_ZERO(word ^ EACH('\\')))
			break;
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

void json_write_f32(struct buf *out, float v)
{
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
