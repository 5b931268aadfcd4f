/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes and durations, written as the crates huby and humantime do. */
#include <errno.h>

#include "base/chars.h"
#include "config/scalar.h"

enum { MAX_DECIMALS = 9 };

struct unit {
	struct str name;
	uint64_t factor;
};

/* A decimal number of some unit: whole + fraction / scale. */
struct decimal {
	uint64_t whole;
	uint64_t fraction;
	uint64_t scale;
};

static int take_digits(struct str *text, uint64_t *ret)
{
	uint64_t value = 0;
	uint32_t n = chars_count_digits(*text);

	for (uint32_t i = 0; i < n; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text->p[i] - '0'), &value))
			return -ERANGE;
	}
	*text = chars_skip(*text, n);
	*ret = value;
	return n ? 0 : -EINVAL;
}

static int take_decimal(struct str *text, struct decimal *ret)
{
	struct decimal value = {.scale = 1};

	int err = take_digits(text, &value.whole);
	if (err)
		return err;
	if (text->len && *text->p == '.') {
		*text = chars_skip(*text, 1);
		uint32_t decimals = chars_count_digits(*text);
		if (decimals > MAX_DECIMALS)
			return -ERANGE;
		err = take_digits(text, &value.fraction);
		if (err)
			return err;
		while (decimals--)
			value.scale *= 10;
	}
	*ret = value;
	return 0;
}

static int scale_decimal(struct decimal value, uint64_t factor, uint64_t *ret)
{
	uint64_t whole;
	/* Below factor, as the fraction is below its scale. */
	uint64_t part = (uint64_t)((unsigned __int128)value.fraction * factor / value.scale);

	if (__builtin_mul_overflow(value.whole, factor, &whole) || __builtin_add_overflow(whole, part, ret))
		return -ERANGE;
	return 0;
}

static struct str take_letters(struct str *text)
{
	uint32_t n = 0;
	while (n < text->len && ((text->p[n] | 32) >= 'a' && (text->p[n] | 32) <= 'z'))
		n++;
	struct str letters = {text->p, n};
	*text = chars_skip(*text, n);
	return letters;
}

static uint64_t unit_factor(const struct unit *units, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++) {
		if (str_eq(units[i].name, name))
			return units[i].factor;
	}
	return 0;
}

static const struct unit size_units[] = {
	{STR("B"), 1},
	{STR("KB"), UINT64_C(1) << 10},
	{STR("MB"), UINT64_C(1) << 20},
	{STR("GB"), UINT64_C(1) << 30},
	{STR("TB"), UINT64_C(1) << 40},
};

enum { SIZE_UNITS = sizeof(size_units) / sizeof(size_units[0]) };

int scalar_parse_size(struct str text, uint64_t *ret)
{
	struct decimal value;
	int err = take_decimal(&text, &value);
	if (err)
		return err;

	text = chars_skip_spaces(text);
	uint64_t factor = unit_factor(size_units, SIZE_UNITS, take_letters(&text));
	bool part_of_a_byte = factor == 1 && value.scale > 1;
	if (factor == 0 || text.len || part_of_a_byte)
		return -EINVAL;
	return scale_decimal(value, factor, ret);
}

void scalar_add_size(struct buf *out, uint64_t bytes)
{
	size_t unit = 0;
	while (unit + 1 < SIZE_UNITS && bytes >= size_units[unit + 1].factor)
		unit++;

	uint64_t factor = size_units[unit].factor;
	uint64_t whole = bytes / factor;
	uint64_t hundredths = (bytes % factor * 100 + factor / 2) / factor;
	if (hundredths == 100) {
		whole++;
		hundredths = 0;
	}
	/* 1023.999 KB is 1 MB, lest the text change when it is read and written again. */
	if (whole == 1024 && unit + 1 < SIZE_UNITS) {
		whole = 1;
		unit++;
	}

	buf_add_u64(out, whole);
	if (hundredths) {
		buf_add_char(out, '.');
		buf_add_char(out, (char)('0' + hundredths / 10));
		if (hundredths % 10)
			buf_add_char(out, (char)('0' + hundredths % 10));
	}
	buf_add_str(out, size_units[unit].name);
}

