/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a backslash means. */
#include "detect/regex_reader.h"

enum { CODE_POINT_MAX = 0x10ffff };

static int hex_value(uint32_t c)
{
	if (c >= '0' && c <= '9')
		return (int)(c - '0');
	return reader_is_alpha(c) && (c | 0x20) <= 'f' ? (int)((c | 0x20) - 'a' + 10) : -1;
}

static int parse_hex(struct regex_reader *p, uint32_t letter, struct regex_escape *ret)
{
	uint32_t from = p->at, value = 0, digits = 0;
	uint32_t want = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;

	reader_skip_blanks(p);
	bool braces = reader_take(p, '{');
	for (;;) {
		reader_skip_blanks(p);
		if (braces ? reader_take(p, '}') : digits == want)
			break;
		int digit = reader_at_end(p) ? -1 : hex_value(reader_peek(p));
		if (digit < 0)
			return reader_refuse(p, p->at, "expected a hexadecimal digit");
		reader_next(p);
		/* leading zeros do not count: \x{0000000041} is A */
		if (value > CODE_POINT_MAX)
			return reader_refuse(p, from, "no such character");
		value = value << 4 | (uint32_t)digit;
		digits++;
	}
	if (!digits)
		return reader_refuse(p, from, "expected a hexadecimal number");
	if (value > CODE_POINT_MAX || (value >= 0xd800 && value <= 0xdfff))
		return reader_refuse(p, from, "no such character");
	*ret = (struct regex_escape){.kind = ESCAPE_LITERAL, .c = value};
	return 0;
}

static int parse_property(struct regex_reader *p, bool negated, struct regex_escape *ret)
{
	uint32_t from = p->at;

	*ret = (struct regex_escape){.kind = ESCAPE_PROPERTY, .negated = negated};
	reader_skip_blanks(p);
	if (reader_at_end(p))
		return reader_refuse(p, from, "expected the name of a property after \\p");
	if (reader_take(p, '{')) {
		const char *name = p->text.p + p->at;
		const char *end = memchr(name, '}', p->text.len - p->at);
		if (!end)
			return reader_refuse(p, from, "no closing } after \\p{");
		ret->property = (struct str){name, (uint32_t)(end - name)};
		p->at += ret->property.len + 1;
		return 0;
	}
	ret->property = (struct str){p->text.p + p->at, 1};
	reader_next(p);
	return 0;
}

/* After \b: {start} and its kin, which look like a repetition. */
static int parse_special_word(struct regex_reader *p, struct regex_escape *ret)
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

	if (reader_peek(p) != '{')
		return 0;
	uint32_t c = reader_peek_second(p);
	if (!reader_is_alpha(c) && c != '-')
		return 0;
	reader_next(p);
	reader_skip_blanks(p);
	struct str name = {p->text.p + p->at, 0};
	while (reader_is_alpha(reader_peek(p)) || reader_peek(p) == '-') {
		reader_next(p);
		name.len++;
	}
	reader_skip_blanks(p);
	if (!reader_take(p, '}'))
		return reader_refuse(p, from, "no closing } after \\b{");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (str_eq(words[i].name, name)) {
			ret->look = words[i].look;
			return 0;
		}
	}
	return reader_refuse(p, from, "expected start, end, start-half or end-half in \\b{...}");
}

static int escape_look(enum regex_look look, struct regex_escape *ret)
{
	*ret = (struct regex_escape){.kind = ESCAPE_LOOK, .look = look};
	return 0;
}

static int parse_letter_escape(struct regex_reader *p, uint32_t from, uint32_t c, struct regex_escape *ret)
{
	static const char letters[] = "aftnrv", meanings[] = "\a\f\t\n\r\v";
	const char *at = strchr(letters, (int)c);

	if (at) {
		*ret = (struct regex_escape){.kind = ESCAPE_LITERAL, .c = (uint32_t)meanings[at - letters]};
		return 0;
	}
	switch (c) {
	case 'd':
	case 's':
	case 'w':
	case 'D':
	case 'S':
	case 'W':
		*ret = (struct regex_escape){.kind = ESCAPE_PERL, .c = c};
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
		return reader_refuse(p, from, "\\Z is not known; the end of the text is $ or \\z");
	case 'h':
		return reader_refuse(p, from, "\\h is not known; write [ \\t]");
	default:
		return reader_refuse(p, from, "this escape is not known");
	}
}

int reader_parse_escape(struct regex_reader *p, struct regex_escape *ret)
{
	uint32_t from = p->at++;

	if (reader_at_end(p))
		return reader_refuse(p, from, "a \\ at the end");
	uint32_t c = reader_next(p);
	if (c >= '0' && c <= '9')
		return reader_refuse(p, from, "back-references and octal numbers are not supported");
	if (c == '<')
		return escape_look(LOOK_WORD_START, ret);
	if (c == '>')
		return escape_look(LOOK_WORD_END, ret);
	if (reader_is_alpha(c))
		return parse_letter_escape(p, from, c, ret);
	if (c >= 0x80)
		return reader_refuse(p, from, "this escape is not known");
	*ret = (struct regex_escape){.kind = ESCAPE_LITERAL, .c = c};
	return 0;
}
