/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conditions: grammar, binding, groups; each is written out again with all its parentheses. */
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "detect/condition.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct str operands[] = {STR("$a"), STR("$b"), STR("$c"), STR("$p1"), STR("$p2"), STR("$p")};
static struct arena arena;
static unsigned missing;

static void write_node(const struct condition *c, uint32_t index, struct buf *out)
{
	static const char *const groups[] = {[NODE_ALL] = "all", [NODE_NONE] = "none"};
	const struct node *n = &c->nodes[index];

	switch (n->kind) {
	case NODE_TRUE:
		buf_add_str(out, STR("true"));
		break;
	case NODE_OPERAND:
		buf_add_str(out, n->a == NODE_MISSING ? STR("?") : operands[n->a]);
		break;
	case NODE_NOT:
		buf_add_char(out, '!');
		write_node(c, n->a, out);
		break;
	case NODE_AND:
	case NODE_OR:
		buf_add_char(out, '(');
		write_node(c, n->a, out);
		buf_add_str(out, n->kind == NODE_AND ? STR(" & ") : STR(" | "));
		write_node(c, n->b, out);
		buf_add_char(out, ')');
		break;
	default:
		if (n->kind == NODE_AT_LEAST)
			buf_printf(out, "%u{", n->need);
		else
			buf_printf(out, "%s{", groups[n->kind]);
		for (uint32_t i = 0; i < n->b; i++)
			buf_printf(out, "%s%.*s", i ? " " : "", STR_ARG(operands[c->members[n->a + i]]));
		buf_add_char(out, '}');
	}
}

static void on_missing(void *context, struct str name, uint32_t offset)
{
	(void)context;
	(void)name;
	(void)offset;
	missing++;
}

static int parse(struct str text, struct condition *ret, struct syntax_error *error)
{
	bool used[COUNT(operands)] = {0};
	struct condition_input input = {
		.text = text,
		.operands = operands,
		.operand_count = COUNT(operands),
		.ret_used = used,
		.on_missing = on_missing,
	};

	missing = 0;
	return condition_parse(&input, &arena, ret, error);
}

static void test_accepted(void)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{"", "true"},
		{" \n", "true"},
		{"$a", "$a"},
		{"$a and $b", "($a & $b)"},
		{"$a AND $b", "($a & $b)"},
		{"$a && $b", "($a & $b)"},
		{"$a&&$b", "($a & $b)"},
		{"$a or $b", "($a | $b)"},
		{"$a OR $b || $c", "($a | ($b | $c))"},
		{"$a or $b and $c", "($a | ($b & $c))"},
		{"$a and $b or $c", "(($a & $b) | $c)"},
		{"($a or $b) and $c", "(($a | $b) & $c)"},
		{"not $a and $b", "(!$a & $b)"},
		{"!$a", "!$a"},
		{"! $a", "!$a"},
		{"not ($a or $b)", "!($a | $b)"},
		{"not (not $a)", "!!$a"},
		{"all of them", "all{$a $b $c $p1 $p2 $p}"},
		{"any of $p", "1{$p1 $p2 $p}"},
		{"none of $p1", "none{$p1}"},
		{"2 of $p", "2{$p1 $p2 $p}"},
		{"0 of $p", "none{$p1 $p2 $p}"},
		{"any  of  $p", "1{$p1 $p2 $p}"},
		{"not any of $p and $a", "(!1{$p1 $p2 $p} & $a)"},
		{"((($a)))", "$a"},
		/* Kunai refuses these, or crashes */
		{"$a\nand\t$b\n", "($a & $b)"},
		{"2of them", "2{$a $b $c $p1 $p2 $p}"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct syntax_error error;
		struct condition c;
		struct buf out = {0};
		if (parse(str_of(cases[i].text), &c, &error) == 0)
			write_node(&c, c.root, &out);
		else
			buf_add_str(&out, str_of(error.text));
		buf_add_char(&out, '\0');
		is_str(out.p, cases[i].want, *cases[i].text ? cases[i].text : "an empty condition");
		buf_fini(&out);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		uint32_t offset;
		const char *part;
	} cases[] = {
		{"not not $a", 4, "only one negation"},
		{"!!$a", 1, "only one negation"},
		{"NOT $a", 0, "write not"},
		{"$a and", 6, "found the end"},
		{"$a $b", 3, "`and`, `or` or the end"},
		{"and $a", 0, "an operand"},
		{"($a", 3, "found the end"},
		{"$a)", 2, "`and`, `or` or the end"},
		{"any of $p*", 9, "without a *"},
		{"any of", 6, "found the end"},
		{"any them", 4, "`of`"},
		{"50% of them", 2, "`of`"},
		{"99999999999 of them", 0, "too large"},
		{"$a & $b", 3, "write and"},
		{"$", 0, "an operand"},
		{"a", 0, "an operand"},
		{"()", 1, "an operand"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct syntax_error error = {0};
		struct condition c;
		int err = parse(str_of(cases[i].text), &c, &error);
		bool good = err == -EINVAL && error.offset == cases[i].offset &&
			    strstr(error.text, cases[i].part);
		if (!good)
			printf("# %d at %u: %s\n", err, error.offset, error.text);
		ok(good, "refused: %s", cases[i].text);
	}
}

static void test_missing(void)
{
	struct syntax_error error;
	struct condition c;

	ok(parse(STR("$a or $x or any of $y"), &c, &error) == 0 && missing == 2,
	   "missing operands are reported");
	ok(parse(STR("$a or $b"), &c, &error) == 0 && missing == 0, "only those");
}

/* n times before, the operand, n times after */
static int parse_repeated(const char *before, const char *middle, const char *after, int n)
{
	struct syntax_error error;
	struct condition c;
	struct buf text = {0};

	for (int i = 0; i < n; i++)
		buf_add_str(&text, str_of(before));
	buf_add_str(&text, str_of(middle));
	for (int i = 0; i < n; i++)
		buf_add_str(&text, str_of(after));
	int err = parse(buf_str(&text), &c, &error);
	buf_fini(&text);
	return err;
}

static void test_bounds(void)
{
	ok(parse_repeated("(", "$a", ")", CONDITION_DEPTH_MAX) == 0, "the deepest parentheses");
	ok(parse_repeated("(", "$a", ")", CONDITION_DEPTH_MAX + 1) == -EINVAL, "one too deep");
	/* each " or $a" is two parts */
	ok(parse_repeated("", "$a", " or $a", (CONDITION_NODES_MAX - 1) / 2) == 0, "the longest condition");
	ok(parse_repeated("", "$a", " or $a", CONDITION_NODES_MAX / 2) == -EINVAL, "one too long");
}

int main(void)
{
	test_accepted();
	test_refused();
	test_missing();
	test_bounds();
	arena_fini(&arena);
	return done_testing();
}
