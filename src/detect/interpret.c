/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/interpret.h"

#include <errno.h>
#include <stdlib.h>

/* ---- conditions ---- */

struct evaluation {
	const struct condition *condition;
	enum truth (*operand)(void *context, uint32_t index);
	void *context;
};

static enum truth not(enum truth truth) {
	return truth == TRUTH_ERROR  ? TRUTH_ERROR
	       : truth == TRUTH_TRUE ? TRUTH_FALSE
				     : TRUTH_TRUE;
}

static enum truth truth_of(bool b)
{
	return b ? TRUTH_TRUE : TRUTH_FALSE;
}

/*
 * In a group an operand that is an error counts as false: which one Kunai comes to first depends on the order of a hash
 * table.
 */
static enum truth evaluate_group(const struct evaluation *e, const struct node *node)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < node->b; i++) {
		found += e->operand(e->context, e->condition->members[node->a + i]) == TRUTH_TRUE;
		if (node->kind == NODE_NONE && found)
			return TRUTH_FALSE;
		if (node->kind == NODE_ALL && found != i + 1)
			return TRUTH_FALSE;
		if (node->kind == NODE_AT_LEAST && found == node->need)
			return TRUTH_TRUE;
	}
	return truth_of(node->kind != NODE_AT_LEAST);
}

/* Chains lean to the right: recursion is only as deep as parentheses are. */
static enum truth evaluate(const struct evaluation *e, uint32_t index)
{
	for (;;) {
		const struct node *node = &e->condition->nodes[index];
		enum truth left;
		switch (node->kind) {
		case NODE_TRUE:
			return TRUTH_TRUE;
		case NODE_OPERAND:
			return node->a == NODE_MISSING ? TRUTH_ERROR : e->operand(e->context, node->a);
		case NODE_NOT:
			return not(evaluate(e, node->a));
		case NODE_AND:
		case NODE_OR:
			left = evaluate(e, node->a);
			if (left != (node->kind == NODE_AND ? TRUTH_TRUE : TRUTH_FALSE))
				return left;
			index = node->b;
			continue;
		default:
			return evaluate_group(e, node);
		}
	}
}

enum truth condition_evaluate(const struct condition *c, enum truth (*operand)(void *context, uint32_t index),
			      void *context)
{
	const struct evaluation e = {c, operand, context};

	return evaluate(&e, c->root);
}

/* ---- operands ---- */

int interpreter_init(struct interpreter *ret, const struct ruleset *rs, struct regex_matcher *matcher)
{
	*ret = (struct interpreter){.rs = rs, .matcher = matcher, .known = calloc((size_t)rs->count + 1, 1)};
	return ret->known ? 0 : -ENOMEM;
}

void interpreter_fini(struct interpreter *i)
{
	free(i->known);
	*i = (struct interpreter){0};
}

void interpreter_begin(struct interpreter *i, const struct event *e)
{
	i->event = e;
	regex_matcher_begin(i->matcher);
	memset(i->known, 0, i->rs->count);
}

static enum truth match_one(struct interpreter *i, const struct regex *regex, struct str text)
{
	int result = regex_match(regex, i->matcher, text);

	return result < 0 ? TRUTH_ERROR : truth_of(result);
}

static enum truth match(struct interpreter *i, const struct regex *regex, const struct value *value)
{
	if (value->kind == VALUE_STR)
		return match_one(i, regex, value->s);
	if (value->kind != VALUE_STRV)
		return TRUTH_ERROR;
	for (uint32_t k = 0; k < value->v.n; k++) {
		enum truth truth = match_one(i, regex, value->v.v[k]);
		if (truth != TRUTH_FALSE)
			return truth;
	}
	return TRUTH_FALSE;
}

static bool get(const struct interpreter *i, const struct field_path *path, char text[FIELD_TEXT_SIZE],
		struct value *ret)
{
	struct field_ref ref;

	if (field_find(i->event->type, path->segments, path->count, &ref) < 0)
		return false;
	*ret = field_get(i->event, &ref, text);
	return true;
}

struct operand_context {
	struct interpreter *interpreter;
	const struct rule *rule;
};

static enum truth evaluate_operand(void *context, uint32_t index)
{
	const struct operand_context *c = context;
	const struct operand *o = &c->rule->operands[index];
	char text[FIELD_TEXT_SIZE], other_text[FIELD_TEXT_SIZE];
	struct value value, other;

	if (o->expression.kind == EXPRESSION_RULE)
		return interpreter_evaluate(c->interpreter, o->rule);
	if (!get(c->interpreter, &o->expression.field, text, &value))
		return TRUTH_ERROR;
	if (o->expression.kind == EXPRESSION_DIRECT)
		return o->regex ? match(c->interpreter, o->regex, &value)
				: compare_literal(&o->expression, &value);
	if (!get(c->interpreter, &o->expression.other, other_text, &other))
		return TRUTH_ERROR;
	return compare_values(&value, &other);
}

enum truth interpreter_evaluate(struct interpreter *i, uint32_t index)
{
	const struct rule *rule = &i->rs->rules[index];
	struct operand_context context = {i, rule};

	if (i->known[index])
		return (enum truth)(i->known[index] - 1);
	enum truth truth = TRUTH_FALSE;
	if (rule->events >> i->event->type & 1)
		truth = condition_evaluate(&rule->condition, evaluate_operand, &context);
	i->known[index] = (uint8_t)(truth + 1);
	return truth;
}
