/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/scalar.h"

#include <errno.h>

#include "base/chars.h"

static bool is_one_of(struct str text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (str_eq(text, str_of(words[i])))
			return true;
	}
	return false;
}

static bool is_null(struct str text)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};
	return is_one_of(text, words, sizeof(words) / sizeof(words[0]));
}

static struct str skip_sign(struct str text)
{
	return text.len && (*text.p == '-' || *text.p == '+') ? chars_skip(text, 1) : text;
}

static unsigned int digit_value(char c)
{
	if (chars_is_digit(c))
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A' + 10);
	return 16;
}

/* Takes 0x, 0o or 0b off the text. */
static unsigned int take_base(struct str *text)
{
	static const struct {
		struct str prefix;
		unsigned int base;
	} bases[] = {{STR("0x"), 16}, {STR("0o"), 8}, {STR("0b"), 2}};

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		if (str_starts_with(*text, bases[i].prefix)) {
			*text = chars_skip(*text, 2);
			return bases[i].base;
		}
	}
	return 10;
}

static bool is_integer(struct str text)
{
	text = skip_sign(text);
	unsigned int base = take_base(&text);
	if (text.len == 0 || (base == 10 && text.len > 1 && *text.p == '0'))
		return false;

	for (uint32_t i = 0; i < text.len; i++) {
		if (digit_value(text.p[i]) >= base)
			return false;
	}
	return true;
}

static bool is_float_word(struct str text)
{
	static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
	return is_one_of(text, words, sizeof(words) / sizeof(words[0]));
}

/* digits, a point or an exponent or both, and nothing else */
static bool is_float(struct str text)
{
	text = skip_sign(text);
	if (is_float_word(text))
		return true;

	uint32_t whole = chars_count_digits(text);
	uint32_t decimals = 0;
	text = chars_skip(text, whole);
	bool point = text.len && *text.p == '.';
	if (point) {
		text = chars_skip(text, 1);
		decimals = chars_count_digits(text);
		text = chars_skip(text, decimals);
	}
	if (whole + decimals == 0)
		return false;
	if (text.len == 0)
		return point;
	if (*text.p != 'e' && *text.p != 'E')
		return false;
	text = skip_sign(chars_skip(text, 1));
	return text.len > 0 && chars_count_digits(text) == text.len;
}

enum scalar_kind scalar_kind_of(struct str plain)
{
	bool value;

	if (is_null(plain))
		return SCALAR_NULL;
	if (scalar_parse_bool(plain, &value) == 0)
		return SCALAR_BOOL;
	if (is_integer(plain))
		return SCALAR_INTEGER;
	if (is_float(plain))
		return SCALAR_FLOAT;
	return SCALAR_STRING;
}

int scalar_parse_bool(struct str text, bool *ret)
{
	static const char *const yes[] = {"true", "True", "TRUE"};
	static const char *const no[] = {"false", "False", "FALSE"};
	bool value = is_one_of(text, yes, 3);

	if (!value && !is_one_of(text, no, 3))
		return -EINVAL;
	*ret = value;
	return 0;
}

/* The text without its sign, which must be that of an integer. */
static int parse_magnitude(struct str text, uint64_t *ret)
{
	unsigned int base = take_base(&text);
	uint64_t value = 0;

	for (uint32_t i = 0; i < text.len; i++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit_value(text.p[i]), &value))
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

int scalar_parse_u64(struct str text, uint64_t *ret)
{
	uint64_t value;

	if (!is_integer(text))
		return -EINVAL;
	int err = parse_magnitude(skip_sign(text), &value);
	if (err)
		return err;
	if (*text.p == '-' && value)
		return -ERANGE;
	*ret = value;
	return 0;
}

int scalar_parse_i64(struct str text, int64_t *ret)
{
	uint64_t value;

	if (!is_integer(text))
		return -EINVAL;
	bool negative = *text.p == '-';
	int err = parse_magnitude(skip_sign(text), &value);
	if (err)
		return err;
	if (value > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret = negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}
