/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Classes: [...], and sets within sets. */
#include <errno.h>

#include "base/chars.h"
#include "detect/regex_reader.h"

enum { CLASS_TEXT_MAX = 1 << 16 };

/* \d, \p{...} into a class */
int reader_add_escape(struct regex_reader *p, const struct regex_escape *e, uint32_t from, struct class *c)
{
	if (e->kind == ESCAPE_PERL) {
		if (!(p->flags & FLAG_UNICODE) && e->c < 'a')
			return reader_refuse(p, from,
					     "\\D, \\S and \\W with (?-u) would match what is not UTF-8");
		class_add_perl(c, (char)e->c, p->flags & FLAG_UNICODE);
		return 0;
	}
	if (!(p->flags & FLAG_UNICODE))
		return reader_refuse(p, from, "\\p is not possible with (?-u)");
	int err = class_add_property(c, e->property, e->negated);
	if (err == -ENOENT)
		return syntax_error_set(p->error, from, "the Unicode property %.*s is not known",
					STR_ARG(e->property));
	return err;
}

/* "[:alpha:]", or nothing and the reader where it was */
static bool parse_posix(struct regex_reader *p, struct class *c)
{
	uint32_t from = p->at;

	if (!str_starts_with(chars_skip(p->text, from), STR("[:")))
		return false;
	p->at += 2;
	bool negated = reader_take(p, '^');
	struct str name = {p->text.p + p->at, 0};
	while (reader_is_alpha(reader_peek(p))) {
		reader_next(p);
		name.len++;
	}
	if (str_starts_with(chars_skip(p->text, p->at), STR(":]")) &&
	    class_add_posix(c, name, negated) == 0) {
		p->at += 2;
		return true;
	}
	p->at = from;
	return false;
}

/* One character, or \d and the like, which cannot begin a range. */
static int parse_class_item(struct regex_reader *p, struct class *c, bool *ret_literal, uint32_t *ret)
{
	uint32_t from = p->at;
	struct regex_escape e;

	*ret_literal = true;
	if (reader_peek(p) != '\\') {
		*ret = reader_next(p);
		return 0;
	}
	int err = reader_parse_escape(p, &e);
	if (err)
		return err;
	if (e.kind == ESCAPE_LOOK)
		return reader_refuse(p, from, "this escape has no meaning in brackets");
	*ret_literal = e.kind == ESCAPE_LITERAL;
	*ret = e.c;
	return *ret_literal ? 0 : reader_add_escape(p, &e, from, c);
}

static int parse_class_range(struct regex_reader *p, struct class *c)
{
	uint32_t from = p->at, first, last;
	bool literal;

	int err = parse_class_item(p, c, &literal, &first);
	if (err)
		return err;
	reader_skip_blanks(p);
	if (reader_at_end(p))
		return reader_refuse(p, from, "no closing ]");
	if (reader_peek(p) != '-' || reader_peek_second(p) == ']' || reader_peek_second(p) == '-') {
		if (literal)
			class_add_range(c, first, first);
		return 0;
	}
	reader_next(p);
	reader_skip_blanks(p);
	if (reader_at_end(p))
		return reader_refuse(p, from, "no closing ]");
	bool ends = true;
	if (literal)
		err = parse_class_item(p, c, &ends, &last);
	if (err)
		return err;
	if (!literal || !ends)
		return reader_refuse(p, from, "a range must have a character at either end");
	if (first > last)
		return reader_refuse(p, from, "the end of the range comes before its beginning");
	class_add_range(c, first, last);
	c->set.is_literal &= first == last;
	return 0;
}

static int parse_class(struct regex_reader *p, struct class *ret);

static int check_size(struct regex_reader *p, const struct class *c)
{
	return c->items.len + c->atoms.len > CLASS_TEXT_MAX
		       ? reader_refuse(p, p->at, "the class in brackets is too large")
		       : 0;
}

/* Items up to an operator or the end. */
static int parse_class_union(struct regex_reader *p, struct class *c)
{
	for (;;) {
		reader_skip_blanks(p);
		if (reader_at_end(p))
			return reader_refuse(p, p->at, "no closing ]");
		uint32_t ch = reader_peek(p),
			 second = p->at + 1 < p->text.len ? (unsigned char)p->text.p[p->at + 1] : 0;
		if (ch == ']')
			return 0;
		if ((ch == '&' || ch == '-' || ch == '~') && second == ch)
			return 0;
		int err = check_size(p, c);
		if (err)
			return err;
		if (ch == '[') {
			struct class inner = {0};
			if (parse_posix(p, c))
				continue;
			err = parse_class(p, &inner);
			if (err) {
				class_fini(&inner);
				return err;
			}
			inner.set.is_literal = false;
			class_add_class(c, &inner);
			continue;
		}
		err = parse_class_range(p, c);
		if (err)
			return err;
	}
}

static int parse_class_operands(struct regex_reader *p, struct class *c)
{
	while (reader_peek(p) != ']') {
		uint32_t op = reader_peek(p);
		struct class right = {0};
		p->at += 2;
		int err = parse_class_union(p, &right);
		if (!err)
			err = check_size(p, &right);
		if (err) {
			class_fini(&right);
			return err;
		}
		if (p->flags & FLAG_CASE) {
			class_fold(&right, p->flags & FLAG_UNICODE);
			class_fold(c, p->flags & FLAG_UNICODE);
		}
		class_combine(c, op == '&' ? CLASS_AND : op == '-' ? CLASS_MINUS : CLASS_XOR, &right);
		err = check_size(p, c);
		if (err)
			return err;
	}
	return 0;
}

/* After the bracket: "^", then "-" as often as one likes, or one "]", are themselves. */
static void parse_class_start(struct regex_reader *p, struct class *c, bool *ret_negated)
{
	reader_skip_blanks(p);
	*ret_negated = reader_take(p, '^');
	reader_skip_blanks(p);
	while (reader_take(p, '-')) {
		class_add_range(c, '-', '-');
		reader_skip_blanks(p);
	}
	if (!c->items.len && reader_take(p, ']'))
		class_add_range(c, ']', ']');
}

static int parse_class(struct regex_reader *p, struct class *ret)
{
	uint32_t from = p->at++;
	bool negated;

	if (++p->depth > REGEX_DEPTH_MAX)
		return reader_refuse(p, from, "groups and brackets in each other are too deep");
	parse_class_start(p, ret, &negated);
	int err = parse_class_union(p, ret);
	if (!err)
		err = parse_class_operands(p, ret);
	if (err)
		return err;
	p->at++;
	if (p->flags & FLAG_CASE)
		class_fold(ret, p->flags & FLAG_UNICODE);
	if (negated && !(p->flags & FLAG_UNICODE))
		return reader_refuse(p, from, "[^...] with (?-u) would match what is not UTF-8");
	if (negated)
		class_negate(ret);
	p->depth--;
	return check_size(p, ret);
}

int reader_parse_bracket(struct regex_reader *p, struct regex_node **ret)
{
	struct class class = {0};

	int err = parse_class(p, &class);
	if (err) {
		class_fini(&class);
		return err;
	}
	return reader_make_set(p, &class, ret);
}
