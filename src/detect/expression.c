/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/expression.h"

#include <errno.h>

#include "base/chars.h"

struct parser {
	struct str text;
	uint32_t at;
	struct arena *arena;
	struct syntax_error *error;
};

static bool is_word(char c)
{
	return chars_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

static char peek(const struct parser *p)
{
	return p->at < p->text.len ? p->text.p[p->at] : '\0';
}

static struct str rest(const struct parser *p)
{
	return chars_skip(p->text, p->at);
}

static void skip_spaces(struct parser *p)
{
	while (p->at < p->text.len && (chars_is_space(peek(p)) || peek(p) == '\r'))
		p->at++;
}

static bool take(struct parser *p, struct str token)
{
	if (!str_starts_with(rest(p), token))
		return false;
	p->at += token.len;
	return true;
}

/* The word, or the few characters, at which the reader stands: for messages. */
static struct str found(const struct parser *p)
{
	struct str s = rest(p);
	uint32_t n = 0;

	while (n < s.len && is_word(s.p[n]))
		n++;
	if (n == 0)
		while (n < s.len && n < 8 && !chars_is_space(s.p[n]) && !is_word(s.p[n]))
			n++;
	return (struct str){s.p, n};
}

static int refuse(struct parser *p, const char *expected)
{
	if (p->at >= p->text.len)
		return syntax_error_set(p->error, p->at, "expected %s, found the end", expected);
	struct buf quoted = {0};
	buf_add_quoted(&quoted, found(p));
	int err = syntax_error_set(p->error, p->at, "expected %s, found %.*s", expected,
				   STR_ARG(buf_str(&quoted)));
	buf_fini(&quoted);
	return err;
}

/* What stands between quotes; there are no escapes. */
static int parse_quoted(struct parser *p, struct str *ret)
{
	char quote = peek(p);
	const char *from = p->text.p + p->at + 1;
	uint32_t left = p->text.len - p->at - 1;
	const char *end = left ? memchr(from, quote, left) : NULL;

	if (!end)
		return syntax_error_set(p->error, p->at, "no closing %c; to write a %c, quote with %s", quote,
					quote, quote == '"' ? "'" : "\"");
	*ret = (struct str){from, (uint32_t)(end - from)};
	p->at += ret->len + 2;
	return 0;
}

static int parse_segment(struct parser *p, struct str *ret)
{
	if (peek(p) == '"') {
		uint32_t at = p->at;
		int err = parse_quoted(p, ret);
		if (err)
			return err;
		for (uint32_t i = 0; i < ret->len; i++) {
			char c = ret->p[i];
			if (!is_word(c) && c != ' ' && c != '.')
				return syntax_error_set(p->error, at + 1 + i,
							"only letters, digits, spaces and . _ - may stand in "
							"a quoted part of a field");
		}
		if (ret->len)
			return 0;
		p->at = at;
		return refuse(p, "the name of a field");
	}
	struct str s = rest(p);
	uint32_t n = 0;
	while (n < s.len && is_word(s.p[n]))
		n++;
	if (n == 0)
		return refuse(p, "the name of a field after '.'");
	*ret = (struct str){s.p, n};
	p->at += n;
	return 0;
}

/* ".data.exe.path", which may be in double quotes as a whole */
static int parse_field(struct parser *p, struct field_path *ret)
{
	struct str segments[FIELD_DEPTH_MAX];
	struct buf text = {0};
	bool quoted = peek(p) == '"';
	int err = 0;

	p->at += quoted;
	ret->offset = p->at;
	ret->count = 0;
	if (peek(p) != '.')
		return refuse(p, "a field, like .data.exe.path");
	while (take(p, STR("."))) {
		if (ret->count == FIELD_DEPTH_MAX) {
			err = syntax_error_set(p->error, p->at, "a field with more than %d parts",
					       FIELD_DEPTH_MAX);
			goto out;
		}
		err = parse_segment(p, &segments[ret->count]);
		if (err)
			goto out;
		buf_printf(&text, ".%.*s", STR_ARG(segments[ret->count]));
		ret->count++;
	}
	if (quoted && !take(p, STR("\""))) {
		err = refuse(p, "\" after the field");
		goto out;
	}
	struct str *kept = arena_alloc(p->arena, ret->count * sizeof(*kept));
	ret->text = arena_str(p->arena, buf_str(&text));
	err = text.failed || !ret->text.p || !kept ? -ENOMEM : 0;
	if (!err)
		ret->segments = memcpy(kept, segments, ret->count * sizeof(*kept));
out:
	buf_fini(&text);
	return err;
}

static const struct {
	struct str token;
	enum operator op;
} operators[] = {
	{STR("=="), OP_EQUAL}, {STR("is"), OP_EQUAL},         {STR("<="), OP_LESS_EQUAL},
	{STR("<"), OP_LESS},   {STR(">="), OP_GREATER_EQUAL}, {STR(">"), OP_GREATER},
	{STR("~="), OP_REGEX}, {STR("&="), OP_FLAGS},
};

/* What people write who know other languages. */
static const struct {
	struct str token;
	const char *hint;
} strangers[] = {
	{STR("!="), "there is no !=: write == here and `not $name` in the condition"},
	{STR("!~"), "there is no !~: write ~= here and `not $name` in the condition"},
	{STR("not"), "`not` belongs into the condition: `not $name`"},
	{STR("in"),
	 "there is no `in`: write one operand for each value and `any of $prefix` in the condition"},
	{STR("=~"), "the operator for regular expressions is ~="},
	{STR("="), "the operator for equality is =="},
	{STR("contains"), "write ~= with a regular expression"},
	{STR("startswith"), "write ~= with a regular expression that begins with ^"},
	{STR("endswith"), "write ~= with a regular expression that ends with $"},
	{STR("matches"), "write ~= with a regular expression"},
	{STR("IS"), "operators are lower case: `is`"},
};

static int parse_operator(struct parser *p, enum operator* ret)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		if (take(p, operators[i].token)) {
			*ret = operators[i].op;
			return 0;
		}
	}
	for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++) {
		if (str_starts_with(rest(p), strangers[i].token))
			return syntax_error_set(p->error, p->at, "%s", strangers[i].hint);
	}
	return refuse(p, "one of == is ~= &= < <= > >= after the field");
}

