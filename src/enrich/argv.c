/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/argv.h"

#include "base/utf8.h"

/* White_Space=yes of Unicode's PropList.txt beyond ASCII, as UTF-8. */
static const struct str wide_spaces[] = {
	STR("\xc2\x85"),     STR("\xc2\xa0"),     STR("\xe1\x9a\x80"), STR("\xe2\x80\x80"),
	STR("\xe2\x80\x81"), STR("\xe2\x80\x82"), STR("\xe2\x80\x83"), STR("\xe2\x80\x84"),
	STR("\xe2\x80\x85"), STR("\xe2\x80\x86"), STR("\xe2\x80\x87"), STR("\xe2\x80\x88"),
	STR("\xe2\x80\x89"), STR("\xe2\x80\x8a"), STR("\xe2\x80\xa8"), STR("\xe2\x80\xa9"),
	STR("\xe2\x80\xaf"), STR("\xe2\x81\x9f"), STR("\xe3\x80\x80"),
};

static bool has_space(struct str arg)
{
	for (uint32_t i = 0; i < arg.len; i++) {
		unsigned char c = (unsigned char)arg.p[i];
		if (c == ' ' || (c >= '\t' && c <= '\r'))
			return true;
		if (c != 0xc2 && c != 0xe1 && c != 0xe2 && c != 0xe3)
			continue;
		struct str rest = {arg.p + i, arg.len - i};
		for (size_t k = 0; k < sizeof(wide_spaces) / sizeof(*wide_spaces); k++)
			if (str_starts_with(rest, wide_spaces[k]))
				return true;
	}
	return false;
}

static size_t put_quoted(char *out, struct str arg)
{
	size_t n = 0;

	out[n++] = '"';
	for (uint32_t i = 0; i < arg.len; i++) {
		if (arg.p[i] == '"')
			out[n++] = '\\';
		out[n++] = arg.p[i];
	}
	out[n++] = '"';
	return n;
}

struct str argv_join(struct arena *a, struct str args)
{
	struct str text = utf8_repair(a, args);
	/* the worst argument is one quote and a space: three bytes become six */
	char *out = arena_alloc(a, (size_t)text.len * 3 + 4);
	if (!out)
		return (struct str){0};

	size_t n = 0;
	for (uint32_t at = 0; at < text.len;) {
		const char *end = memchr(text.p + at, '\0', text.len - at);
		uint32_t len = end ? (uint32_t)(end - (text.p + at)) : text.len - at;
		struct str arg = {text.p + at, len};
		at += len + 1;
		if (len == 0)
			continue;
		if (n)
			out[n++] = ' ';
		if (has_space(arg)) {
			n += put_quoted(out + n, arg);
		} else {
			memcpy(out + n, arg.p, len);
			n += len;
		}
	}
	return (struct str){out, (uint32_t)n};
}
