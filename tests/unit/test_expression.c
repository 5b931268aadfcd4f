/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operands of rules: every row of the tables of what Kunai takes, and what we take beyond. */
#include "tap.h"

#include "detect/compare.h"
#include "detect/expression.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct arena arena;

/* "text", "both", "none", ...: how a value was understood; the error's text when it was refused */
static const char *understand(const char *text)
{
	static struct syntax_error error;
	static const char *const names[] = {"none", "some", "bool", "text", "both"};
	struct expression e;

	if (expression_parse(str_of(text), &arena, &e, &error) < 0)
		return error.text;
	if (e.kind == EXPRESSION_RULE)
		return "rule";
	return e.kind == EXPRESSION_INDIRECT ? "indirect" : names[e.literal.kind];
}

static void test_values(void)
{
	static const struct {
		const char *text;
		const char *kind;
	} cases[] = {
		{".a == none", "none"},
		{".a is some", "some"},
		{".a is true", "bool"},
		{".a == false", "bool"},
		{".a == 'true'", "text"},
		{".a == '42'", "both"},
		{".a == \"42\"", "both"},
		{".a == 42", "both"},
		{".a == '0x10'", "both"},
		{".a == 0x10", "both"},
		{".a == '0X10'", "text"},
		{".a == '3.14'", "both"},
		{".u is7", "both"},
		{".u is 7", "both"},
		{".u==7", "both"},
		{"  .u  ==  7  ", "both"},
		{".u\t==\n7\n", "both"},
		{".a == ''", "text"},
		{".a == 'it is \"quoted\"'", "text"},
		{".a == \"it's\"", "text"},
		{".a == 'back\\slash'", "text"},
		/* Kunai refuses these, we take them */
		{".a == 'cafe'", "text"},
		{".a == 'add'", "text"},
		{".a == 'e'", "text"},
		{".a == \"deadbeef\"", "text"},
		{".a == 'd41d8cd98f00b204e9800998ecf8427e'", "text"},
		{".a == 3.14", "both"},
		{".a == -1", "both"},
		{".a == '-1'", "both"},
		{".a > -1", "both"},
		{".a > '-1.5'", "both"},
		{".a ~= 'add'", "text"},
		{".a ~= '10'", "text"},
		{".a ~= 'e'", "text"},
		{"rule(name )", "rule"},
		{"rule(name)", "rule"},
		{"rule( name)", "rule"},
		{"rule(a.b-c_d9)", "rule"},
		{".a.b == @.c.d", "indirect"},
		{".a.b is @.c.d", "indirect"},
		{"\".a.b\" == 'x'", "text"},
		{".a.\"b c.d\".e == 'x'", "text"},
		{".a-b._c9 == 'x'", "text"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		is_str(understand(cases[i].text), cases[i].kind, cases[i].text);
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		uint32_t offset;
		const char *part; /* of the message */
	} cases[] = {
		{".a == 18446744073709551616", 6, "more than 64 bits"},
		{".a == '18446744073709551616'", 7, "more than 64 bits"},
		{".a == 0x10000000000000000", 6, "more than 64 bits"},
		{".a == -9223372036854775809", 6, "more than 64 bits"},
		{".a == TRUE", 6, "a value"},
		{".a is Some", 6, "a value"},
		{".a is none2", 6, "a value"},
		{".a == cafe", 6, "text in quotes"},
		{".a == 'x' garbage", 10, "the end"},
		{"rule(name) garbage", 11, "the end"},
		{"rule (name)", 0, "rule(name)"},
		{"rule()", 5, "the name of a rule"},
		{"rule(a b)", 6, "letters, digits"},
		{"rule(a", 5, "closing )"},
		{".a != 'x'", 3, "there is no !="},
		{".a in 'x'", 3, "there is no `in`"},
		{".a = 'x'", 3, "=="},
		{".a =~ 'x'", 3, "~="},
		{".a contains 'x'", 3, "~="},
		{".a 'x'", 3, "expected one of"},
		{".a ==", 5, "found the end"},
		{".a", 2, "found the end"},
		{".a == 'x", 6, "no closing '"},
		{".a. == 'x'", 3, "the name of a field"},
		{"a == 'x'", 0, "a field, like"},
		{"", 0, "found the end"},
		{".a[0] == 'x'", 2, "expected one of"},
		{".a ~= @.b", 6, "another field"},
		{".a ~= 10", 6, "a regular expression in quotes"},
		{".a > 'abc'", 5, "a number after >"},
		{".a <= some", 6, "a number after <="},
		{".a &= 'x'", 6, "a whole number"},
		{".a &= 1.5", 6, "a whole number"},
		{".a &= -1", 6, "a whole number"},
		{".a.\"b/c\" == 1", 5, "a quoted part"},
		{".a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q == 1", 33, "more than 16 parts"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct syntax_error error = {0};
		struct expression e;
		int err = expression_parse(str_of(cases[i].text), &arena, &e, &error);
		bool good = err < 0 && error.offset == cases[i].offset && strstr(error.text, cases[i].part);
		if (!good)
			printf("# %d at %u: %s\n", err, error.offset, error.text);
		ok(good, "refused: %s", cases[i].text);
	}
}

static void test_parts(void)
{
	struct syntax_error error;
	struct expression e;

	expression_parse(STR(".data.\"x y\".z <= '0x10'"), &arena, &e, &error);
	ok(e.field.count == 3 && str_eq(e.field.segments[1], STR("x y")) &&
		   str_eq(e.field.text, STR(".data.x y.z")),
	   "segments of a path");
	ok(e.op == OP_LESS_EQUAL && e.literal.number.kind == VALUE_UINT && e.literal.number.u == 16 &&
		   str_eq(e.literal.text, STR("0x10")),
	   "a number keeps its text");
	expression_parse(STR("rule( x.y )"), &arena, &e, &error);
	ok(str_eq(e.rule, STR("x.y")), "the name of a rule without blanks");
}

static const struct value v_none = {.kind = VALUE_NONE}, v_some = {.kind = VALUE_SOME},
			  v_true = {.kind = VALUE_BOOL, .b = true}, v_seven = {.kind = VALUE_UINT, .u = 7},
			  v_minus = {.kind = VALUE_INT, .i = -7}, v_float = {.kind = VALUE_FLOAT, .f = 7.5},
			  v_whole = {.kind = VALUE_FLOAT, .f = 7.0},
			  v_max = {.kind = VALUE_UINT, .u = UINT64_MAX},
			  v_text = {.kind = VALUE_STR, .s = {"text", 4}},
			  v_digits = {.kind = VALUE_STR, .s = {"7", 1}},
			  v_hex = {.kind = VALUE_STR, .s = {"0x0f", 4}}, v_empty = {.kind = VALUE_STRV};
static const struct str pair[] = {{"one", 3}, {"7", 1}};
static const struct value v_pair = {.kind = VALUE_STRV, .v = {pair, 2}};

static void test_comparisons(void)
{
	const enum truth F = TRUTH_FALSE, T = TRUTH_TRUE, E = TRUTH_ERROR;
	const struct {
		const char *text;
		const struct value *value;
		enum truth want;
	} cases[] = {
		{".a == 'text'", &v_text, T},
		{".a == 'Text'", &v_text, F},
		{".a == 'text'", &v_seven, E},
		{".a == 'text'", &v_none, E},
		{".a == 'text'", &v_some, E},
		{".a == 'text'", &v_true, E},
		{".a == '7'", &v_digits, T},
		{".a == '7'", &v_seven, T},
		{".a == '07'", &v_seven, T},
		{".a == '07'", &v_digits, F},
		{".a == '0x7'", &v_seven, T},
		{".a == '7'", &v_true, E},
		{".a == 7", &v_none, E},
		{".a == 8", &v_seven, F},
		/* numbers compare by value across kinds */
		{".a == '7.0'", &v_seven, T},
		{".a == 7", &v_whole, T},
		{".a == 7", &v_float, F},
		{".a > 7", &v_float, T},
		{".a > 8", &v_float, F},
		{".a < 8", &v_float, T},
		{".a >= 7", &v_whole, T},
		{".a < 0", &v_minus, T},
		{".a > -8", &v_minus, T},
		{".a == -7", &v_minus, T},
		{".a > -7.5", &v_minus, T},
		{".a < 18446744073709551615", &v_max, F},
		{".a == 18446744073709551615", &v_max, T},
		{".a < 18446744073709551616.0", &v_max, T},
		/* text where a number is wanted is read as one */
		{".a > 6", &v_digits, T},
		{".a >= 15", &v_hex, T},
		{".a > 6", &v_text, E},
		{".a &= 0x3", &v_hex, T},
		{".a > 6", &v_none, E},
		{".a > 6", &v_true, E},
		{".a &= 3", &v_seven, T},
		{".a &= 8", &v_seven, F},
		{".a &= 0", &v_seven, T},
		{".a &= 1", &v_float, E},
		{".a &= 1", &v_minus, E},
		{".a is true", &v_true, T},
		{".a is false", &v_true, F},
		{".a is true", &v_text, E},
		{".a is none", &v_none, T},
		{".a is none", &v_text, E},
		{".a is none", &v_some, E},
		{".a is some", &v_none, F},
		{".a is some", &v_some, T},
		{".a is some", &v_text, T},
		/* any element of a vector; the first error ends it */
		{".a == 'one'", &v_pair, T},
		{".a == '7'", &v_pair, T},
		{".a == 'two'", &v_pair, F},
		{".a == 'one'", &v_empty, F},
		{".a is some", &v_empty, F},
		{".a is some", &v_pair, T},
		{".a is none", &v_pair, E},
		{".a is none", &v_empty, F},
		{".a > 6", &v_pair, E},
		{".a > 6", &v_empty, F},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct syntax_error error;
		struct expression e;
		ok(expression_parse(str_of(cases[i].text), &arena, &e, &error) == 0 &&
			   compare_literal(&e, cases[i].value) == cases[i].want,
		   "%zu: %s, value of kind %d", i, cases[i].text, cases[i].value->kind);
		bool accepts = compare_accepts(&e) >> cases[i].value->kind & 1;
		ok(accepts || cases[i].want == E || cases[i].value->kind == VALUE_STRV,
		   "%zu: what is not accepted is an error", i);
	}
}

static void test_indirect(void)
{
	ok(compare_values(&v_seven, &v_whole) == TRUTH_TRUE, "indirect: numbers by value");
	ok(compare_values(&v_seven, &v_digits) == TRUTH_FALSE,
	   "indirect: other kinds are different, not an error");
	ok(compare_values(&v_none, &v_none) == TRUTH_TRUE, "indirect: none and none");
	ok(compare_values(&v_none, &v_text) == TRUTH_FALSE, "indirect: none and text");
	ok(compare_values(&v_pair, &v_pair) == TRUTH_TRUE, "indirect: vectors");
	ok(compare_values(&v_pair, &v_empty) == TRUTH_FALSE, "indirect: other vectors");
	ok(compare_values(&v_text, &v_text) == TRUTH_TRUE, "indirect: text");
}

int main(void)
{
	test_values();
	test_refused();
	test_parts();
	test_comparisons();
	test_indirect();
	arena_fini(&arena);
	return done_testing();
}
