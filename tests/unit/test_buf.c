/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include "tests/unit/tap.h"

static const char *text(struct buf *b)
{
	buf_add_char(b, '\0');
	b->len--;
	return b->p;
}

static void test_numbers(void)
{
	struct buf b = {0};

	buf_add_u64(&b, 0);
	buf_add_char(&b, ' ');
	buf_add_u64(&b, UINT64_MAX);
	buf_add_char(&b, ' ');
	buf_add_i64(&b, INT64_MIN);
	buf_add_char(&b, ' ');
	buf_add_i64(&b, INT64_MAX);
	buf_add_char(&b, ' ');
	buf_add_i64(&b, -1);
	is_str(text(&b), "0 18446744073709551615 -9223372036854775808 9223372036854775807 -1", "decimal");
	buf_reset(&b);
	buf_add_hex(&b, 0);
	buf_add_char(&b, ' ');
	buf_add_hex(&b, 0x1200011);
	buf_add_char(&b, ' ');
	buf_add_hex(&b, UINT64_MAX);
	is_str(text(&b), "0x0 0x1200011 0xffffffffffffffff", "hexadecimal");
	buf_fini(&b);
}

static void test_growth(void)
{
	struct buf b = {0};
	unsigned wrong = 0;

	is_u64(buf_str(&b).len, 0, "an unused buffer is empty");
	ok(buf_str(&b).p != NULL, "and no absent string");
	buf_add(&b, "", 0);
	ok(!b.p, "nothing needs no memory");
	for (unsigned i = 0; i < 100000; i++)
		buf_add_char(&b, (char)i);
	for (unsigned i = 0; i < 100000; i++)
		wrong += b.p[i] != (char)i;
	ok(wrong == 0 && b.len == 100000 && !b.failed, "100,000 bytes one by one");
	buf_printf(&b, "%0*d", 5000, 7);
	ok(b.len == 105000 && b.p[104999] == '7', "printf grows too");
	buf_reset(&b);
	ok(b.len == 0 && b.cap >= 105000, "reset keeps the memory");
	buf_fini(&b);
	ok(!b.p && b.cap == 0, "fini gives it back");
}

static void test_failure(void)
{
	struct buf b = {0};

	buf_add_str(&b, STR("kept"));
	ok(!buf_reserve(&b, SIZE_MAX / 2 + 1), "more than there can be is refused");
	ok(b.failed, "which shows");
	buf_add_str(&b, STR("lost"));
	buf_printf(&b, "%s", "lost");
	is_u64(b.len, 4, "later writes do nothing");
	ok(!buf_reserve(&b, 1), "a failed buffer has no room");
	buf_reset(&b);
	buf_add_str(&b, STR("again"));
	ok(!b.failed && str_eq(buf_str(&b), STR("again")), "reset makes it usable");
	buf_fini(&b);
}

int main(void)
{
	test_numbers();
	test_growth();
	test_failure();
	return done_testing();
}
