/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/chars.h"
#include "detect/expression.h"

enum { DECIMAL_MAX = 64 };

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static int parse_integer(struct str digits, unsigned int base, uint64_t *ret)
{
	uint64_t value = 0;
	bool too_large = false;

	if (!digits.len)
		return -EINVAL;
	for (uint32_t i = 0; i < digits.len; i++) {
		int digit = digit_value(digits.p[i]);
		if (digit >= (int)base)
			return -EINVAL;
		too_large |= __builtin_mul_overflow(value, base, &value) ||
			     __builtin_add_overflow(value, (uint64_t)digit, &value);
	}
	*ret = value;
	return too_large ? -ERANGE : 0;
}

/* digits.digits; strtod() alone would take much more */
static int parse_decimal(struct str text, struct value *ret)
{
	char copy[DECIMAL_MAX];
	uint32_t whole = chars_count_digits(text);

	if (!whole || whole == text.len || text.p[whole] != '.' || text.len >= sizeof(copy))
		return -EINVAL;
	struct str decimals = chars_skip(text, whole + 1);
	if (!decimals.len || chars_count_digits(decimals) != decimals.len)
		return -EINVAL;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	*ret = (struct value){.kind = VALUE_FLOAT, .f = strtod(copy, NULL)};
	return 0;
}

int number_parse(struct str text, struct value *ret)
{
	bool negative = text.len && *text.p == '-';
	struct value value;
	uint64_t magnitude = 0;

	if (negative)
		text = chars_skip(text, 1);
	if (parse_decimal(text, &value) == 0) {
		value.f = negative ? -value.f : value.f;
		*ret = value;
		return 0;
	}
	bool hex = str_starts_with(text, STR("0x"));
	int err = hex ? parse_integer(chars_skip(text, 2), 16, &magnitude)
		      : parse_integer(text, 10, &magnitude);
	if (err)
		return err;
	if (negative && magnitude > (uint64_t)INT64_MAX + 1)
		return -ERANGE;
	*ret = negative && magnitude ? (struct value){.kind = VALUE_INT, .i = (int64_t)(0 - magnitude)}
				     : (struct value){.kind = VALUE_UINT, .u = magnitude};
	return 0;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Exact: not every u64 is a double. */
static int compare_f64_u64(double f, uint64_t u)
{
	if (f < 0)
		return -1;
	if (f >= 0x1p64)
		return 1;
	int order = compare_u64((uint64_t)f, u);
	return order || f == floor(f) ? order : 1;
}

static int compare_f64(double f, const struct value *b)
{
	if (isnan(f))
		return 2;
	switch (b->kind) {
	case VALUE_FLOAT:
		return isnan(b->f) ? 2 : f < b->f ? -1 : f > b->f;
	case VALUE_INT:
		/* both negative: the mirror image */
		return f >= 0 ? 1 : -compare_f64_u64(-f, 0 - (uint64_t)b->i);
	default:
		return compare_f64_u64(f, b->u);
	}
}

int number_compare(const struct value *a, const struct value *b)
{
	if (a->kind == VALUE_FLOAT)
		return compare_f64(a->f, b);
	if (b->kind == VALUE_FLOAT) {
		int order = compare_f64(b->f, a);
		return order == 2 ? 2 : -order;
	}
	if (a->kind != b->kind)
		return a->kind == VALUE_INT ? -1 : 1;
	if (a->kind == VALUE_INT)
		return a->i < b->i ? -1 : a->i > b->i;
	return compare_u64(a->u, b->u);
}