static int refuse_range(struct parser *p, uint32_t at)
{
	return syntax_error_set(p->error, at, "the number is too large: more than 64 bits");
}

/* '42' and "0x2a" are text and number, '-' and 'cafe' text only. */
static int parse_quoted_value(struct parser *p, enum operator op, struct literal *ret)
{
	uint32_t at = p->at + 1;

	*ret = (struct literal){.kind = LITERAL_TEXT};
	int err = parse_quoted(p, &ret->text);
	if (err || op == OP_REGEX)
		return err;
	err = number_parse(ret->text, &ret->number);
	if (err == -ERANGE)
		return refuse_range(p, at);
	if (err == 0)
		ret->kind = LITERAL_TEXT_OR_NUMBER;
	return 0;
}

static int parse_word_value(struct parser *p, struct literal *ret)
{
	static const struct {
		struct str word;
		struct literal literal;
	} words[] = {
		{STR("none"), {.kind = LITERAL_NONE}},
		{STR("some"), {.kind = LITERAL_SOME}},
		{STR("false"), {.kind = LITERAL_BOOL}},
		{STR("true"), {.kind = LITERAL_BOOL, .b = true}},
	};
	struct str s = rest(p);
	uint32_t n = 0;

	while (n < s.len && (is_word(s.p[n]) || s.p[n] == '.'))
		n++;
	s.len = n;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (str_eq(s, words[i].word)) {
			*ret = words[i].literal;
			p->at += n;
			return 0;
		}
	}
	*ret = (struct literal){.kind = LITERAL_TEXT_OR_NUMBER, .text = s};
	int err = number_parse(s, &ret->number);
	if (err == -ERANGE)
		return refuse_range(p, p->at);
	if (err)
		return refuse(p, "a value: text in quotes, a number, true, false, some or none");
	p->at += n;
	return 0;
}

