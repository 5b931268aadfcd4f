/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/argv.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "tests/unit/tap.h"

#define FFFD "\xef\xbf\xbd"

static struct arena arena;

/* The literal's own NUL ends the last argument. */
#define ARGS(literal)                      \
	{                                  \
		(literal), sizeof(literal) \
	}

static const struct row {
	const char *name;
	struct str args;
	const char *want;
} rows[] = {
	{"nothing", {"", 0}, ""},
	{"one", ARGS("ls"), "ls"},
	{"several", ARGS("ls\0-l\0/tmp"), "ls -l /tmp"},
	{"space", ARGS("sh\0-c\0echo hi"), "sh -c \"echo hi\""},
	{"space alone", ARGS(" "), "\" \""},
	{"quotes within white space", ARGS("a \"b\""), "\"a \\\"b\\\"\""},
	{"quotes alone stay", ARGS("\"b\""), "\"b\""},
	{"backslash stays", ARGS("a\\ b\0\\n"), "\"a\\ b\" \\n"},
	{"tab and newline", ARGS("a\tb\0a\nb\0a\vb\0a\fb\0a\rb"),
	 "\"a\tb\" \"a\nb\" \"a\vb\" \"a\fb\" \"a\rb\""},
	{"other controls are no white space",
	 ARGS("a\x1f"
	      "b\0a\x08"
	      "b"),
	 "a\x1f"
	 "b a\x08"
	 "b"},
	{"empty ones are left out", ARGS("\0a\0\0\0b\0"), "a b"},
	{"only empty ones", ARGS("\0\0"), ""},
	{"no NUL at the end", {"ls\0-l", 5}, "ls -l"},
	{"no-break space",
	 ARGS("a\xc2\xa0"
	      "b"),
	 "\"a\xc2\xa0"
	 "b\""},
	{"next line", ARGS("\xc2\x85"), "\"\xc2\x85\""},
	{"em space", ARGS("\xe2\x80\x83"), "\"\xe2\x80\x83\""},
	{"ogham space", ARGS("\xe1\x9a\x80"), "\"\xe1\x9a\x80\""},
	{"line separator", ARGS("\xe2\x80\xa8"), "\"\xe2\x80\xa8\""},
	{"ideographic space", ARGS("\xe3\x80\x80"), "\"\xe3\x80\x80\""},
	{"zero width space is none", ARGS("\xe2\x80\x8b"), "\xe2\x80\x8b"},
	{"letters near", ARGS("\xc2\xa1\xe3\x80\x81"), "\xc2\xa1\xe3\x80\x81"},
	{"invalid bytes are replaced", ARGS("a\xff\0\xc3"), "a" FFFD " " FFFD},
	{"invalid bytes within quotes", ARGS("a\xff b"), "\"a" FFFD " b\""},
	{"a sequence does not reach into the next argument", ARGS("\xe2\x80\0\x83"), FFFD " " FFFD},
};

/* Every argument becomes as long as it can. */
static void test_worst(void)
{
	static const char *const worst[] = {"\"", " ", "\xff", "\" "};
	enum { LEN = 131072 };
	char *args = malloc(LEN);

	for (size_t i = 0; i < sizeof(worst) / sizeof(*worst); i++) {
		size_t unit = strlen(worst[i]) + 1, n = 0;
		for (; n + unit <= LEN; n += unit)
			memcpy(args + n, worst[i], unit);
		struct str got = argv_join(&arena, (struct str){args, (uint32_t)n});
		ok(got.p && utf8_valid_prefix(got.p, got.len) == got.len, "128 KiB of %s", worst[i]);
		arena_reset(&arena);
	}
	memset(args, '"', LEN);
	args[0] = ' ';
	is_u64(argv_join(&arena, (struct str){args, LEN}).len, LEN * 2 + 1, "128 KiB of one quoted argument");
	free(args);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct str got = argv_join(&arena, rows[i].args);
		if (!ok(str_eq(got, str_of(rows[i].want)), "%s", rows[i].name))
			printf("# got %.*s\n", STR_ARG(got));
	}
	test_worst();
	arena_fini(&arena);
	return done_testing();
}
