/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/tap.h"

enum { BLOCK = 64 * 1024 };

static void test_alignment(void)
{
	struct arena a = {0};
	unsigned wrong = 0;
	char *last = NULL;

	for (size_t size = 0; size < 3000; size++) {
		char *p = arena_alloc(&a, size);
		wrong += !p || (uintptr_t)p % 8 != 0 || (last && p == last && size > 0 && size != 1);
		memset(p, (int)size, size);
		last = p;
	}
	is_u64(wrong, 0, "every size is aligned");
	arena_fini(&a);
}

/* Nobody's bytes are another's, across blocks. */
static void test_contents(void)
{
	enum { N = 2000 };
	struct arena a = {0};
	unsigned char *p[N];
	unsigned wrong = 0;

	srandom(4);
	for (int i = 0; i < N; i++) {
		size_t size = 1 + (size_t)random() % 400 * (i % 100 == 0 ? 1000 : 1);
		p[i] = arena_alloc(&a, size);
		memset(p[i], i, size);
	}
	for (int i = 0; i < N; i++)
		wrong += *p[i] != (unsigned char)i;
	is_u64(wrong, 0, "contents stay");
	arena_reset(&a);
	ok(a.used == 0 && a.head, "reset keeps one block");
	arena_fini(&a);
	ok(!a.head, "fini keeps none");
}

static void test_bounds(void)
{
	struct arena a = {0};

	ok(arena_alloc(&a, BLOCK) != NULL, "a whole block");
	ok(arena_alloc(&a, BLOCK + 1) != NULL, "and one byte more");
	errno = 0;
	ok(!arena_alloc(&a, SIZE_MAX) && errno == ENOMEM, "SIZE_MAX is refused");
	ok(!arena_alloc(&a, SIZE_MAX / 2 + 1), "half of it too");
	arena_fini(&a);

	/* the kept block must be an ordinary one, however large the first request is */
	memset(arena_alloc(&a, 1 << 20), 1, 1 << 20);
	arena_reset(&a);
	memset(arena_alloc(&a, 100), 1, 100);
	memset(arena_alloc(&a, BLOCK), 1, BLOCK);
	arena_fini(&a);
	ok(true, "a large first block");
}

static void test_text(void)
{
	struct arena a = {0};
	struct str s = arena_str(&a, (struct str){"ab\0c", 4});

	ok(s.len == 4 && memcmp(s.p, "ab\0c", 5) == 0, "a copy ends in NUL");
	ok(arena_str(&a, (struct str){0}).p != NULL, "the copy of an absent string is an empty one");
	s = arena_printf(&a, "%s %d", "number", 42);
	is_str(s.p, "number 42", "printf");
	is_u64(s.len, 9, "and its length");
	memset(arena_alloc(&a, 64), 0xff, 64);
	arena_reset(&a);
	char *zeros = arena_zalloc(&a, 64);
	ok(zeros[0] == 0 && zeros[63] == 0, "zalloc gives zeros");
	arena_fini(&a);
}

int main(void)
{
	test_alignment();
	test_contents();
	test_bounds();
	test_text();
	return done_testing();
}
