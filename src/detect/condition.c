/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/condition.h"

#include <errno.h>
#include <stdlib.h>

#include "base/chars.h"

enum token_kind {
	TOKEN_END,
	TOKEN_VAR,
	TOKEN_NUMBER,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_NOT,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_OF,
	TOKEN_THEM,
	TOKEN_ALL,
	TOKEN_ANY,
	TOKEN_NONE,
	TOKEN_OTHER,
};

struct token {
	enum token_kind kind;
	struct str text;
	uint32_t at;
};

struct parser {
	const struct condition_input *input;
	struct syntax_error *error;
	struct token token;
	uint32_t at; /* behind the token */
	uint32_t depth;
	struct condition c;
};

static const struct {
	struct str text;
	enum token_kind kind;
} symbols[] = {
	{STR("("), TOKEN_OPEN}, {STR(")"), TOKEN_CLOSE}, {STR("!"), TOKEN_NOT},
	{STR("&&"), TOKEN_AND}, {STR("||"), TOKEN_OR},
};

static const struct {
	struct str text;
	enum token_kind kind;
} words[] = {
	{STR("not"), TOKEN_NOT},   {STR("and"), TOKEN_AND}, {STR("AND"), TOKEN_AND},
	{STR("or"), TOKEN_OR},     {STR("OR"), TOKEN_OR},   {STR("of"), TOKEN_OF},
	{STR("them"), TOKEN_THEM}, {STR("all"), TOKEN_ALL}, {STR("any"), TOKEN_ANY},
	{STR("none"), TOKEN_NONE},
};

static bool is_name(char c)
{
	return chars_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static uint32_t count_names(struct str s)
{
	uint32_t n = 0;

	while (n < s.len && is_name(s.p[n]))
		n++;
	return n;
}

static struct token read_word(struct str s, uint32_t at)
{
	struct token t = {TOKEN_OTHER, {s.p, count_names(s)}, at};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (str_eq(t.text, words[i].text))
			t.kind = words[i].kind;
	}
	return t;
}

static struct token read_token(struct str s, uint32_t at)
{
	struct token t = {TOKEN_OTHER, {s.p, s.len ? 1 : 0}, at};

	if (!s.len) {
		t.kind = TOKEN_END;
		return t;
	}
	if (*s.p == '$' && s.len > 1 && is_name(s.p[1])) {
		t.kind = TOKEN_VAR;
		t.text.len = 1 + count_names(chars_skip(s, 1));
		return t;
	}
	if (chars_is_digit(*s.p)) {
		t.kind = TOKEN_NUMBER;
		t.text.len = chars_count_digits(s);
		return t;
	}
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		if (str_starts_with(s, symbols[i].text)) {
			t.kind = symbols[i].kind;
			t.text.len = symbols[i].text.len;
			return t;
		}
	}
	return is_name(*s.p) ? read_word(s, at) : t;
}

static void advance(struct parser *p)
{
	struct str s = chars_skip(p->input->text, p->at);

	while (s.len && (chars_is_space(*s.p) || *s.p == '\r'))
		s = chars_skip(s, 1);
	p->token = read_token(s, p->input->text.len - s.len);
	p->at = p->token.at + p->token.text.len;
}

static int refuse(struct parser *p, const char *expected)
{
	struct buf quoted = {0};
	const char *hint = "";

	if (p->token.kind == TOKEN_END)
		return syntax_error_set(p->error, p->token.at, "expected %s, found the end", expected);
	if (str_eq(p->token.text, STR("NOT")))
		hint = "; write not";
	else if (str_eq(p->token.text, STR("*")))
		hint = "; `of $a` means all operands whose names begin with $a, without a *";
	else if (str_eq(p->token.text, STR("&")) || str_eq(p->token.text, STR("|")))
		hint = "; write and, or";
	buf_add_quoted(&quoted, p->token.text);
	int err = syntax_error_set(p->error, p->token.at, "expected %s, found %.*s%s", expected,
				   STR_ARG(buf_str(&quoted)), hint);
	buf_fini(&quoted);
	return err;
}

