/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/json_check.h"

#include <stdint.h>
#include <string.h>

enum { DEPTH_MAX = 16, KEYS_MAX = 64 };

struct reader {
	const unsigned char *at;
	const unsigned char *end;
	int depth;
};

static bool read_value(struct reader *r);

static bool read_char(struct reader *r, char c)
{
	if (r->at == r->end || *r->at != (unsigned char)c)
		return false;
	r->at++;
	return true;
}

static bool read_word(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
		return false;
	r->at += len;
	return true;
}

/* One code point above U+007F, by its number: no surrogate, and in its shortest form. */
static bool read_wide(struct reader *r)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t first = *r->at++, code;
	int more;

	if ((first & 0xe0) == 0xc0)
		more = 1;
	else if ((first & 0xf0) == 0xe0)
		more = 2;
	else if ((first & 0xf8) == 0xf0)
		more = 3;
	else
		return false;
	code = first & (0x3fu >> more);
	for (int i = 0; i < more; i++) {
		if (r->at == r->end || (*r->at & 0xc0) != 0x80)
			return false;
		code = code << 6 | (*r->at++ & 0x3f);
	}
	return code >= smallest[more + 1] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

static bool read_escape(struct reader *r)
{
	static const char others[] = "0123456789abcdef";

	if (r->at == r->end)
		return false;
	unsigned char c = *r->at++;
	if (c != 'u')
		return c && strchr("\"\\bfnrt", c);
	if (r->end - r->at < 4 || r->at[0] != '0' || r->at[1] != '0' || (r->at[2] != '0' && r->at[2] != '1'))
		return false;
	const char *low = r->at[3] ? strchr(others, r->at[3]) : NULL;
	if (!low)
		return false;
	int code = (r->at[2] - '0') * 16 + (int)(low - others);
	r->at += 4;
	return code != '\b' && code != '\f' && code != '\n' && code != '\r' && code != '\t';
}

static bool read_string(struct reader *r)
{
	if (!read_char(r, '"'))
		return false;
	while (r->at < r->end && *r->at != '"') {
		if (*r->at >= 0x80) {
			if (!read_wide(r))
				return false;
		} else if (*r->at == '\\') {
			r->at++;
			if (!read_escape(r))
				return false;
		} else if (*r->at++ < 0x20) {
			return false;
		}
	}
	return read_char(r, '"');
}

static size_t read_digits(struct reader *r)
{
	const unsigned char *from = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return (size_t)(r->at - from);
}

static bool read_number(struct reader *r)
{
	read_char(r, '-');
	const unsigned char *from = r->at;
	size_t digits = read_digits(r);

	if (digits == 0 || (digits > 1 && *from == '0'))
		return false;
	return !read_char(r, '.') || read_digits(r) > 0;
}

static bool read_array(struct reader *r)
{
	if (read_char(r, ']'))
		return true;
	do {
		if (!read_value(r))
			return false;
	} while (read_char(r, ','));
	return read_char(r, ']');
}

static bool read_object(struct reader *r)
{
	struct {
		const unsigned char *p;
		size_t len;
	} keys[KEYS_MAX];
	size_t n = 0;

	if (read_char(r, '}'))
		return true;
	do {
		const unsigned char *key = r->at;
		if (n == KEYS_MAX || !read_string(r))
			return false;
		keys[n].p = key;
		keys[n].len = (size_t)(r->at - key);
		for (size_t i = 0; i < n; i++)
			if (keys[i].len == keys[n].len && memcmp(keys[i].p, key, keys[n].len) == 0)
				return false;
		n++;
		if (!read_char(r, ':') || !read_value(r))
			return false;
	} while (read_char(r, ','));
	return read_char(r, '}');
}

static bool read_value(struct reader *r)
{
	bool good;

	if (r->at == r->end || r->depth == DEPTH_MAX)
		return false;
	r->depth++;
	switch (*r->at) {
	case '{':
		r->at++;
		good = read_object(r);
		break;
	case '[':
		r->at++;
		good = read_array(r);
		break;
	case '"':
		good = read_string(r);
		break;
	case 't':
		good = read_word(r, "true");
		break;
	case 'f':
		good = read_word(r, "false");
		break;
	case 'n':
		good = read_word(r, "null");
		break;
	default:
		good = read_number(r);
	}
	r->depth--;
	return good;
}

bool json_is_event_line(const char *text, size_t len)
{
	struct reader r = {(const unsigned char *)text, (const unsigned char *)text + len, 0};

	return len > 0 && *text == '{' && read_value(&r) && read_char(&r, '\n') && r.at == r.end;
}
