/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scalars of the configuration: kinds, numbers, sizes, durations; both ways. */
#include "tap.h"

#include <errno.h>

#include "config/scalar.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_kinds(void)
{
	static const struct {
		const char *text;
		enum scalar_kind kind;
	} cases[] = {
		{"", SCALAR_NULL},
		{"~", SCALAR_NULL},
		{"null", SCALAR_NULL},
		{"Null", SCALAR_NULL},
		{"NULL", SCALAR_NULL},
		{"nUll", SCALAR_STRING},
		{"true", SCALAR_BOOL},
		{"False", SCALAR_BOOL},
		{"TRUE", SCALAR_BOOL},
		{"yes", SCALAR_STRING},
		{"on", SCALAR_STRING},
		{"tRue", SCALAR_STRING},
		{"0", SCALAR_INTEGER},
		{"-0", SCALAR_INTEGER},
		{"+12", SCALAR_INTEGER},
		{"-5", SCALAR_INTEGER},
		{"0x1f", SCALAR_INTEGER},
		{"0o17", SCALAR_INTEGER},
		{"0b101", SCALAR_INTEGER},
		{"0x", SCALAR_STRING},
		{"0xg", SCALAR_STRING},
		{"0o8", SCALAR_STRING},
		{"0b2", SCALAR_STRING},
		{"007", SCALAR_STRING},
		{"-", SCALAR_STRING},
		{"+", SCALAR_STRING},
		{".", SCALAR_STRING},
		{"1.5", SCALAR_FLOAT},
		{"1.", SCALAR_FLOAT},
		{".5", SCALAR_FLOAT},
		{"1e3", SCALAR_FLOAT},
		{"1e", SCALAR_STRING},
		{"1.2.3", SCALAR_STRING},
		{"-1.5E-3", SCALAR_FLOAT},
		{".inf", SCALAR_FLOAT},
		{"-.INF", SCALAR_FLOAT},
		{".nan", SCALAR_FLOAT},
		{"inf", SCALAR_STRING},
		{"10MB", SCALAR_STRING},
		{"1 2", SCALAR_STRING},
		{"99999999999999999999999", SCALAR_INTEGER},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		ok(scalar_kind_of(str_of(cases[i].text)) == cases[i].kind, "kind of '%s'", cases[i].text);
}

struct number_case {
	const char *text;
	int err;
	uint64_t value;
};

static void check_numbers(const char *what, const struct number_case *cases, size_t count,
			  int (*parse)(struct str text, uint64_t *ret))
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 4711;
		int err = parse(str_of(cases[i].text), &value);
		uint64_t want = cases[i].err ? 4711 : cases[i].value;
		ok(err == cases[i].err && value == want, "%s '%s': %d, %" PRIu64, what, cases[i].text, err,
		   value);
	}
}

static void test_numbers(void)
{
	static const struct number_case cases[] = {
		{"0", 0, 0},
		{"-0", 0, 0},
		{"+7", 0, 7},
		{"0x1F", 0, 31},
		{"0o17", 0, 15},
		{"0b101", 0, 5},
		{"18446744073709551615", 0, UINT64_MAX},
		{"0xffffffffffffffff", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"18446744073709551620", -ERANGE, 0},
		{"0x10000000000000000", -ERANGE, 0},
		{"-1", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"-", -EINVAL, 0},
		{"x", -EINVAL, 0},
		{"1x", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"010", -EINVAL, 0},
		{"1.0", -EINVAL, 0},
		{"--1", -EINVAL, 0},
	};

	check_numbers("number", cases, COUNT(cases), scalar_parse_u64);
}

static void test_bools(void)
{
	bool value = false;

	ok(scalar_parse_bool(STR("True"), &value) == 0 && value, "True is true");
	ok(scalar_parse_bool(STR("FALSE"), &value) == 0 && !value, "FALSE is false");
	ok(scalar_parse_bool(STR("yes"), &value) == -EINVAL && !value, "yes is no bool and leaves the value");
	ok(scalar_parse_bool(STR(""), &value) == -EINVAL, "nothing is no bool");
}

