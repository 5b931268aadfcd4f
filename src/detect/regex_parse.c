/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>

#include "base/chars.h"
#include "detect/regex_class.h"

enum { CLASS_TEXT_MAX = 1 << 16, CODE_POINT_MAX = 0x10ffff, HEX_DIGITS_MAX = 8 };

enum flag {
	FLAG_CASE = 1,  /* i */
	FLAG_LINES = 2, /* m */
	FLAG_DOT = 4,   /* s */
	FLAG_CRLF = 8,  /* R */
	FLAG_SWAP = 16, /* U */
	FLAG_UNICODE = 32,
	FLAG_VERBOSE = 64, /* x */
};

struct parser {
	struct str text;
	uint32_t at;
	unsigned int flags;
	unsigned int depth;
	struct arena *arena;
	struct syntax_error *error;
	struct str names[REGEX_NAMES_MAX];
	unsigned int name_count;
};

static int refuse(struct parser *p, uint32_t at, const char *text)
{
	return syntax_error_set(p->error, at, "%s", text);
}

/* ---- characters ---- */

static bool at_end(const struct parser *p)
{
	return p->at >= p->text.len;
}

/* The character at a byte; the pattern is valid UTF-8. 0xffffffff at the end. */
static uint32_t char_at(const struct parser *p, uint32_t at, uint32_t *ret_len)
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

static uint32_t peek(const struct parser *p)
{
	uint32_t len;

	return char_at(p, p->at, &len);
}

static uint32_t next(struct parser *p)
{
	uint32_t len;
	uint32_t c = char_at(p, p->at, &len);

	p->at += len;
	return c;
}

/* Unicode's Pattern_White_Space and what else Rust takes for a blank. */
static bool is_blank(uint32_t c)
{
	return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	       c == 0x3000;
}

/* Blanks and comments, with (?x) only. */
static void skip_blanks(struct parser *p)
{
	if (!(p->flags & FLAG_VERBOSE))
		return;
	while (!at_end(p)) {
		if (is_blank(peek(p))) {
			next(p);
		} else if (peek(p) == '#') {
			while (!at_end(p) && next(p) != '\n')
				;
		} else {
			return;
		}
	}
}

static bool take(struct parser *p, char c)
{
	if (peek(p) != (uint32_t)c)
		return false;
	p->at++;
	return true;
}

/* The character after the present one, blanks passed by. */
static uint32_t peek_second(struct parser *p)
{
	struct parser ahead = *p;

	next(&ahead);
	skip_blanks(&ahead);
	return peek(&ahead);
}

static bool is_alpha(uint32_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80;
}

/* ---- nodes ---- */

static struct regex_node *node_new(struct parser *p, enum regex_kind kind)
{
	struct regex_node *node = arena_zalloc(p->arena, sizeof(*node));

	if (node)
		node->kind = kind;
	return node;
}

static int make_look(struct parser *p, enum regex_look look, struct regex_node **ret)
{
	struct regex_node *node = node_new(p, REGEX_LOOK);

	if (!node)
		return -ENOMEM;
	node->look = look;
	node->ascii = !(p->flags & FLAG_UNICODE);
	*ret = node;
	return 0;
}

static int make_set(struct parser *p, struct class *c, struct regex_node **ret)
{
	struct regex_node *node = node_new(p, REGEX_SET);

	if (!node) {
		class_fini(c);
		return -ENOMEM;
	}
	int err = class_finish(c, p->arena, &node->set);
	if (!err)
		*ret = node;
	return err;
}

static int make_literal(struct parser *p, uint32_t c, struct regex_node **ret)
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
	return make_set(p, &class, ret);
}

static int make_dot(struct parser *p, struct regex_node **ret)
{
	struct class class = {0};

	if (!(p->flags & FLAG_DOT)) {
		class_add_range(&class, '\n', '\n');
		if (p->flags & FLAG_CRLF)
			class_add_range(&class, '\r', '\r');
	}
	class_negate(&class);
	return make_set(p, &class, ret);
}

