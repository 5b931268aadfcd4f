/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps through a text that is being parsed. Everything is borrowed. */
#ifndef KUNAI_BASE_CHARS_H
#define KUNAI_BASE_CHARS_H

#include "base/str.h"

static inline bool chars_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool chars_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static inline struct str chars_skip(struct str text, uint32_t n)
{
	return (struct str){text.p + n, text.len - n};
}

static inline struct str chars_skip_spaces(struct str text)
{
	while (text.len && chars_is_space(*text.p))
		text = chars_skip(text, 1);
	return text;
}

static inline uint32_t chars_count_digits(struct str text)
{
	uint32_t n = 0;
	while (n < text.len && chars_is_digit(text.p[n]))
		n++;
	return n;
}

#endif