/* humantime's month is 30.44 days and its year 365.25 days. */
#define SECONDS(n) (UINT64_C(n) * 1000000000)
#define MINUTE     SECONDS(60)
#define HOUR       SECONDS(3600)
#define DAY        SECONDS(86400)
#define WEEK       SECONDS(604800)
#define MONTH      SECONDS(2630016)
#define YEAR       SECONDS(31557600)

static const struct unit duration_units[] = {
	{STR("nsec"), 1},
	{STR("ns"), 1},
	{STR("usec"), 1000},
	{STR("us"), 1000},
	{STR("msec"), 1000000},
	{STR("ms"), 1000000},
	{STR("seconds"), SECONDS(1)},
	{STR("second"), SECONDS(1)},
	{STR("secs"), SECONDS(1)},
	{STR("sec"), SECONDS(1)},
	{STR("s"), SECONDS(1)},
	{STR("minutes"), MINUTE},
	{STR("minute"), MINUTE},
	{STR("mins"), MINUTE},
	{STR("min"), MINUTE},
	{STR("m"), MINUTE},
	{STR("hours"), HOUR},
	{STR("hour"), HOUR},
	{STR("hrs"), HOUR},
	{STR("hr"), HOUR},
	{STR("h"), HOUR},
	{STR("days"), DAY},
	{STR("day"), DAY},
	{STR("d"), DAY},
	{STR("weeks"), WEEK},
	{STR("week"), WEEK},
	{STR("wks"), WEEK},
	{STR("wk"), WEEK},
	{STR("w"), WEEK},
	{STR("months"), MONTH},
	{STR("month"), MONTH},
	{STR("M"), MONTH},
	{STR("years"), YEAR},
	{STR("year"), YEAR},
	{STR("yrs"), YEAR},
	{STR("yr"), YEAR},
	{STR("y"), YEAR},
};

enum { DURATION_UNITS = sizeof(duration_units) / sizeof(duration_units[0]) };

int scalar_parse_duration(struct str text, uint64_t *ret)
{
	uint64_t sum = 0;

	text = chars_skip_spaces(text);
	if (str_eq(text, STR("0"))) {
		*ret = 0;
		return 0;
	}
	if (text.len == 0)
		return -EINVAL;

	while (text.len) {
		struct decimal value;
		uint64_t part;
		int err = take_decimal(&text, &value);
		if (err)
			return err;

		text = chars_skip_spaces(text);
		uint64_t factor = unit_factor(duration_units, DURATION_UNITS, take_letters(&text));
		if (factor == 0)
			return -EINVAL;
		err = scale_decimal(value, factor, &part);
		if (err)
			return err;
		if (__builtin_add_overflow(sum, part, &sum))
			return -ERANGE;
		text = chars_skip_spaces(text);
	}
	*ret = sum;
	return 0;
}

void scalar_add_duration(struct buf *out, uint64_t nanoseconds)
{
	static const struct {
		const char *one;
		const char *many;
		uint64_t factor;
	} parts[] = {
		{"year", "years", YEAR}, {"month", "months", MONTH}, {"day", "days", DAY},
		{"h", "h", HOUR},        {"m", "m", MINUTE},         {"s", "s", SECONDS(1)},
		{"ms", "ms", 1000000},   {"us", "us", 1000},         {"ns", "ns", 1},
	};

	if (nanoseconds == 0) {
		buf_add_str(out, STR("0s"));
		return;
	}
	const char *space = "";
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint64_t n = nanoseconds / parts[i].factor;
		nanoseconds %= parts[i].factor;
		if (n == 0)
			continue;
		buf_printf(out, "%s%llu%s", space, (unsigned long long)n,
			   n == 1 ? parts[i].one : parts[i].many);
		space = " ";
	}
}