static void test_sizes(void)
{
	static const struct number_case cases[] = {
		{"0B", 0, 0},
		{"1B", 0, 1},
		{"10MB", 0, 10485760},
		{"10 MB", 0, 10485760},
		{"1GB", 0, 1073741824},
		{"1.5KB", 0, 1536},
		{"0.5 TB", 0, 549755813888},
		{"1.000000001GB", 0, 1073741825},
		{"16777215TB", 0, UINT64_C(16777215) << 40},
		{"16777216TB", -ERANGE, 0},
		{"18446744073709551616B", -ERANGE, 0},
		{"1.0000000001KB", -ERANGE, 0},
		{"1.5B", -EINVAL, 0},
		{"10", -EINVAL, 0},
		{"MB", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"10mb", -EINVAL, 0},
		{"10MiB", -EINVAL, 0},
		{"10 PB", -EINVAL, 0},
		{"10MB ", -EINVAL, 0},
		{"10MB2", -EINVAL, 0},
		{"-1MB", -EINVAL, 0},
		{"1.MB", -EINVAL, 0},
		{".5MB", -EINVAL, 0},
		{"1e3KB", -EINVAL, 0},
	};

	check_numbers("size", cases, COUNT(cases), scalar_parse_size);
}

static void test_durations(void)
{
	const uint64_t s = 1000000000;
	const struct number_case cases[] = {
		{"0", 0, 0},
		{"0s", 0, 0},
		{"15m", 0, 900 * s},
		{"1h 30m", 0, 5400 * s},
		{"1h30m", 0, 5400 * s},
		{" 2 days ", 0, 172800 * s},
		{"2days", 0, 172800 * s},
		{"1week", 0, 604800 * s},
		{"1month", 0, 2630016 * s},
		{"1M", 0, 2630016 * s},
		{"1m", 0, 60 * s},
		{"1y", 0, 31557600 * s},
		{"1.5h", 0, 5400 * s},
		{"1ms 1us 1ns", 0, 1001001},
		{"500 msec", 0, 500000000},
		{"584years", 0, 31557600 * s * 584},
		{"585years", -ERANGE, 0},
		{"584years 1year", -ERANGE, 0},
		{"18446744073709551616s", -ERANGE, 0},
		{"", -EINVAL, 0},
		{" ", -EINVAL, 0},
		{"15", -EINVAL, 0},
		{"m", -EINVAL, 0},
		{"15x", -EINVAL, 0},
		{"15 parsecs", -EINVAL, 0},
		{"1h30", -EINVAL, 0},
		{"1h, 30m", -EINVAL, 0},
		{"-1h", -EINVAL, 0},
		{"1D", -EINVAL, 0},
	};

	check_numbers("duration", cases, COUNT(cases), scalar_parse_duration);
}

static void check_text(uint64_t value, const char *want, void (*add)(struct buf *out, uint64_t value),
		       int (*parse)(struct str text, uint64_t *ret))
{
	struct buf first = {0}, second = {0};
	uint64_t again;

	add(&first, value);
	buf_add_char(&first, '\0');
	is_str(first.p, want, want);

	ok(parse(str_of(first.p), &again) == 0, "%s can be read", want);
	add(&second, again);
	buf_add_char(&second, '\0');
	is_str(second.p, want, "reading and writing again changes nothing");
	buf_fini(&first);
	buf_fini(&second);
}

static void test_size_text(void)
{
	static const struct {
		uint64_t value;
		const char *want;
	} cases[] = {
		{0, "0B"},
		{1, "1B"},
		{1023, "1023B"},
		{1024, "1KB"},
		{1536, "1.5KB"},
		{1234567, "1.18MB"},
		{10485760, "10MB"},
		{1073741824, "1GB"},
		{1048575, "1MB"},
		{1048570, "1023.99KB"},
		{UINT64_C(1) << 40, "1TB"},
		{UINT64_C(1025) << 40, "1025TB"},
		{1034, "1.01KB"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_text(cases[i].value, cases[i].want, scalar_add_size, scalar_parse_size);
}

static void test_duration_text(void)
{
	const uint64_t s = 1000000000;
	const struct {
		uint64_t value;
		const char *want;
	} cases[] = {
		{0, "0s"},
		{900 * s, "15m"},
		{5400 * s, "1h 30m"},
		{86400 * s, "1day"},
		{172800 * s, "2days"},
		{604800 * s, "7days"},
		{2630016 * s, "1month"},
		{2 * 31557600 * s + 2 * 2630016 * s + s, "2years 2months 1s"},
		{31557600 * s + 1001001, "1year 1ms 1us 1ns"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_text(cases[i].value, cases[i].want, scalar_add_duration, scalar_parse_duration);
	struct buf text = {0};
	scalar_add_duration(&text, UINT64_MAX);
	uint64_t again;
	ok(scalar_parse_duration(buf_str(&text), &again) == 0 && again == UINT64_MAX,
	   "the longest duration is kept");
	buf_fini(&text);
}

int main(void)
{
	test_kinds();
	test_numbers();
	test_bools();
	test_sizes();
	test_durations();
	test_size_text();
	test_duration_text();
	return done_testing();
}
