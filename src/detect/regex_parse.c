/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>

#include "base/chars.h"
#include "detect/regex_reader.h"

/* ---- groups ---- */

static int parse_alternation(struct regex_reader *p, struct regex_node **ret);

static int check_name(struct regex_reader *p, struct str name, uint32_t from)
{
	for (unsigned int i = 0; i < p->name_count; i++) {
		if (str_eq(p->names[i], name))
			return reader_refuse(p, from, "two groups have this name");
	}
	if (p->name_count == REGEX_NAMES_MAX)
		return reader_refuse(p, from, "too many named groups");
	p->names[p->name_count++] = name;
	return 0;
}

/* "name>" */
static int parse_name(struct regex_reader *p)
{
	uint32_t from = p->at;
	struct str name = {p->text.p + from, 0};

	while (!reader_at_end(p) && reader_peek(p) != '>') {
		uint32_t c = reader_next(p);
		bool first = p->at - from == 1;
		bool good = reader_is_alpha(c) || c == '_' || c >= 0x80 ||
			    (!first && ((c >= '0' && c <= '9') || c == '.' || c == '[' || c == ']'));
		if (!good)
			return reader_refuse(p, from,
					     "the name of a group begins with a letter or _ and goes on with "
					     "letters, digits, _ . [ ]");
	}
	name.len = p->at - from;
	if (!reader_take(p, '>') || !name.len)
		return reader_refuse(p, from, "expected a name and > after (?<");
	return check_name(p, name, from);
}

/* "i-s" and then : or ); ret_colon tells which */
static int parse_flags(struct regex_reader *p, bool *ret_colon)
{
	static const char letters[] = "imsRUux";
	unsigned int seen = 0;
	uint32_t from = p->at;
	bool negative = false, dangling = false;
	unsigned int flags = p->flags;

	for (;;) {
		if (reader_at_end(p))
			return reader_refuse(p, from, "no closing )");
		uint32_t c = reader_next(p);
		if (c == ':' || c == ')') {
			*ret_colon = c == ':';
			break;
		}
		if (c == '-') {
			if (negative)
				return reader_refuse(p, from, "two - in the flags of a group");
			negative = dangling = true;
			continue;
		}
		const char *at = c < 0x80 ? strchr(letters, (int)c) : NULL;
		if (!at || !c)
			return reader_refuse(p, from, "expected flags out of i m s R U u x after (?");
		unsigned int flag = 1u << (at - letters);
		if (seen & flag)
			return reader_refuse(p, from, "a flag stands twice");
		seen |= flag;
		dangling = false;
		flags = negative ? flags & ~flag : flags | flag;
	}
	if (dangling)
		return reader_refuse(p, from, "a - without flags");
	if (!seen && !*ret_colon)
		return reader_refuse(p, from, "expected flags after (?");
	p->flags = flags;
	return 0;
}

/* From "(" to ")", or flags for what follows: then ret is NULL. */
static int parse_group(struct regex_reader *p, struct regex_node **ret)
{
	unsigned int outer = p->flags;
	uint32_t from = p->at++;
	struct str rest = chars_skip(p->text, p->at);
	bool colon = true;
	int err = 0;

	if (++p->depth > REGEX_DEPTH_MAX)
		return reader_refuse(p, from, "groups and brackets in each other are too deep");
	if (str_starts_with(rest, STR("?=")) || str_starts_with(rest, STR("?!")) ||
	    str_starts_with(rest, STR("?<=")) || str_starts_with(rest, STR("?<!")))
		return reader_refuse(p, from, "looking ahead or behind is not supported");
	if (str_starts_with(rest, STR("?P<"))) {
		p->at += 3;
		err = parse_name(p);
	} else if (str_starts_with(rest, STR("?<"))) {
		p->at += 2;
		err = parse_name(p);
	} else if (str_starts_with(rest, STR("?"))) {
		p->at++;
		err = parse_flags(p, &colon);
	}
	if (err)
		return err;
	*ret = NULL;
	if (colon) {
		err = parse_alternation(p, ret);
		if (!err && !reader_take(p, ')'))
			return reader_refuse(p, from, "no closing )");
		p->flags = outer;
	}
	p->depth--;
	return err;
}

