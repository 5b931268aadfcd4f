/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counted strings. A str borrows its bytes and owns nothing; it need not end in NUL. */
#ifndef KUNAI_BASE_STR_H
#define KUNAI_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* p == NULL is the absent string, which JSON shows as null where the schema allows it. */
struct str {
	const char *p;
	uint32_t len;
};

/* A vector of strings; borrows both the array and the bytes. */
struct strv {
	const struct str *v;
	uint32_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

/* Printf arguments for "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).p ? (s).p : ""

static inline struct str str_of(const char *cstring)
{
	return (struct str){cstring, cstring ? (uint32_t)strlen(cstring) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* By bytes, as memcmp(3); a prefix comes first. */
static inline int str_compare(struct str a, struct str b)
{
	uint32_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.p, b.p, len) : 0;

	return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

static inline bool str_starts_with(struct str s, struct str prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

static inline bool str_ends_with(struct str s, struct str suffix)
{
	return s.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0);
}

/* Whether one of the words of the list, between separators, is this one. NULL is the empty list. */
static inline bool words_contain(const char *list, char separator, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at && (at = strstr(at, word)); at++)
		if ((at == list || at[-1] == separator) && (at[len] == separator || at[len] == '\0'))
			return true;
	return false;
}

#endif
