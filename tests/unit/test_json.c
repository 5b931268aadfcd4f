/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "tests/support/json_check.h"
#include "tests/unit/tap.h"
#include "json/writer.h"

static struct buf out;

static const char *text(void)
{
	buf_add_char(&out, '\0');
	out.len--;
	return out.p;
}

static void test_strings(void)
{
	static const struct {
		struct str in;
		const char *want;
	} rows[] = {
		{STR(""), "\"\""},
		{STR("plain"), "\"plain\""},
		{STR("/a/b"), "\"/a/b\""},
		{STR("\"\\"), "\"\\\"\\\\\""},
		{STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
		{STR("\x01\x1f\x0b"), "\"\\u0001\\u001f\\u000b\""},
		{STR("a\0b"), "\"a\\u0000b\""},
		{STR("\x7f"), "\"\x7f\""},
		{STR("caf\xc3\xa9 \xf0\x9f\x98\x80"), "\"caf\xc3\xa9 \xf0\x9f\x98\x80\""},
		{STR("\xe2\x80\xa8<&>'"), "\"\xe2\x80\xa8<&>'\""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_reset(&out);
		json_write_str(&out, rows[i].in);
		is_str(text(), rows[i].want, "string");
	}
	buf_reset(&out);
	json_write_str(&out, (struct str){0});
	is_str(text(), "\"\"", "the absent string has no bytes");
}

/* As JSON has it, character by character. */
static size_t escape_plainly(const char *in, size_t len, char *ret)
{
	size_t n = 0;

	ret[n++] = '"';
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)in[i];
		if (c == '"' || c == '\\')
			n += (size_t)sprintf(ret + n, "\\%c", c);
		else if (c < 0x20)
			n += (size_t)sprintf(ret + n, "\\u%04x", c);
		else
			ret[n++] = (char)c;
	}
	ret[n++] = '"';
	return n;
}

/* Texts of every length that is looked at in pieces, with a byte that is escaped at each place, and without. */
static void test_string_places(void)
{
	enum { LENGTH_MAX = 67 };
	static const char escaped[] = {'"', '\\', 0x1f, 0}, around[] = {' ', '!', '#', '\xff'};
	char in[LENGTH_MAX], want[LENGTH_MAX + 8];
	unsigned wrong = 0;

	for (uint32_t len = 0; len <= LENGTH_MAX; len++) {
		for (uint32_t i = 0; i <= len * 4 + 3; i++) {
			memset(in, around[i % 4], len);
			if (i / 4 < len)
				in[i / 4] = escaped[(i + i / 4) % 4];
			size_t n = escape_plainly(in, len, want);
			buf_reset(&out);
			json_write_str(&out, (struct str){in, len});
			wrong += out.len != n || memcmp(out.p, want, n) != 0;
		}
	}
	is_u64(wrong, 0, "what is escaped is found at every place");
}

