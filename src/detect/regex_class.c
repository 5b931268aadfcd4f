/* SPDX-License-Identifier: GPL-3.0-or-later */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "detect/regex_class.h"

#include <errno.h>
#include <pcre2.h>
#include <stdio.h>

#include "base/chars.h"
#include "base/utf8.h"

enum { LONG_S = 0x17f, KELVIN = 0x212a, ASCII_END = 0x80, NAME_MAX_BYTES = 64 };

void class_fini(struct class *c)
{
	buf_fini(&c->items);
	buf_fini(&c->atoms);
}

static void set_add(struct regex_set *set, uint32_t c)
{
	if (c < ASCII_END)
		set->ascii[c / 64] |= UINT64_C(1) << c % 64;
	else if (c == LONG_S)
		set->extra |= SET_LONG_S;
	else if (c == KELVIN)
		set->extra |= SET_KELVIN;
	set->wide |= c >= ASCII_END;
}

static bool set_has(const struct regex_set *set, char c)
{
	return set->ascii[c / 64] >> c % 64 & 1;
}

static void set_add_range(struct regex_set *set, uint32_t first, uint32_t last)
{
	for (uint32_t c = first; c <= last && c < ASCII_END; c++)
		set_add(set, c);
	if (last < ASCII_END)
		return;
	set->wide = true;
	if (first <= LONG_S && last >= LONG_S)
		set_add(set, LONG_S);
	if (first <= KELVIN && last >= KELVIN)
		set_add(set, KELVIN);
}

static void set_unite(struct regex_set *set, const struct regex_set *other)
{
	set->ascii[0] |= other->ascii[0];
	set->ascii[1] |= other->ascii[1];
	set->extra |= other->extra;
	set->wide |= other->wide;
}

static void set_negate(struct regex_set *set)
{
	set->ascii[0] = ~set->ascii[0];
	set->ascii[1] = ~set->ascii[1];
	set->extra = (SET_LONG_S | SET_KELVIN) & ~set->extra;
	set->wide = true;
}

static void write_range(struct buf *out, uint32_t first, uint32_t last)
{
	buf_printf(out, "\\x{%x}", first);
	if (last > first)
		buf_printf(out, "-\\x{%x}", last);
}

void class_add_range(struct class *c, uint32_t first, uint32_t last)
{
	bool empty = !c->items.len && !c->atoms.len;

	c->set.is_literal = empty && first == last;
	c->set.literal = first;
	set_add_range(&c->set, first, last);
	/* surrogates are no characters; PCRE2 refuses a range that ends in them, and so does Rust */
	write_range(&c->items, first, last);
}

/* ---- Perl's and POSIX's ---- */

struct range {
	uint8_t first, last;
};

static void add_ranges(struct class *c, const struct range *ranges, size_t count, bool negated)
{
	struct class part = {0};

	for (size_t i = 0; i < count && ranges[i].last; i++)
		class_add_range(&part, ranges[i].first, ranges[i].last);
	if (negated)
		class_negate(&part);
	part.set.is_literal = false;
	class_add_class(c, &part);
}