/* ---- escapes ---- */

/* What an escape can be. */
struct escape {
	enum { ESCAPE_LITERAL, ESCAPE_PERL, ESCAPE_PROPERTY, ESCAPE_LOOK } kind;
	uint32_t c;
	enum regex_look look;
	struct str property;
	bool negated;
};

static int hex_value(uint32_t c)
{
	if (c >= '0' && c <= '9')
		return (int)(c - '0');
	return is_alpha(c) && (c | 0x20) <= 'f' ? (int)((c | 0x20) - 'a' + 10) : -1;
}

static int parse_hex(struct parser *p, uint32_t letter, struct escape *ret)
{
	uint32_t from = p->at, value = 0, digits = 0;
	uint32_t want = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;

	skip_blanks(p);
	bool braces = take(p, '{');
	for (;;) {
		skip_blanks(p);
		if (braces ? take(p, '}') : digits == want)
			break;
		int digit = at_end(p) ? -1 : hex_value(peek(p));
		if (digit < 0)
			return refuse(p, p->at, "expected a hexadecimal digit");
		next(p);
		/* leading zeros do not count: \x{0000000041} is A */
		if (value > CODE_POINT_MAX)
			return refuse(p, from, "no such character");
		value = value << 4 | (uint32_t)digit;
		digits++;
	}
	if (!digits)
		return refuse(p, from, "expected a hexadecimal number");
	if (value > CODE_POINT_MAX || (value >= 0xd800 && value <= 0xdfff))
		return refuse(p, from, "no such character");
	*ret = (struct escape){.kind = ESCAPE_LITERAL, .c = value};
	return 0;
}

static int parse_property(struct parser *p, bool negated, struct escape *ret)
{
	uint32_t from = p->at;

	*ret = (struct escape){.kind = ESCAPE_PROPERTY, .negated = negated};
	skip_blanks(p);
	if (at_end(p))
		return refuse(p, from, "expected the name of a property after \\p");
	if (take(p, '{')) {
		const char *name = p->text.p + p->at;
		const char *end = memchr(name, '}', p->text.len - p->at);
		if (!end)
			return refuse(p, from, "no closing } after \\p{");
		ret->property = (struct str){name, (uint32_t)(end - name)};
		p->at += ret->property.len + 1;
		return 0;
	}
	ret->property = (struct str){p->text.p + p->at, 1};
	next(p);
	return 0;
}

/* After \b: {start} and its kin, which look like a repetition. */
static int parse_special_word(struct parser *p, struct escape *ret)
{
	static const struct {
		struct str name;
		enum regex_look look;
	} words[] = {
		{STR("start"), LOOK_WORD_START},
		{STR("end"), LOOK_WORD_END},
		{STR("start-half"), LOOK_WORD_START_HALF},
		{STR("end-half"), LOOK_WORD_END_HALF},
	};
	uint32_t from = p->at;

	if (peek(p) != '{')
		return 0;
	uint32_t c = peek_second(p);
	if (!is_alpha(c) && c != '-')
		return 0;
	next(p);
	skip_blanks(p);
	struct str name = {p->text.p + p->at, 0};
	while (is_alpha(peek(p)) || peek(p) == '-') {
		next(p);
		name.len++;
	}
	skip_blanks(p);
	if (!take(p, '}'))
		return refuse(p, from, "no closing } after \\b{");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (str_eq(words[i].name, name)) {
			ret->look = words[i].look;
			return 0;
		}
	}
	return refuse(p, from, "expected start, end, start-half or end-half in \\b{...}");
}

static int escape_look(enum regex_look look, struct escape *ret)
{
	*ret = (struct escape){.kind = ESCAPE_LOOK, .look = look};
	return 0;
}

