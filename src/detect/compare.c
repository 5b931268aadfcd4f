/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/compare.h"

enum {
	NUMBERS = 1 << VALUE_UINT | 1 << VALUE_INT | 1 << VALUE_FLOAT,
	TEXTS = 1 << VALUE_STR | 1 << VALUE_STRV
};

static bool is_number(const struct value *v)
{
	return NUMBERS >> v->kind & 1;
}

static uint32_t equal_accepts(const struct literal *literal)
{
	switch (literal->kind) {
	case LITERAL_NONE:
		return 1 << VALUE_NONE;
	case LITERAL_BOOL:
		return 1 << VALUE_BOOL;
	case LITERAL_TEXT:
		return TEXTS;
	case LITERAL_TEXT_OR_NUMBER:
		return TEXTS | NUMBERS;
	case LITERAL_SOME:
		break;
	}
	return UINT32_MAX;
}

uint32_t compare_accepts(const struct expression *e)
{
	switch (e->op) {
	case OP_EQUAL:
		return equal_accepts(&e->literal);
	case OP_REGEX:
		return TEXTS;
	case OP_FLAGS:
		return TEXTS | 1 << VALUE_UINT;
	default:
		return TEXTS | NUMBERS;
	}
}

static enum truth truth_of(bool b)
{
	return b ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth compare_equal(const struct literal *literal, const struct value *value)
{
	switch (literal->kind) {
	case LITERAL_SOME:
		return truth_of(value->kind != VALUE_NONE);
	case LITERAL_NONE:
		/* an error, not false, where there is a value: so it is in Kunai */
		return value->kind == VALUE_NONE ? TRUTH_TRUE : TRUTH_ERROR;
	case LITERAL_BOOL:
		return value->kind == VALUE_BOOL ? truth_of(value->b == literal->b) : TRUTH_ERROR;
	case LITERAL_TEXT_OR_NUMBER:
		if (is_number(value))
			return truth_of(number_compare(value, &literal->number) == 0);
		/* fall through */
	case LITERAL_TEXT:
		return value->kind == VALUE_STR ? truth_of(str_eq(value->s, literal->text)) : TRUTH_ERROR;
	}
	return TRUTH_ERROR;
}

static enum truth compare_order(enum operator op, const struct value *value, const struct value *number)
{
	int order = number_compare(value, number);

	if (order == 2)
		return TRUTH_FALSE;
	switch (op) {
	case OP_LESS:
		return truth_of(order < 0);
	case OP_LESS_EQUAL:
		return truth_of(order <= 0);
	case OP_GREATER:
		return truth_of(order > 0);
	default:
		return truth_of(order >= 0);
	}
}

/* The operators that are for numbers: text is read as one. */
static enum truth compare_number(const struct expression *e, const struct value *value)
{
	struct value number = *value;

	if (value->kind == VALUE_STR && number_parse(value->s, &number) < 0)
		return TRUTH_ERROR;
	if (!is_number(&number))
		return TRUTH_ERROR;
	if (e->op != OP_FLAGS)
		return compare_order(e->op, &number, &e->literal.number);
	if (number.kind != VALUE_UINT)
		return TRUTH_ERROR;
	return truth_of((number.u & e->literal.number.u) == e->literal.number.u);
}

static enum truth compare_one(const struct expression *e, const struct value *value)
{
	return e->op == OP_EQUAL ? compare_equal(&e->literal, value) : compare_number(e, value);
}

enum truth compare_literal(const struct expression *e, const struct value *value)
{
	if (value->kind != VALUE_STRV)
		return compare_one(e, value);
	for (uint32_t i = 0; i < value->v.n; i++) {
		const struct value element = {.kind = VALUE_STR, .s = value->v.v[i]};
		enum truth truth = compare_one(e, &element);
		if (truth != TRUTH_FALSE)
			return truth;
	}
	return TRUTH_FALSE;
}

static bool are_equal_vectors(const struct strv *a, const struct strv *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		if (!str_eq(a->v[i], b->v[i]))
			return false;
	}
	return true;
}

enum truth compare_values(const struct value *a, const struct value *b)
{
	if (is_number(a) && is_number(b))
		return truth_of(number_compare(a, b) == 0);
	if (a->kind != b->kind)
		return TRUTH_FALSE;
	switch (a->kind) {
	case VALUE_STR:
		return truth_of(str_eq(a->s, b->s));
	case VALUE_STRV:
		return truth_of(are_equal_vectors(&a->v, &b->v));
	case VALUE_BOOL:
		return truth_of(a->b == b->b);
	default:
		return TRUTH_TRUE;
	}
}

const char *value_kinds_text(uint32_t kinds)
{
	kinds &= ~(1u << VALUE_NONE);
	if (kinds & TEXTS)
		return "a text";
	if (kinds & NUMBERS)
		return "a number";
	if (kinds & 1u << VALUE_BOOL)
		return "true or false";
	return "an object";
}
