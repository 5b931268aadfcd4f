/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Characters of a pattern, and nodes of one character. */
#include <errno.h>

#include "detect/regex_reader.h"

int reader_refuse(struct regex_reader *p, uint32_t at, const char *text)
{
	return syntax_error_set(p->error, at, "%s", text);
}

bool reader_at_end(const struct regex_reader *p)
{
	return p->at >= p->text.len;
}

/* The character at a byte; the pattern is valid UTF-8. 0xffffffff at the end. */
static uint32_t char_at(const struct regex_reader *p, uint32_t at, uint32_t *ret_len)
{
	*ret_len = 1;
	if (at >= p->text.len)
		return UINT32_MAX;
	const unsigned char *s = (const unsigned char *)p->text.p + at;
	if (*s < 0x80)
		return *s;
	*ret_len = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
	uint32_t c = *s & (0x7fu >> *ret_len);
	for (uint32_t i = 1; i < *ret_len; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

uint32_t reader_peek(const struct regex_reader *p)
{
	uint32_t len;

	return char_at(p, p->at, &len);
}

uint32_t reader_next(struct regex_reader *p)
{
	uint32_t len;
	uint32_t c = char_at(p, p->at, &len);

	p->at += len;
	return c;
}

/* Unicode's Pattern_White_Space and what else Rust takes for a blank. */
bool reader_is_blank(uint32_t c)
{
	return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	       c == 0x3000;
}

/* Blanks and comments, with (?x) only. */
void reader_skip_blanks(struct regex_reader *p)
{
	if (!(p->flags & FLAG_VERBOSE))
		return;
	while (!reader_at_end(p)) {
		if (reader_is_blank(reader_peek(p))) {
			reader_next(p);
		} else if (reader_peek(p) == '#') {
			while (!reader_at_end(p) && reader_next(p) != '\n')
				;
		} else {
			return;
		}
	}
}

bool reader_take(struct regex_reader *p, char c)
{
	if (reader_peek(p) != (uint32_t)c)
		return false;
	p->at++;
	return true;
}

/* The character after the present one, blanks passed by. */
uint32_t reader_peek_second(struct regex_reader *p)
{
	struct regex_reader ahead = *p;

	reader_next(&ahead);
	reader_skip_blanks(&ahead);
	return reader_peek(&ahead);
}

bool reader_is_alpha(uint32_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80;
}

/* ---- nodes ---- */

struct regex_node *reader_new_node(struct regex_reader *p, enum regex_kind kind)
{
	struct regex_node *node = arena_zalloc(p->arena, sizeof(*node));

	if (node)
		node->kind = kind;
	return node;
}

int reader_make_look(struct regex_reader *p, enum regex_look look, struct regex_node **ret)
{
	struct regex_node *node = reader_new_node(p, REGEX_LOOK);

	if (!node)
		return -ENOMEM;
	node->look = look;
	node->ascii = !(p->flags & FLAG_UNICODE);
	*ret = node;
	return 0;
}

int reader_make_set(struct regex_reader *p, struct class *c, struct regex_node **ret)
{
	struct regex_node *node = reader_new_node(p, REGEX_SET);

	if (!node) {
		class_fini(c);
		return -ENOMEM;
	}
	int err = class_finish(c, p->arena, &node->set);
	if (!err)
		*ret = node;
	return err;
}

int reader_make_literal(struct regex_reader *p, uint32_t c, struct regex_node **ret)
{
	struct class class = {0};

	class_add_range(&class, c, c);
	if (p->flags & FLAG_CASE) {
		/* what has no other case stays a literal */
		struct regex_set before = class.set;
		class_fold(&class, p->flags & FLAG_UNICODE);
		if (c < 0x80 && before.ascii[0] == class.set.ascii[0] &&
		    before.ascii[1] == class.set.ascii[1])
			class.set.is_literal = true;
	}
	return reader_make_set(p, &class, ret);
}

int reader_make_dot(struct regex_reader *p, struct regex_node **ret)
{
	struct class class = {0};

	if (!(p->flags & FLAG_DOT)) {
		class_add_range(&class, '\n', '\n');
		if (p->flags & FLAG_CRLF)
			class_add_range(&class, '\r', '\r');
	}
	class_negate(&class);
	return reader_make_set(p, &class, ret);
}
