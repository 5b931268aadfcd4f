/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One operand of a rule: `.data.exe.path == '/bin/sh'`, `.data.path is @.data.exe.path`, `rule(name)`.
 * An expression borrows the text it was parsed from, and the arena.
 */
#ifndef KUNAI_DETECT_EXPRESSION_H
#define KUNAI_DETECT_EXPRESSION_H

#include "detect/problem.h"
#include "event/field.h"

enum expression_kind { EXPRESSION_DIRECT, EXPRESSION_INDIRECT, EXPRESSION_RULE };

enum operator{ OP_EQUAL, OP_LESS, OP_LESS_EQUAL, OP_GREATER, OP_GREATER_EQUAL, OP_REGEX, OP_FLAGS };

enum literal_kind {
	LITERAL_NONE,
	LITERAL_SOME,
	LITERAL_BOOL,
	LITERAL_TEXT,
	LITERAL_TEXT_OR_NUMBER, /* 42, '42', '0x2a': what it is depends on the field */
};

struct literal {
	enum literal_kind kind;
	bool b;
	struct str text;     /* of the last two kinds, without quotes */
	struct value number; /* of the last kind */
};

struct field_path {
	struct str text; /* ".data.exe.path", without quotes */
	const struct str *segments;
	uint32_t count;
	uint32_t offset; /* where in the expression it begins */
};

struct expression {
	enum expression_kind kind;
	enum operator op;
	struct field_path field;
	struct field_path other; /* of an indirect one */
	struct literal literal;  /* of a direct one */
	struct str rule;
	uint32_t
		value_offset; /* where in the text the literal, without its quote, or the rule's name begins */
};

/* Returns 0, -ENOMEM, or -EINVAL with what was expected. */
int expression_parse(struct str text, struct arena *a, struct expression *ret, struct syntax_error *error);

/* A number as rules write it: 42, -1, 3.14, 0x2a. Returns 0, -EINVAL: no number, -ERANGE: more than 64 bits. */
int number_parse(struct str text, struct value *ret);

/* By value, across kinds: less than 0, 0, greater than 0; 2 when one is not a number (NaN). */
int number_compare(const struct value *a, const struct value *b);

#endif