static const struct {
	char letter;
	struct range ranges[4];
	const char *items;
} perl_classes[] = {
	{'d', {{'0', '9'}}, "\\p{Nd}"},
	{'s', {{'\t', '\r'}, {' ', ' '}}, "\\p{White_Space}"},
	{'w',
	 {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
	 "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}"},
};

void class_add_perl(struct class *c, char letter, bool unicode)
{
	bool negated = letter < 'a';
	struct class part = {0};
	size_t i = 0;

	while (perl_classes[i].letter != (letter | 0x20))
		i++;
	if (!unicode) {
		add_ranges(c, perl_classes[i].ranges, 4, negated);
		return;
	}
	for (size_t k = 0; k < 4 && perl_classes[i].ranges[k].last; k++)
		set_add_range(&part.set, perl_classes[i].ranges[k].first, perl_classes[i].ranges[k].last);
	part.set.wide = true;
	if (perl_classes[i].letter == 'w') {
		set_add(&part.set, LONG_S);
		set_add(&part.set, KELVIN);
	}
	buf_add_str(&part.items, str_of(perl_classes[i].items));
	if (negated)
		class_negate(&part);
	class_add_class(c, &part);
}

int class_add_posix(struct class *c, struct str name, bool negated)
{
	static const struct {
		struct str name;
		struct range ranges[4];
	} classes[] = {
		{STR("alnum"), {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
		{STR("alpha"), {{'A', 'Z'}, {'a', 'z'}}},
		{STR("ascii"), {{0, 0x7f}}},
		{STR("blank"), {{'\t', '\t'}, {' ', ' '}}},
		{STR("cntrl"), {{0, 0x1f}, {0x7f, 0x7f}}},
		{STR("digit"), {{'0', '9'}}},
		{STR("graph"), {{'!', '~'}}},
		{STR("lower"), {{'a', 'z'}}},
		{STR("print"), {{' ', '~'}}},
		{STR("punct"), {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
		{STR("space"), {{'\t', '\r'}, {' ', ' '}}},
		{STR("upper"), {{'A', 'Z'}}},
		{STR("word"), {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
		{STR("xdigit"), {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		if (str_eq(classes[i].name, name)) {
			add_ranges(c, classes[i].ranges, 4, negated);
			return 0;
		}
	}
	return -ENOENT;
}

/* ---- properties ---- */

static pcre2_code *compile_property(const char *text)
{
	int error;
	PCRE2_SIZE offset;

	return pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_ANCHORED, &error,
			     &offset, NULL);
}

/* Which of the characters that we track are in it: the library is asked. */
static int probe_property(const pcre2_code *code, struct regex_set *set)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);

	if (!data)
		return -ENOMEM;
	for (uint32_t c = 0; c < ASCII_END; c++) {
		unsigned char byte = (unsigned char)c;
		if (pcre2_match(code, &byte, 1, 0, 0, data, NULL) > 0)
			set_add(set, c);
	}
	if (pcre2_match(code, (PCRE2_SPTR) "\xc5\xbf", 2, 0, 0, data, NULL) > 0)
		set_add(set, LONG_S);
	if (pcre2_match(code, (PCRE2_SPTR) "\xe2\x84\xaa", 3, 0, 0, data, NULL) > 0)
		set_add(set, KELVIN);
	set->wide = true;
	pcre2_match_data_free(data);
	return 0;
}

/* Names without what Unicode says does not matter: case, blanks, hyphens, underscores. */
static uint32_t squeeze(struct str name, char ret[NAME_MAX_BYTES])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		if (c == ' ' || c == '-' || c == '_')
			continue;
		if (n + 1 == NAME_MAX_BYTES || !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		    (unsigned char)c >= 0x80)
			return 0;
		ret[n++] = (char)(c | 0x20);
	}
	ret[n] = '\0';
	return n;
}

/* PCRE2 knows the categories by their abbreviations only. */
static const char *category_of(const char *name)
{
	static const struct {
		const char *name, *short_name;
	} categories[] = {
		{"letter", "L"},
		{"casedletter", "L&"},
		{"lc", "L&"},
		{"uppercaseletter", "Lu"},
		{"lowercaseletter", "Ll"},
		{"titlecaseletter", "Lt"},
		{"modifierletter", "Lm"},
		{"otherletter", "Lo"},
		{"mark", "M"},
		{"combiningmark", "M"},
		{"nonspacingmark", "Mn"},
		{"spacingmark", "Mc"},
		{"enclosingmark", "Me"},
		{"number", "N"},
		{"decimalnumber", "Nd"},
		{"digit", "Nd"},
		{"letternumber", "Nl"},
		{"othernumber", "No"},
		{"punctuation", "P"},
		{"punct", "P"},
		{"connectorpunctuation", "Pc"},
		{"dashpunctuation", "Pd"},
		{"openpunctuation", "Ps"},
		{"closepunctuation", "Pe"},
		{"initialpunctuation", "Pi"},
		{"finalpunctuation", "Pf"},
		{"otherpunctuation", "Po"},
		{"symbol", "S"},
		{"mathsymbol", "Sm"},
		{"currencysymbol", "Sc"},
		{"modifiersymbol", "Sk"},
		{"othersymbol", "So"},
		{"separator", "Z"},
		{"spaceseparator", "Zs"},
		{"lineseparator", "Zl"},
		{"paragraphseparator", "Zp"},
		{"other", "C"},
		{"control", "Cc"},
		{"cntrl", "Cc"},
		{"format", "Cf"},
		{"surrogate", "Cs"},
		{"privateuse", "Co"},
		{"unassigned", "Cn"},
	};

	for (size_t i = 0; i < sizeof(categories) / sizeof(*categories); i++) {
		const char *s = categories[i].short_name;
		bool same = strlen(name) == strlen(s) && (name[0] | 0x20) == (s[0] | 0x20) &&
			    (!s[1] || (name[1] | 0x20) == (s[1] | 0x20));
		if (same || strcmp(categories[i].name, name) == 0)
			return s;
	}
	return NULL;
}

/* How PCRE2 writes the property: a category, a script (not its extensions) or a yes-or-no property. */
static pcre2_code *find_property(const char *key, const char *value, char text[NAME_MAX_BYTES + 16])
{
	bool any = !*key;
	bool category = any || strcmp(key, "gc") == 0 || strcmp(key, "generalcategory") == 0;
	const char *short_name = category ? category_of(value) : NULL;
	const char *forms[3] = {NULL};
	size_t n = 0;

	if (short_name || strcmp(value, "any") == 0) {
		snprintf(text, NAME_MAX_BYTES + 16, "\\p{%s}", short_name ? short_name : "Any");
		return compile_property(text);
	}
	if (any || strcmp(key, "sc") == 0 || strcmp(key, "script") == 0)
		forms[n++] = "\\p{sc:%s}";
	if (strcmp(key, "scx") == 0 || strcmp(key, "scriptextensions") == 0)
		forms[n++] = "\\p{scx:%s}";
	if (any)
		forms[n++] = "\\p{%s}";
	for (size_t i = 0; i < n; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, NAME_MAX_BYTES + 16, forms[i], value);
#pragma GCC diagnostic pop
		pcre2_code *code = compile_property(text);
		if (code)
			return code;
	}
	return NULL;
}

static int add_named(struct class *c, struct str key, struct str value, bool negated)
{
	char key_text[NAME_MAX_BYTES], value_text[NAME_MAX_BYTES], text[NAME_MAX_BYTES + 16];
	struct class part = {0};

	if ((key.len && !squeeze(key, key_text)) || !squeeze(value, value_text))
		return -ENOENT;
	if (!key.len)
		key_text[0] = '\0';
	if (strcmp(value_text, "ascii") == 0 && !key.len) {
		add_ranges(c, (const struct range[]){{0, 0x7f}}, 1, negated);
		return 0;
	}
	if (strcmp(value_text, "assigned") == 0 && !key.len) {
		memcpy(value_text, "cn", 3);
		negated = !negated;
	}
	pcre2_code *code = find_property(key_text, value_text, text);
	if (!code)
		return -ENOENT;
	int err = probe_property(code, &part.set);
	pcre2_code_free(code);
	buf_add_str(&part.items, str_of(text));
	if (negated)
		class_negate(&part);
	class_add_class(c, &part);
	return err;
}

int class_add_property(struct class *c, struct str name, bool negated)
{
	const char *not_equal = memmem(name.p, name.len, "!=", 2);
	const char *equal = not_equal ? not_equal : memchr(name.p, '=', name.len);

	if (!equal)
		equal = memchr(name.p, ':', name.len);
	if (!equal)
		return add_named(c, (struct str){0}, name, negated);
	uint32_t at = (uint32_t)(equal - name.p);
	return add_named(c, (struct str){name.p, at}, chars_skip(name, at + (not_equal ? 2 : 1)),
			 negated != (not_equal != NULL));
}

/* ---- combining ---- */

/* The class as one atom. */
static void write_atom(const struct class *c, struct buf *out)
{
	if (c->atoms.len) {
		buf_add_str(out, STR("(?:"));
		if (c->items.len)
			buf_printf(out, "[%.*s]%.*s)", STR_ARG(buf_str(&c->items)),
				   STR_ARG(buf_str(&c->atoms)));
		else
			buf_printf(out, "%.*s)", (int)c->atoms.len - 1, c->atoms.p + 1);
	} else if (c->items.len) {
		buf_printf(out, "[%.*s]", STR_ARG(buf_str(&c->items)));
	} else {
		buf_add_str(out, STR("(?!)")); /* nothing is in it */
	}
}

static void fail_with(struct class *c, const struct buf *b)
{
	c->atoms.failed |= b->failed;
}

/* The class becomes what the atom says. */
static void replace(struct class *c, struct buf *atom)
{
	buf_reset(&c->items);
	buf_reset(&c->atoms);
	fail_with(c, atom);
	buf_printf(&c->atoms, "|%.*s", STR_ARG(buf_str(atom)));
	c->set.is_literal = false;
	buf_fini(atom);
}

void class_add_class(struct class *c, struct class *other)
{
	c->set.is_literal = !c->items.len && !c->atoms.len && other->set.is_literal;
	c->set.literal = other->set.literal;
	set_unite(&c->set, &other->set);
	buf_add_str(&c->items, buf_str(&other->items));
	buf_add_str(&c->atoms, buf_str(&other->atoms));
	fail_with(c, &other->items);
	fail_with(c, &other->atoms);
	class_fini(other);
}

/* Letters of which one case is in the set. */
static void fold_ascii(struct class *c)
{
	for (char lower = 'a'; lower <= 'z'; lower++) {
		char upper = (char)(lower - 'a' + 'A');
		if (set_has(&c->set, lower) == set_has(&c->set, upper))
			continue;
		class_add_range(c, (uint32_t)lower, (uint32_t)lower);
		class_add_range(c, (uint32_t)upper, (uint32_t)upper);
	}
}

static void fold_set(struct regex_set *set)
{
	for (char lower = 'a'; lower <= 'z'; lower++) {
		char upper = (char)(lower - 'a' + 'A');
		bool in = set_has(set, lower) || set_has(set, upper) ||
			  (lower == 's' && set->extra & SET_LONG_S) ||
			  (lower == 'k' && set->extra & SET_KELVIN);
		if (!in)
			continue;
		set_add(set, (uint32_t)lower);
		set_add(set, (uint32_t)upper);
		if (lower == 's')
			set_add(set, LONG_S);
		if (lower == 'k')
			set_add(set, KELVIN);
	}
}

void class_fold(struct class *c, bool unicode)
{
	struct buf atom = {0};

	c->set.is_literal = false;
	if (!unicode) {
		fold_ascii(c);
		return;
	}
	fold_set(&c->set);
	if (!c->items.len && !c->atoms.len)
		return;
	buf_add_str(&atom, STR("(?i:"));
	write_atom(c, &atom);
	buf_add_char(&atom, ')');
	replace(c, &atom);
}

void class_negate(struct class *c)
{
	struct buf atom = {0};

	set_negate(&c->set);
	if (c->atoms.len) {
		buf_add_str(&atom, STR("(?:(?!"));
		write_atom(c, &atom);
		buf_add_str(&atom, STR(")(?s:.))"));
	} else if (c->items.len) {
		buf_printf(&atom, "[^%.*s]", STR_ARG(buf_str(&c->items)));
	} else {
		buf_add_str(&atom, STR("(?s:.)"));
	}
	replace(c, &atom);
}

static void combine_sets(struct regex_set *set, enum class_operator op, const struct regex_set *other)
{
	for (int i = 0; i < 2; i++) {
		uint64_t a = set->ascii[i], b = other->ascii[i];
		set->ascii[i] = op == CLASS_AND ? a & b : op == CLASS_MINUS ? a & ~b : a ^ b;
	}
	uint8_t a = set->extra, b = other->extra;
	set->extra = (uint8_t)(op == CLASS_AND ? a & b : op == CLASS_MINUS ? a & ~b : a ^ b);
	if (op == CLASS_AND)
		set->wide &= other->wide;
	else if (op == CLASS_XOR)
		set->wide |= other->wide;
}

void class_combine(struct class *c, enum class_operator op, struct class *other)
{
	static const char *const forms[] = {
		[CLASS_AND] = "(?:(?=%.*s)%.*s)",
		[CLASS_MINUS] = "(?:(?!%.*s)%.*s)",
	};
	struct buf mine = {0}, theirs = {0}, atom = {0};

	write_atom(c, &mine);
	write_atom(other, &theirs);
	combine_sets(&c->set, op, &other->set);
	struct str a = buf_str(&mine), b = buf_str(&theirs);
	if (op == CLASS_XOR) {
		buf_printf(&atom, "(?:(?!%.*s)%.*s|(?!%.*s)%.*s)", STR_ARG(b), STR_ARG(a), STR_ARG(a),
			   STR_ARG(b));
	} else {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		buf_printf(&atom, forms[op], STR_ARG(b), STR_ARG(a));
#pragma GCC diagnostic pop
	}
	fail_with(c, &mine);
	fail_with(c, &theirs);
	bool failed = c->atoms.failed || other->items.failed || other->atoms.failed;
	replace(c, &atom);
	c->atoms.failed |= failed;
	buf_fini(&mine);
	buf_fini(&theirs);
	class_fini(other);
}

static void write_literal(uint32_t c, struct buf *out)
{
	bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');

	if (plain)
		buf_add_char(out, (char)c);
	else
		write_range(out, c, c);
}

int class_finish(struct class *c, struct arena *a, struct regex_set **ret)
{
	struct regex_set *set = arena_alloc(a, sizeof(*set));
	struct buf atom = {0};
	int err = -ENOMEM;

	if (c->set.is_literal && c->items.len && !c->atoms.len)
		write_literal(c->set.literal, &atom);
	else
		write_atom(c, &atom);
	if (set && !atom.failed && !c->items.failed && !c->atoms.failed) {
		*set = c->set;
		set->pcre = arena_str(a, buf_str(&atom));
		err = set->pcre.p ? 0 : -ENOMEM;
	}
	if (!err)
		*ret = set;
	buf_fini(&atom);
	class_fini(c);
	return err;
}