static int parse_letter_escape(struct parser *p, uint32_t from, uint32_t c, struct escape *ret)
{
	static const char letters[] = "aftnrv", meanings[] = "\a\f\t\n\r\v";
	const char *at = strchr(letters, (int)c);

	if (at) {
		*ret = (struct escape){.kind = ESCAPE_LITERAL, .c = (uint32_t)meanings[at - letters]};
		return 0;
	}
	switch (c) {
	case 'd':
	case 's':
	case 'w':
	case 'D':
	case 'S':
	case 'W':
		*ret = (struct escape){.kind = ESCAPE_PERL, .c = c};
		return 0;
	case 'p':
	case 'P':
		return parse_property(p, c == 'P', ret);
	case 'x':
	case 'u':
	case 'U':
		return parse_hex(p, c, ret);
	case 'A':
		return escape_look(LOOK_START, ret);
	case 'z':
		return escape_look(LOOK_END, ret);
	case 'B':
		return escape_look(LOOK_NOT_WORD, ret);
	case 'b':
		escape_look(LOOK_WORD, ret);
		return parse_special_word(p, ret);
	case 'Z':
		return refuse(p, from, "\\Z is not known; the end of the text is $ or \\z");
	case 'h':
		return refuse(p, from, "\\h is not known; write [ \\t]");
	default:
		return refuse(p, from, "this escape is not known");
	}
}

static int parse_escape(struct parser *p, struct escape *ret)
{
	uint32_t from = p->at++;

	if (at_end(p))
		return refuse(p, from, "a \\ at the end");
	uint32_t c = next(p);
	if (c >= '0' && c <= '9')
		return refuse(p, from, "back-references and octal numbers are not supported");
	if (c == '<')
		return escape_look(LOOK_WORD_START, ret);
	if (c == '>')
		return escape_look(LOOK_WORD_END, ret);
	if (is_alpha(c))
		return parse_letter_escape(p, from, c, ret);
	if (c >= 0x80)
		return refuse(p, from, "this escape is not known");
	*ret = (struct escape){.kind = ESCAPE_LITERAL, .c = c};
	return 0;
}

/* ---- classes ---- */

/* \d, \p{...} into a class */
static int add_escape(struct parser *p, const struct escape *e, uint32_t from, struct class *c)
{
	if (e->kind == ESCAPE_PERL) {
		if (!(p->flags & FLAG_UNICODE) && e->c < 'a')
			return refuse(p, from, "\\D, \\S and \\W with (?-u) would match what is not UTF-8");
		class_add_perl(c, (char)e->c, p->flags & FLAG_UNICODE);
		return 0;
	}
	if (!(p->flags & FLAG_UNICODE))
		return refuse(p, from, "\\p is not possible with (?-u)");
	int err = class_add_property(c, e->property, e->negated);
	if (err == -ENOENT)
		return syntax_error_set(p->error, from, "the Unicode property %.*s is not known",
					STR_ARG(e->property));
	return err;
}