static void test_f32(void)
{
	static const struct {
		float v;
		const char *want;
	} rows[] = {
		{0.0f, "0.0"},
		{-0.0f, "-0.0"},
		{1.0f, "1.0"},
		{8.0f, "8.0"},
		{10.0f, "10.0"},
		{100.0f, "100.0"},
		{0.1f, "0.1"},
		{0.3f, "0.3"},
		{-0.001f, "-0.001"},
		{4.543225f, "4.543225"},
		{2.2516294f, "2.2516294"},
		{7.9999995f, "7.9999995"},
		{0.99999994f, "0.99999994"},
		{9.999999f, "9.999999"},
		{1e-7f, "0.0000001"},
		{16777216.0f, "16777216.0"},
		{123456790.0f, "123456790.0"},
		{INFINITY, "null"},
		{-INFINITY, "null"},
		{NAN, "null"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_reset(&out);
		json_write_f32(&out, rows[i].v);
		is_str(text(), rows[i].want, "f32");
	}
}

static void test_f64(void)
{
	static const struct {
		double v;
		const char *want;
	} rows[] = {
		{0.0, "0.0"},
		{0.1, "0.1"},
		{0.2 + 0.1, "0.30000000000000004"},
		{3568.56, "3568.56"},
		{197068.69, "197068.69"},
		{1000.0, "1000.0"},
		{999.9999999999999, "999.9999999999999"},
		{9.999999999999998, "9.999999999999998"},
		{0.9999999999999999, "0.9999999999999999"},
		{99999999999999.98, "99999999999999.98"},
		{0.001, "0.001"},
		{1e-5, "0.00001"},
		{1e-7, "0.0000001"},
		{123456789012345680.0, "123456789012345680.0"},
		{9007199254740993.0, "9007199254740992.0"},
		{1e22, "10000000000000000000000.0"},
		{-1.5, "-1.5"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_reset(&out);
		json_write_f64(&out, rows[i].v);
		is_str(text(), rows[i].want, "f64");
	}
}

static unsigned significant(const char *s)
{
	unsigned n = 0, zeros = 0;

	for (; *s; s++) {
		if (*s < '0' || *s > '9' || (*s == '0' && n == 0))
			continue;
		zeros = *s == '0' ? zeros + 1 : 0;
		n++;
	}
	return n - zeros;
}

/* Reads back as the same number, and no shorter one does. Of those as short it is the nearest. */
static bool is_shortest_f64(double v)
{
	char shorter[40];

	buf_reset(&out);
	json_write_f64(&out, v);
	unsigned digits = significant(text());
	if (strtod(text(), NULL) != v || digits > 17)
		return false;
	if (digits < 2)
		return true;
	snprintf(shorter, sizeof(shorter), "%.*e", (int)digits - 2, v);
	return strtod(shorter, NULL) != v;
}

static bool is_shortest_f32(float v)
{
	char shorter[40];

	buf_reset(&out);
	json_write_f32(&out, v);
	unsigned digits = significant(text());
	if (strtof(text(), NULL) != v || digits > 9)
		return false;
	snprintf(shorter, sizeof(shorter), "%.*e", digits ? (int)digits - 1 : 0, (double)v);
	if (strtod(shorter, NULL) != strtod(text(), NULL))
		return false;
	if (digits < 2)
		return true;
	snprintf(shorter, sizeof(shorter), "%.*e", (int)digits - 2, (double)v);
	return strtof(shorter, NULL) != v;
}

/* Just below each power of ten, where the number of digits before the point is easily taken wrong. */
static void test_edges(void)
{
	unsigned wrong = 0;
	double power = 1e-20;

	for (int i = 0; i < 41; i++, power *= 10) {
		wrong += !is_shortest_f64(power) + !is_shortest_f64(nextafter(power, 0)) +
			 !is_shortest_f64(nextafter(power, INFINITY));
		float single = (float)power;
		wrong += !is_shortest_f32(single) + !is_shortest_f32(nextafterf(single, 0)) +
			 !is_shortest_f32(nextafterf(single, INFINITY));
	}
	is_u64(wrong, 0, "around the powers of ten");
	ok(is_shortest_f64(DBL_MAX) && is_shortest_f64(DBL_MIN) && is_shortest_f64(nextafter(0, 1)),
	   "the greatest and the least f64");
	ok(is_shortest_f32(FLT_MAX) && is_shortest_f32(FLT_MIN) && is_shortest_f32(nextafterf(0, 1)),
	   "the greatest and the least f32");
}

static void test_random_floats(void)
{
	enum { RANDOM = 3001 };
	unsigned wrong = 0;

	srandom(2);
	for (int i = 0; i < RANDOM; i++) {
		uint64_t bits = (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
		uint32_t half = (uint32_t)(bits >> 13);
		double d;
		float f;
		memcpy(&d, &bits, sizeof(d));
		memcpy(&f, &half, sizeof(f));
		wrong += isfinite(d) && !is_shortest_f64(d);
		wrong += isfinite(f) && !is_shortest_f32(f);
	}
	is_u64(wrong, 0, "thousands of random numbers read back, none could be shorter");
}

/* In the range that has a short way; every power of two and its neighbours, and numbers between. */
static void test_short_floats(void)
{
	unsigned wrong = 0;

	srandom(3);
	for (float power = 0x1p-8f; power < 0x1p26f; power *= 2) {
		wrong += !is_shortest_f32(power) + !is_shortest_f32(nextafterf(power, 0)) +
			 !is_shortest_f32(nextafterf(power, INFINITY));
		for (int i = 0; i < 500; i++)
			wrong += !is_shortest_f32(power * (1 + (float)random() / (float)RAND_MAX));
	}
	for (int i = 1; i < 1000; i++)
		wrong += !is_shortest_f32((float)i / 1000) + !is_shortest_f32((float)i / 128);
	is_u64(wrong, 0, "numbers of the size of entropies read back, none could be shorter");
}

static void test_time(void)
{
	static const struct {
		uint64_t ns;
		const char *want;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000000000Z"},
		{1732010153138247256, "2024-11-19T09:55:53.138247256Z"},
		{1732010153000000001, "2024-11-19T09:55:53.000000001Z"},
		{1732010153999999999, "2024-11-19T09:55:53.999999999Z"},
		{1732010154000000000, "2024-11-19T09:55:54.000000000Z"},
		{1732010153138247256, "2024-11-19T09:55:53.138247256Z"},
		{951782400000000000, "2000-02-29T00:00:00.000000000Z"},
		{4102444799999999999, "2099-12-31T23:59:59.999999999Z"},
		{UINT64_MAX, "2554-07-21T23:34:33.709551615Z"},
	};

	setenv("TZ", "America/New_York", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_reset(&out);
		json_write_time(&out, rows[i].ns);
		is_str(text(), rows[i].want, "time");
	}
}

/* Events of nothing but zeros: every list of the schema has a plan, and absent things are absent or null. */
static void test_every_event(void)
{
	struct json_writer *w = json_writer_new();
	struct arena arena = {0};
	struct event e;

	for (int type = 0; type < EVENT_COUNT; type++) {
		if (!event_schemas[type].data)
			continue;
		event_make(&e, (enum event_type)type, &arena);
		buf_reset(&out);
		json_write_event(w, &e, &out);
		ok(json_is_event_line(out.p, out.len), "an empty %s is JSON", event_catalogue[type].name.p);
		ok(strstr(text(), "\"container\":null") != NULL && !strstr(text(), "interpreter") &&
			   !strstr(text(), "_unverified"),
		   "an empty %s says only what it must", event_catalogue[type].name.p);
	}
	json_writer_free(w);
}

/* "a;b" as Kunai up to 0.6 wrote it; lists of other events stay lists. */
static void test_joined_lists(void)
{
	struct json_writer *w = json_writer_new();
	struct str answers[] = {STR("9.9.9.9"), STR("a\"b")};
	struct arena arena = {0};
	struct event e;

	json_writer_join_lists(w, EVENT_dns_query);
	event_make(&e, EVENT_dns_query, &arena);
	for (uint32_t n = 0; n <= 2; n++) {
		static const char *const wanted[] = {"\"response\":\"\",", "\"response\":\"9.9.9.9\",",
						     "\"response\":\"9.9.9.9;a\\\"b\","};
		e.data.dns_query.response = (struct strv){answers, n};
		buf_reset(&out);
		json_write_event(w, &e, &out);
		ok(strstr(text(), wanted[n]) != NULL && json_is_event_line(out.p, out.len),
		   "%" PRIu32 " answers as one text", n);
	}
	event_make(&e, EVENT_file_scan, &arena);
	buf_reset(&out);
	json_write_event(w, &e, &out);
	ok(strstr(text(), "\"signatures\":[]") != NULL, "signatures stay a list");
	arena_fini(&arena);
	json_writer_free(w);
}

static void test_checker(void)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]\n",
		"{} \n",
		"{ }\n",
		"{\"a\":1,}\n",
		"{\"a\":01}\n",
		"{\"a\":1e5}\n",
		"{\"a\":.5}\n",
		"{\"a\":1.}\n",
		"{\"a\":tru}\n",
		"{\"a\":1,\"a\":2}\n",
		"{\"a\":\"\n\"}\n",
		"{\"a\":\"\\/\"}\n",
		"{\"a\":\"\\u0009\"}\n",
		"{\"a\":\"\\u0041\"}\n",
		"{\"a\":\"\\u001F\"}\n",
		"{\"a\":\"\xff\"}\n",
		"{\"a\":\"\xed\xa0\x80\"}\n",
		"{\"a\":\"\xc0\x80\"}\n",
		"{\"a\":\"\xe2\x82\"}\n",
		"{\"a\":[1 ]}\n",
		"{\"a\":1}\n{}\n",
		"{\"a\"}\n",
		"{\"a\":}\n",
		"{\"a\":nan}\n",
		"{\"a\":\"b}\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!json_is_event_line(bad[i], strlen(bad[i])), "the checker refuses number %zu", i);
	static const char good[] =
		"{\"a\":[1,-2.50,\"\\u001f\\\"\xf0\x9f\x98\x80\",null,true,false,{},[]],\"b\":0}\n";
	ok(json_is_event_line(good, sizeof(good) - 1), "the checker takes what is right");
}

int main(void)
{
	test_checker();
	test_strings();
	test_string_places();
	test_f32();
	test_f64();
	test_edges();
	test_random_floats();
	test_short_floats();
	test_time();
	test_every_event();
	test_joined_lists();
	buf_fini(&out);
	return done_testing();
}
