/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"

#include <stdlib.h>

#include "tests/unit/tap.h"

#define FFFD "\xef\xbf\xbd"

static struct arena arena;

static const struct row {
	const char *name;
	struct str in;
	const char *out;
	size_t prefix;
} rows[] = {
	{"empty", STR(""), "", 0},
	{"ascii", STR("plain text of some length"), "plain text of some length", 25},
	{"control bytes are valid", STR("\x01\x7f"), "\x01\x7f", 2},
	{"two bytes, least", STR("\xc2\x80"), "\xc2\x80", 2},
	{"two bytes, greatest", STR("\xdf\xbf"), "\xdf\xbf", 2},
	{"three bytes, least", STR("\xe0\xa0\x80"), "\xe0\xa0\x80", 3},
	{"before the surrogates", STR("\xed\x9f\xbf"), "\xed\x9f\xbf", 3},
	{"after the surrogates", STR("\xee\x80\x80"), "\xee\x80\x80", 3},
	{"U+FFFF", STR("\xef\xbf\xbf"), "\xef\xbf\xbf", 3},
	{"four bytes, least", STR("\xf0\x90\x80\x80"), "\xf0\x90\x80\x80", 4},
	{"U+10FFFF", STR("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf", 4},
	{"continuation alone", STR("a\x80z"), "a" FFFD "z", 1},
	{"overlong slash", STR("\xc0\xaf"), FFFD FFFD, 0},
	{"0xc1", STR("\xc1\x81"), FFFD FFFD, 0},
	{"overlong three", STR("\xe0\x9f\xbf"), FFFD FFFD FFFD, 0},
	{"overlong four", STR("\xf0\x8f\xbf\xbf"), FFFD FFFD FFFD FFFD, 0},
	{"surrogate", STR("\xed\xa0\x80"), FFFD FFFD FFFD, 0},
	{"above U+10FFFF", STR("\xf4\x90\x80\x80"), FFFD FFFD FFFD FFFD, 0},
	{"0xf5 to 0xff", STR("\xf5\xff"), FFFD FFFD, 0},
	{"cut two", STR("a\xc3"), "a" FFFD, 1},
	{"cut three after two", STR("\xe2\x82"), FFFD, 0},
	{"cut four after three", STR("\xf0\x9f\x98"), FFFD, 0},
	{"cut by a letter", STR("\xf0\x9f\x98z"), FFFD "z", 0},
	{"cut by another start", STR("\xe2\x82\xc3\xa9"), FFFD "\xc3\xa9", 0},
	/* the example of Unicode 15, table 3-8 */
	{"the standard's example", STR("\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64"),
	 "a" FFFD FFFD FFFD "b" FFFD "c" FFFD FFFD "d", 1},
	{"bad byte behind eight good ones", STR("12345678\xff"), "12345678" FFFD, 8},
	{"bad byte as the eighth",
	 STR("1234567\xff"
	     "9"),
	 "1234567" FFFD "9", 7},
};

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		struct str out = utf8_repair(&arena, r->in);
		ok(str_eq(out, str_of(r->out)), "%s: repaired", r->name);
		ok(utf8_valid_prefix(r->in.p, r->in.len) == r->prefix, "%s: prefix", r->name);
		ok((out.p == r->in.p) == (r->prefix == r->in.len), "%s: copied only when wrong", r->name);
	}
}

/* Encodes without the tables of the code under test. */
static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80)
		return out[0] = (char)c, 1;
	if (c < 0x800)
		return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

static void test_every_code_point(void)
{
	unsigned wrong = 0;

	for (uint32_t c = 0; c < 0x110800; c++) {
		char bytes[4];
		size_t n = encode(c, bytes);
		bool valid = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
		wrong += (utf8_valid_prefix(bytes, n) == n) != valid;
	}
	is_u64(wrong, 0, "every code point, and no other");
}

/* Whatever comes in, what goes out is valid, and repairing it again changes nothing. */
static void test_random(void)
{
	unsigned wrong = 0;

	srandom(1);
	for (int i = 0; i < 20000; i++) {
		char bytes[24];
		size_t len = (size_t)random() % sizeof(bytes);
		for (size_t k = 0; k < len; k++)
			bytes[k] = (char)(random() % 3 ? random() : "\xe2\x82\xf0\x9f\x80\xc3"[random() % 6]);
		struct str out = utf8_repair(&arena, (struct str){bytes, (uint32_t)len});
		wrong += utf8_valid_prefix(out.p, out.len) != out.len || out.len > len * 3;
		arena_reset(&arena);
	}
	is_u64(wrong, 0, "the result is always valid");
}

int main(void)
{
	test_rows();
	test_every_code_point();
	test_random();
	arena_fini(&arena);
	return done_testing();
}