/* ---- repetitions ---- */

static int parse_number(struct regex_reader *p, uint32_t *ret)
{
	uint64_t value = 0;
	uint32_t digits = 0, from = p->at;

	while (reader_is_blank(reader_peek(p)))
		reader_next(p);
	for (; reader_peek(p) >= '0' && reader_peek(p) <= '9'; digits++) {
		value = value * 10 + (reader_next(p) - '0');
		reader_skip_blanks(p);
		if (value > UINT32_MAX)
			return reader_refuse(p, from, "the number is too large");
	}
	while (reader_is_blank(reader_peek(p)))
		reader_next(p);
	if (!digits)
		return reader_refuse(p, from, "expected a number in {...}; a brace itself is written \\{");
	*ret = (uint32_t)value;
	return 0;
}

/* "{2}", "{2,}", "{2,5}" */
static int parse_counts(struct regex_reader *p, uint32_t *ret_min, uint32_t *ret_max)
{
	uint32_t from = p->at++;

	reader_skip_blanks(p);
	int err = parse_number(p, ret_min);
	if (err)
		return err;
	*ret_max = *ret_min;
	if (reader_take(p, ',')) {
		reader_skip_blanks(p);
		*ret_max = REGEX_INFINITE;
		if (reader_peek(p) != '}')
			err = parse_number(p, ret_max);
		if (err)
			return err;
	}
	if (!reader_take(p, '}'))
		return reader_refuse(p, from, "no closing }; a brace itself is written \\{");
	if (*ret_min > *ret_max)
		return reader_refuse(p, from, "the first number in {...} is larger than the second");
	if (*ret_min > REGEX_REPEAT_MAX || (*ret_max != REGEX_INFINITE && *ret_max > REGEX_REPEAT_MAX))
		return reader_refuse(p, from, "more than 65535 repetitions");
	return 0;
}

static bool is_simple(uint32_t min, uint32_t max)
{
	return min <= 1 && (max == 1 || max == REGEX_INFINITE);
}

/* (a*)+ is a*: in each other they would only cost time. */
static bool merge(struct regex_node *inner, uint32_t min, uint32_t max)
{
	if (inner->kind != REGEX_REPEAT || !is_simple(inner->min, inner->max) || !is_simple(min, max))
		return false;
	inner->min *= min;
	inner->max = inner->max == REGEX_INFINITE ? inner->max : max;
	return true;
}

/* Puts repetitions around the last node, as many as follow. */
static int parse_repetitions(struct regex_reader *p, struct regex_node **node)
{
	for (uint32_t layers = 0;; layers++) {
		uint32_t min = 0, max = REGEX_INFINITE;
		int err = 0;
		reader_skip_blanks(p);
		uint32_t c = reader_peek(p);
		if (c == '{')
			err = parse_counts(p, &min, &max);
		else if (c == '+')
			min = 1;
		else if (c == '?')
			max = 1;
		else if (c != '*')
			return 0;
		if (err)
			return err;
		if (c != '{')
			reader_next(p);
		reader_skip_blanks(p);
		reader_take(p, '?');
		if (merge(*node, min, max))
			continue;
		if (layers == REGEX_DEPTH_MAX)
			return reader_refuse(p, p->at, "too many repetitions of repetitions");
		struct regex_node *repeat = reader_new_node(p, REGEX_REPEAT);
		if (!repeat)
			return -ENOMEM;
		repeat->min = min;
		repeat->max = max;
		repeat->child = *node;
		*node = repeat;
	}
}

/* ---- the whole ---- */

