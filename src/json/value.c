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

/* Numbers in scientific notation are spelt out, as in 1e-05 -> 0.00001: some readers know no exponents. */
static void write_decimal(struct buf *out, double v, int digits)
{
	char text[400];
	int exponent = v == 0 ? 0 : (int)floor(log10(fabs(v)));
	int decimals = digits - 1 - exponent;

	snprintf(text, sizeof(text), "%.*f", decimals > 0 ? decimals : 0, v);
	if (strchr(text, '.')) {
		char *end = text + strlen(text) - 1;
		while (*end == '0' && end[-1] != '.')
			*end-- = '\0';
	} else {
		strcat(text, ".0");
	}
	buf_add_str(out, str_of(text));
}

void json_write_f32(struct buf *out, float v)
{
	char text[32];
	int digits = 1;

	if (!isfinite(v)) {
		buf_add_str(out, STR("null"));
		return;
	}
	for (; digits < 9; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, (double)v);
		if (strtof(text, NULL) == v)
			break;
	}
	write_decimal(out, v, digits);
}

void json_write_f64(struct buf *out, double v)
{
	char text[32];
	int digits = 1;

	if (!isfinite(v)) {
		buf_add_str(out, STR("null"));
		return;
	}
	for (; digits < 17; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, v);
		if (strtod(text, NULL) == v)
			break;
	}
	write_decimal(out, v, digits);
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
