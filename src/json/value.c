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

void json_write_str(struct buf *out, struct str s)
{
	size_t from = 0;

	if (s.len == 0) {
		buf_add_str(out, STR("\"\"")); /* p may be NULL */
		return;
	}
	if (!buf_reserve(out, (size_t)s.len + 2))
		return;
	buf_add_char(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(out, s.p + from, i - from);
		write_escape(out, c);
		from = i + 1;
	}
	buf_add(out, s.p + from, s.len - from);
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

/* 9 digits always tell two floats apart, 17 two doubles. */
enum { F32_DIGITS_MAX = 9, F64_DIGITS_MAX = 17 };

void json_write_f32(struct buf *out, float v)
{
	char text[32];

	if (!isfinite(v)) {
		buf_add_str(out, STR("null"));
		return;
	}
	for (int digits = 1; digits <= F32_DIGITS_MAX; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, (double)v);
		if (strtof(text, NULL) == v)
			break;
	}
	write_decimal(out, text);
}

void json_write_f64(struct buf *out, double v)
{
	char text[32];

	if (!isfinite(v)) {
		buf_add_str(out, STR("null"));
		return;
	}
	for (int digits = 1; digits <= F64_DIGITS_MAX; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, v);
		if (strtod(text, NULL) == v)
			break;
	}
	write_decimal(out, text);
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