static int parse_escape_node(struct regex_reader *p, struct regex_node **ret)
{
	uint32_t from = p->at;
	struct class class = {0};
	struct regex_escape e;

	int err = reader_parse_escape(p, &e);
	if (err)
		return err;
	if (e.kind == ESCAPE_LITERAL && e.c >= 0x80 && !(p->flags & FLAG_UNICODE))
		return reader_refuse(p, from, "with (?-u) only ASCII characters can be written so");
	if (e.kind == ESCAPE_LITERAL)
		return reader_make_literal(p, e.c, ret);
	if (e.kind == ESCAPE_LOOK)
		return reader_make_look(p, e.look, ret);
	err = reader_add_escape(p, &e, from, &class);
	if (err) {
		class_fini(&class);
		return err;
	}
	if (p->flags & FLAG_CASE && e.kind == ESCAPE_PROPERTY)
		class_fold(&class, p->flags & FLAG_UNICODE);
	return reader_make_set(p, &class, ret);
}

static int parse_atom(struct regex_reader *p, struct regex_node **ret)
{
	bool lines = p->flags & FLAG_LINES, crlf = p->flags & FLAG_CRLF;
	uint32_t from = p->at, c = reader_peek(p);

	switch (c) {
	case '(':
		return parse_group(p, ret);
	case '[':
		return reader_parse_bracket(p, ret);
	case '\\':
		return parse_escape_node(p, ret);
	case '*':
	case '+':
	case '?':
	case '{':
		return reader_refuse(
			p, from,
			"nothing stands before the repetition; the character itself is written with a \\");
	}
	reader_next(p);
	switch (c) {
	case '.':
		if (!(p->flags & FLAG_UNICODE))
			return reader_refuse(p, from, ". with (?-u) would match what is not UTF-8");
		return reader_make_dot(p, ret);
	case '^':
		return reader_make_look(p,
					!lines ? LOOK_START
					: crlf ? LOOK_LINE_START_CRLF
					       : LOOK_LINE_START,
					ret);
	case '$':
		return reader_make_look(p,
					!lines ? LOOK_END
					: crlf ? LOOK_LINE_END_CRLF
					       : LOOK_LINE_END,
					ret);
	}
	return reader_make_literal(p, c, ret);
}

static int parse_concat(struct regex_reader *p, struct regex_node **ret)
{
	struct regex_node *concat = reader_new_node(p, REGEX_CONCAT);
	struct regex_node **last;

	if (!concat)
		return -ENOMEM;
	last = &concat->child;
	for (;;) {
		struct regex_node *node = NULL;
		reader_skip_blanks(p);
		if (reader_at_end(p) || reader_peek(p) == '|' || reader_peek(p) == ')')
			break;
		int err = parse_atom(p, &node);
		if (!err && node)
			err = parse_repetitions(p, &node);
		if (err)
			return err;
		if (!node)
			continue;
		*last = node;
		last = &node->next;
	}
	if (!concat->child)
		concat->kind = REGEX_EMPTY;
	*ret = concat->child && !concat->child->next ? concat->child : concat;
	return 0;
}

static int parse_alternation(struct regex_reader *p, struct regex_node **ret)
{
	struct regex_node *alternate, *node;

	int err = parse_concat(p, &node);
	if (err || reader_peek(p) != '|') {
		*ret = node;
		return err;
	}
	alternate = reader_new_node(p, REGEX_ALTERNATE);
	if (!alternate)
		return -ENOMEM;
	alternate->child = node;
	while (reader_take(p, '|')) {
		err = parse_concat(p, &node->next);
		if (err)
			return err;
		node = node->next;
	}
	*ret = alternate;
	return 0;
}

int regex_parse(struct str pattern, struct arena *a, struct regex_node **ret, struct syntax_error *error)
{
	struct regex_reader p = {.text = pattern, .arena = a, .error = error, .flags = FLAG_UNICODE};
	struct regex_node *node;

	if (pattern.len > REGEX_LENGTH_MAX)
		return reader_refuse(&p, 0, "longer than 16384 bytes");
	int err = parse_alternation(&p, &node);
	if (err)
		return err;
	if (!reader_at_end(&p))
		return reader_refuse(&p, p.at, "a ) without its (");
	*ret = node;
	return 0;
}