static int add_node(struct parser *p, struct node node, uint32_t *ret)
{
	if (p->c.count == CONDITION_NODES_MAX)
		return syntax_error_set(p->error, p->token.at, "the condition has more than %d parts",
					CONDITION_NODES_MAX);
	*ret = p->c.count;
	p->c.nodes[p->c.count++] = node;
	return 0;
}

static int parse_or(struct parser *p, uint32_t *ret);

static int parse_parentheses(struct parser *p, uint32_t *ret)
{
	if (++p->depth > CONDITION_DEPTH_MAX)
		return syntax_error_set(p->error, p->token.at, "more than %d parentheses in each other",
					CONDITION_DEPTH_MAX);
	advance(p);
	int err = parse_or(p, ret);
	if (err)
		return err;
	if (p->token.kind != TOKEN_CLOSE)
		return refuse(p, "`and`, `or` or )");
	p->depth--;
	advance(p);
	return 0;
}

static void report_missing(struct parser *p, const struct token *name)
{
	if (p->input->on_missing)
		p->input->on_missing(p->input->context, name->text, name->at);
}

static int parse_operand(struct parser *p, uint32_t *ret)
{
	struct node node = {.kind = NODE_OPERAND, .a = NODE_MISSING};

	for (uint32_t i = 0; i < p->input->operand_count && node.a == NODE_MISSING; i++) {
		if (str_eq(p->input->operands[i], p->token.text)) {
			p->input->ret_used[i] = true;
			node.a = i;
		}
	}
	if (node.a == NODE_MISSING)
		report_missing(p, &p->token);
	advance(p);
	return add_node(p, node, ret);
}

/* The operands that a group speaks of become members of the condition. */
static int add_members(struct parser *p, struct node *node)
{
	bool them = p->token.kind == TOKEN_THEM;

	node->a = p->c.member_count;
	for (uint32_t i = 0; i < p->input->operand_count; i++) {
		if (!them && !str_starts_with(p->input->operands[i], p->token.text))
			continue;
		if (p->c.member_count == CONDITION_MEMBERS_MAX)
			return syntax_error_set(p->error, p->token.at, "groups of more than %d operands",
						CONDITION_MEMBERS_MAX);
		uint32_t *members = p->c.members;
		if ((p->c.member_count & (p->c.member_count - 1)) == 0)
			members = realloc(members, (p->c.member_count * 2 + 1) * sizeof(*members));
		if (!members)
			return -ENOMEM;
		p->c.members = members;
		p->c.members[p->c.member_count++] = i;
		p->input->ret_used[i] = true;
	}
	node->b = p->c.member_count - node->a;
	if (!node->b)
		report_missing(p, &p->token);
	return 0;
}

static int parse_need(struct parser *p, struct node *node)
{
	uint64_t need = 0;

	for (uint32_t i = 0; i < p->token.text.len; i++) {
		need = need * 10 + (uint64_t)(p->token.text.p[i] - '0');
		if (need > UINT32_MAX)
			return syntax_error_set(p->error, p->token.at, "the number is too large");
	}
	node->kind = need ? NODE_AT_LEAST : NODE_NONE;
	node->need = (uint32_t)need;
	return 0;
}

static int parse_group(struct parser *p, uint32_t *ret)
{
	struct node node = {.kind = NODE_AT_LEAST, .need = 1};
	int err = 0;

	if (p->token.kind == TOKEN_ALL)
		node.kind = NODE_ALL;
	else if (p->token.kind == TOKEN_NONE)
		node.kind = NODE_NONE;
	else if (p->token.kind == TOKEN_NUMBER)
		err = parse_need(p, &node);
	if (err)
		return err;
	advance(p);
	if (p->token.kind != TOKEN_OF)
		return refuse(p, "`of`");
	advance(p);
	if (p->token.kind != TOKEN_THEM && p->token.kind != TOKEN_VAR)
		return refuse(p, "`them` or the beginning of operands' names, like $a,");
	err = add_members(p, &node);
	if (err)
		return err;
	advance(p);
	return add_node(p, node, ret);
}