/* "[:alpha:]", or nothing and the reader where it was */
static bool parse_posix(struct parser *p, struct class *c)
{
	uint32_t from = p->at;

	if (!str_starts_with(chars_skip(p->text, from), STR("[:")))
		return false;
	p->at += 2;
	bool negated = take(p, '^');
	struct str name = {p->text.p + p->at, 0};
	while (is_alpha(peek(p))) {
		next(p);
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
static int parse_class_item(struct parser *p, struct class *c, bool *ret_literal, uint32_t *ret)
{
	uint32_t from = p->at;
	struct escape e;

	*ret_literal = true;
	if (peek(p) != '\\') {
		*ret = next(p);
		return 0;
	}
	int err = parse_escape(p, &e);
	if (err)
		return err;
	if (e.kind == ESCAPE_LOOK)
		return refuse(p, from, "this escape has no meaning in brackets");
	*ret_literal = e.kind == ESCAPE_LITERAL;
	*ret = e.c;
	return *ret_literal ? 0 : add_escape(p, &e, from, c);
}

static int parse_class_range(struct parser *p, struct class *c)
{
	uint32_t from = p->at, first, last;
	bool literal;

	int err = parse_class_item(p, c, &literal, &first);
	if (err)
		return err;
	skip_blanks(p);
	if (at_end(p))
		return refuse(p, from, "no closing ]");
	if (peek(p) != '-' || peek_second(p) == ']' || peek_second(p) == '-') {
		if (literal)
			class_add_range(c, first, first);
		return 0;
	}
	next(p);
	skip_blanks(p);
	if (at_end(p))
		return refuse(p, from, "no closing ]");
	bool ends = true;
	if (literal)
		err = parse_class_item(p, c, &ends, &last);
	if (err)
		return err;
	if (!literal || !ends)
		return refuse(p, from, "a range must have a character at either end");
	if (first > last)
		return refuse(p, from, "the end of the range comes before its beginning");
	class_add_range(c, first, last);
	c->set.is_literal &= first == last;
	return 0;
}

static int parse_class(struct parser *p, struct class *ret);

static int check_size(struct parser *p, const struct class *c)
{
	return c->items.len + c->atoms.len > CLASS_TEXT_MAX
		       ? refuse(p, p->at, "the class in brackets is too large")
		       : 0;
}

/* Items up to an operator or the end. */
static int parse_class_union(struct parser *p, struct class *c)
{
	for (;;) {
		skip_blanks(p);
		if (at_end(p))
			return refuse(p, p->at, "no closing ]");
		uint32_t ch = peek(p),
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

static int parse_class_operands(struct parser *p, struct class *c)
{
	while (peek(p) != ']') {
		uint32_t op = peek(p);
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
static void parse_class_start(struct parser *p, struct class *c, bool *ret_negated)
{
	skip_blanks(p);
	*ret_negated = take(p, '^');
	skip_blanks(p);
	while (take(p, '-')) {
		class_add_range(c, '-', '-');
		skip_blanks(p);
	}
	if (!c->items.len && take(p, ']'))
		class_add_range(c, ']', ']');
}

static int parse_class(struct parser *p, struct class *ret)
{
	uint32_t from = p->at++;
	bool negated;

	if (++p->depth > REGEX_DEPTH_MAX)
		return refuse(p, from, "groups and brackets in each other are too deep");
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
		return refuse(p, from, "[^...] with (?-u) would match what is not UTF-8");
	if (negated)
		class_negate(ret);
	p->depth--;
	return check_size(p, ret);
}

static int parse_bracket(struct parser *p, struct regex_node **ret)
{
	struct class class = {0};

	int err = parse_class(p, &class);
	if (err) {
		class_fini(&class);
		return err;
	}
	return make_set(p, &class, ret);
}

/* ---- groups ---- */

static int parse_alternation(struct parser *p, struct regex_node **ret);

static int check_name(struct parser *p, struct str name, uint32_t from)
{
	for (unsigned int i = 0; i < p->name_count; i++) {
		if (str_eq(p->names[i], name))
			return refuse(p, from, "two groups have this name");
	}
	if (p->name_count == REGEX_NAMES_MAX)
		return refuse(p, from, "too many named groups");
	p->names[p->name_count++] = name;
	return 0;
}

/* "name>" */
static int parse_name(struct parser *p)
{
	uint32_t from = p->at;
	struct str name = {p->text.p + from, 0};

	while (!at_end(p) && peek(p) != '>') {
		uint32_t c = next(p);
		bool first = p->at - from == 1;
		bool good = is_alpha(c) || c == '_' || c >= 0x80 ||
			    (!first && ((c >= '0' && c <= '9') || c == '.' || c == '[' || c == ']'));
		if (!good)
			return refuse(p, from,
				      "the name of a group begins with a letter or _ and goes on with "
				      "letters, digits, _ . [ ]");
	}
	name.len = p->at - from;
	if (!take(p, '>') || !name.len)
		return refuse(p, from, "expected a name and > after (?<");
	return check_name(p, name, from);
}

/* "i-s" and then : or ); ret_colon tells which */
static int parse_flags(struct parser *p, bool *ret_colon)
{
	static const char letters[] = "imsRUux";
	unsigned int seen = 0;
	uint32_t from = p->at;
	bool negative = false, dangling = false;
	unsigned int flags = p->flags;

	for (;;) {
		if (at_end(p))
			return refuse(p, from, "no closing )");
		uint32_t c = next(p);
		if (c == ':' || c == ')') {
			*ret_colon = c == ':';
			break;
		}
		if (c == '-') {
			if (negative)
				return refuse(p, from, "two - in the flags of a group");
			negative = dangling = true;
			continue;
		}
		const char *at = c < 0x80 ? strchr(letters, (int)c) : NULL;
		if (!at || !c)
			return refuse(p, from, "expected flags out of i m s R U u x after (?");
		unsigned int flag = 1u << (at - letters);
		if (seen & flag)
			return refuse(p, from, "a flag stands twice");
		seen |= flag;
		dangling = false;
		flags = negative ? flags & ~flag : flags | flag;
	}
	if (dangling)
		return refuse(p, from, "a - without flags");
	if (!seen && !*ret_colon)
		return refuse(p, from, "expected flags after (?");
	p->flags = flags;
	return 0;
}

/* From "(" to ")", or flags for what follows: then ret is NULL. */
static int parse_group(struct parser *p, struct regex_node **ret)
{
	unsigned int outer = p->flags;
	uint32_t from = p->at++;
	struct str rest = chars_skip(p->text, p->at);
	bool colon = true;
	int err = 0;

	if (++p->depth > REGEX_DEPTH_MAX)
		return refuse(p, from, "groups and brackets in each other are too deep");
	if (str_starts_with(rest, STR("?=")) || str_starts_with(rest, STR("?!")) ||
	    str_starts_with(rest, STR("?<=")) || str_starts_with(rest, STR("?<!")))
		return refuse(p, from, "looking ahead or behind is not supported");
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
		if (!err && !take(p, ')'))
			return refuse(p, from, "no closing )");
		p->flags = outer;
	}
	p->depth--;
	return err;
}

/* ---- repetitions ---- */

static int parse_number(struct parser *p, uint32_t *ret)
{
	uint64_t value = 0;
	uint32_t digits = 0, from = p->at;

	while (is_blank(peek(p)))
		next(p);
	for (; peek(p) >= '0' && peek(p) <= '9'; digits++) {
		value = value * 10 + (next(p) - '0');
		skip_blanks(p);
		if (value > UINT32_MAX)
			return refuse(p, from, "the number is too large");
	}
	while (is_blank(peek(p)))
		next(p);
	if (!digits)
		return refuse(p, from, "expected a number in {...}; a brace itself is written \\{");
	*ret = (uint32_t)value;
	return 0;
}

/* "{2}", "{2,}", "{2,5}" */
static int parse_counts(struct parser *p, uint32_t *ret_min, uint32_t *ret_max)
{
	uint32_t from = p->at++;

	skip_blanks(p);
	int err = parse_number(p, ret_min);
	if (err)
		return err;
	*ret_max = *ret_min;
	if (take(p, ',')) {
		skip_blanks(p);
		*ret_max = REGEX_INFINITE;
		if (peek(p) != '}')
			err = parse_number(p, ret_max);
		if (err)
			return err;
	}
	if (!take(p, '}'))
		return refuse(p, from, "no closing }; a brace itself is written \\{");
	if (*ret_min > *ret_max)
		return refuse(p, from, "the first number in {...} is larger than the second");
	if (*ret_min > REGEX_REPEAT_MAX || (*ret_max != REGEX_INFINITE && *ret_max > REGEX_REPEAT_MAX))
		return refuse(p, from, "more than 65535 repetitions");
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
static int parse_repetitions(struct parser *p, struct regex_node **node)
{
	for (uint32_t layers = 0;; layers++) {
		uint32_t min = 0, max = REGEX_INFINITE;
		int err = 0;
		skip_blanks(p);
		uint32_t c = peek(p);
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
			next(p);
		skip_blanks(p);
		take(p, '?');
		if (merge(*node, min, max))
			continue;
		if (layers == REGEX_DEPTH_MAX)
			return refuse(p, p->at, "too many repetitions of repetitions");
		struct regex_node *repeat = node_new(p, REGEX_REPEAT);
		if (!repeat)
			return -ENOMEM;
		repeat->min = min;
		repeat->max = max;
		repeat->child = *node;
		*node = repeat;
	}
}

/* ---- the whole ---- */

static int parse_escape_node(struct parser *p, struct regex_node **ret)
{
	uint32_t from = p->at;
	struct class class = {0};
	struct escape e;

	int err = parse_escape(p, &e);
	if (err)
		return err;
	if (e.kind == ESCAPE_LITERAL && e.c >= 0x80 && !(p->flags & FLAG_UNICODE))
		return refuse(p, from, "with (?-u) only ASCII characters can be written so");
	if (e.kind == ESCAPE_LITERAL)
		return make_literal(p, e.c, ret);
	if (e.kind == ESCAPE_LOOK)
		return make_look(p, e.look, ret);
	err = add_escape(p, &e, from, &class);
	if (err) {
		class_fini(&class);
		return err;
	}
	if (p->flags & FLAG_CASE && e.kind == ESCAPE_PROPERTY)
		class_fold(&class, p->flags & FLAG_UNICODE);
	return make_set(p, &class, ret);
}

static int parse_atom(struct parser *p, struct regex_node **ret)
{
	bool lines = p->flags & FLAG_LINES, crlf = p->flags & FLAG_CRLF;
	uint32_t from = p->at, c = peek(p);

	switch (c) {
	case '(':
		return parse_group(p, ret);
	case '[':
		return parse_bracket(p, ret);
	case '\\':
		return parse_escape_node(p, ret);
	case '*':
	case '+':
	case '?':
	case '{':
		return refuse(
			p, from,
			"nothing stands before the repetition; the character itself is written with a \\");
	}
	next(p);
	switch (c) {
	case '.':
		if (!(p->flags & FLAG_UNICODE))
			return refuse(p, from, ". with (?-u) would match what is not UTF-8");
		return make_dot(p, ret);
	case '^':
		return make_look(p, !lines ? LOOK_START : crlf ? LOOK_LINE_START_CRLF : LOOK_LINE_START, ret);
	case '$':
		return make_look(p, !lines ? LOOK_END : crlf ? LOOK_LINE_END_CRLF : LOOK_LINE_END, ret);
	}
	return make_literal(p, c, ret);
}

static int parse_concat(struct parser *p, struct regex_node **ret)
{
	struct regex_node *concat = node_new(p, REGEX_CONCAT);
	struct regex_node **last;

	if (!concat)
		return -ENOMEM;
	last = &concat->child;
	for (;;) {
		struct regex_node *node = NULL;
		skip_blanks(p);
		if (at_end(p) || peek(p) == '|' || peek(p) == ')')
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

static int parse_alternation(struct parser *p, struct regex_node **ret)
{
	struct regex_node *alternate, *node;

	int err = parse_concat(p, &node);
	if (err || peek(p) != '|') {
		*ret = node;
		return err;
	}
	alternate = node_new(p, REGEX_ALTERNATE);
	if (!alternate)
		return -ENOMEM;
	alternate->child = node;
	while (take(p, '|')) {
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
	struct parser p = {.text = pattern, .arena = a, .error = error, .flags = FLAG_UNICODE};
	struct regex_node *node;

	if (pattern.len > REGEX_LENGTH_MAX)
		return refuse(&p, 0, "longer than 16384 bytes");
	int err = parse_alternation(&p, &node);
	if (err)
		return err;
	if (!at_end(&p))
		return refuse(&p, p.at, "a ) without its (");
	*ret = node;
	return 0;
}