static int check_operator(struct parser *p, uint32_t at, enum operator op, const struct literal *literal)
{
	bool number = literal->kind == LITERAL_TEXT_OR_NUMBER;

	if (op == OP_EQUAL)
		return 0;
	if (op == OP_REGEX && literal->kind != LITERAL_TEXT)
		return syntax_error_set(p->error, at, "expected a regular expression in quotes after ~=");
	if (op == OP_FLAGS && (!number || literal->number.kind != VALUE_UINT))
		return syntax_error_set(p->error, at,
					"expected a whole number that is not negative after &=");
	if (op != OP_REGEX && !number)
		return syntax_error_set(p->error, at, "expected a number after %s",
					op == OP_LESS         ? "<"
					: op == OP_LESS_EQUAL ? "<="
					: op == OP_GREATER    ? ">"
							      : ">=");
	return 0;
}

static int parse_literal(struct parser *p, struct expression *ret)
{
	uint32_t at = p->at;
	bool quoted = peek(p) == '"' || peek(p) == '\'';

	int err = quoted ? parse_quoted_value(p, ret->op, &ret->literal) : parse_word_value(p, &ret->literal);
	ret->value_offset = at + quoted;
	return err ? err : check_operator(p, at, ret->op, &ret->literal);
}

static int parse_comparison(struct parser *p, struct expression *ret)
{
	int err = parse_field(p, &ret->field);
	if (err)
		return err;
	skip_spaces(p);
	err = parse_operator(p, &ret->op);
	if (err)
		return err;
	skip_spaces(p);
	if (peek(p) != '@') {
		ret->kind = EXPRESSION_DIRECT;
		return parse_literal(p, ret);
	}
	if (ret->op != OP_EQUAL)
		return syntax_error_set(p->error, p->at, "another field can only be compared by == or is");
	ret->kind = EXPRESSION_INDIRECT;
	p->at++;
	return parse_field(p, &ret->other);
}

/* "rule( name )": Kunai takes blanks before the name, we take those after it too. */
static int parse_rule(struct parser *p, struct expression *ret)
{
	ret->kind = EXPRESSION_RULE;
	skip_spaces(p);
	struct str s = rest(p);
	const char *end = s.len ? memchr(s.p, ')', s.len) : NULL;
	if (!end)
		return syntax_error_set(p->error, p->at, "no closing ) after the name of the rule");
	s.len = (uint32_t)(end - s.p);
	ret->value_offset = p->at;
	p->at += s.len + 1;
	while (s.len && chars_is_space(s.p[s.len - 1]))
		s.len--;
	if (!s.len)
		return syntax_error_set(p->error, ret->value_offset, "expected the name of a rule");
	ret->rule = s;
	for (uint32_t i = 0; i < s.len; i++) {
		if (!is_word(s.p[i]) && s.p[i] != '.')
			return syntax_error_set(p->error, ret->value_offset + i,
						"the name of a rule that others use may hold letters, digits "
						"and . _ - only");
	}
	return 0;
}

int expression_parse(struct str text, struct arena *a, struct expression *ret, struct syntax_error *error)
{
	struct parser p = {.text = text, .arena = a, .error = error};
	struct expression e = {0};
	int err;

	skip_spaces(&p);
	if (take(&p, STR("rule(")))
		err = parse_rule(&p, &e);
	else if (peek(&p) == '.' || peek(&p) == '"')
		err = parse_comparison(&p, &e);
	else
		err = refuse(&p, "a field, like .data.exe.path, or rule(name)");
	if (err)
		return err;
	skip_spaces(&p);
	if (p.at < text.len)
		return refuse(&p, "the end of the expression");
	*ret = e;
	return 0;
}