static int parse_plain(struct parser *p, uint32_t *ret)
{
	switch (p->token.kind) {
	case TOKEN_OPEN:
		return parse_parentheses(p, ret);
	case TOKEN_VAR:
		return parse_operand(p, ret);
	case TOKEN_ALL:
	case TOKEN_ANY:
	case TOKEN_NONE:
	case TOKEN_NUMBER:
		return parse_group(p, ret);
	default:
		return refuse(p, "an operand like $a, a group like `any of $a`, or (");
	}
}

static int parse_atom(struct parser *p, uint32_t *ret)
{
	if (p->token.kind != TOKEN_NOT)
		return parse_plain(p, ret);
	advance(p);
	if (p->token.kind == TOKEN_NOT)
		return syntax_error_set(p->error, p->token.at,
					"only one negation may stand here; `not (not $a)` is possible");
	uint32_t child;
	int err = parse_plain(p, &child);
	return err ? err : add_node(p, (struct node){.kind = NODE_NOT, .a = child}, ret);
}

/*
 * A chain of operators of one kind. It leans to the right, so that it is evaluated in a loop: $a and ($b and $c) is the same
 * as ($a and $b) and $c, also where an operand is an error.
 */
static int parse_chain(struct parser *p, enum token_kind token, enum node_kind kind,
		       int (*parse)(struct parser *p, uint32_t *ret), uint32_t *ret)
{
	uint32_t *last = ret;

	int err = parse(p, ret);
	while (!err && p->token.kind == token) {
		struct node node = {.kind = kind, .a = *last};
		advance(p);
		err = parse(p, &node.b);
		if (!err)
			err = add_node(p, node, last);
		if (!err)
			last = &p->c.nodes[*last].b;
	}
	return err;
}

static int parse_and(struct parser *p, uint32_t *ret)
{
	return parse_chain(p, TOKEN_AND, NODE_AND, parse_atom, ret);
}

static int parse_or(struct parser *p, uint32_t *ret)
{
	return parse_chain(p, TOKEN_OR, NODE_OR, parse_and, ret);
}

static int parse_all(struct parser *p)
{
	advance(p);
	if (p->token.kind == TOKEN_END)
		return add_node(p, (struct node){.kind = NODE_TRUE}, &p->c.root);
	int err = parse_or(p, &p->c.root);
	if (!err && p->token.kind != TOKEN_END)
		err = refuse(p, "`and`, `or` or the end");
	return err;
}

/* From the parser's memory to the arena. */
static int keep(const struct condition *c, struct arena *a, struct condition *ret)
{
	struct condition kept = *c;

	kept.nodes = arena_alloc(a, c->count * sizeof(*c->nodes));
	kept.members = arena_alloc(a, c->member_count * sizeof(*c->members));
	if (!kept.nodes || !kept.members)
		return -ENOMEM;
	memcpy(kept.nodes, c->nodes, c->count * sizeof(*c->nodes));
	if (c->member_count)
		memcpy(kept.members, c->members, c->member_count * sizeof(*c->members));
	*ret = kept;
	return 0;
}

int condition_parse(const struct condition_input *input, struct arena *a, struct condition *ret,
		    struct syntax_error *error)
{
	struct parser p = {.input = input, .error = error};

	p.c.nodes = calloc(CONDITION_NODES_MAX, sizeof(*p.c.nodes));
	int err = p.c.nodes ? parse_all(&p) : -ENOMEM;
	if (!err)
		err = keep(&p.c, a, ret);
	free(p.c.nodes);
	free(p.c.members);
	return err;
}
