/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules by name: double names, dependencies, circles. */
#include <errno.h>
#include <stdlib.h>

#include "base/nearest.h"
#include "detect/loader.h"

static int compare_names(const void *a, const void *b, void *context)
{
	const struct rule *rules = context;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int order = str_compare(rules[i].name, rules[j].name);

	/* the file's order among equals */
	return order ? order : i < j ? -1 : i > j;
}

static void report_duplicates(const struct loader *l, const uint32_t *by_name)
{
	for (uint32_t i = 1; i < l->count; i++) {
		const struct rule *first = &l->rules[by_name[i - 1]], *second = &l->rules[by_name[i]];
		if (second->name.len && str_eq(first->name, second->name))
			problems_add(l->problems, PROBLEM_ERROR, &second->place,
				     "duplicate rule: one of this name is in %.*s, line %u",
				     STR_ARG(first->place.file), first->place.line);
	}
}

static const struct rule *find(const struct loader *l, const uint32_t *by_name, struct str name)
{
	uint32_t low = 0, high = l->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct str s = l->rules[by_name[middle]].name;
		uint32_t len = s.len < name.len ? s.len : name.len;
		int order = len ? memcmp(s.p, name.p, len) : 0;
		if (!order)
			order = s.len < name.len ? -1 : s.len > name.len;
		if (!order)
			return &l->rules[by_name[middle]];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void report_unknown(const struct loader *l, const struct operand *o)
{
	struct nearest nearest;

	nearest_init(&nearest, o->expression.rule);
	for (uint32_t i = 0; i < l->count; i++)
		nearest_offer(&nearest, l->rules[i].name);
	problems_add(l->problems, PROBLEM_ERROR, &o->place, "%.*s: unknown rule dependency '%.*s'%s%.*s%s",
		     STR_ARG(o->name), STR_ARG(o->expression.rule),
		     nearest.best.p ? "; did you mean '" : "; is the rule disabled, or its file not loaded",
		     STR_ARG(nearest.best), nearest.best.p ? "'?" : "?");
}

static void link_operands(struct loader *l, const uint32_t *by_name, struct rule *rule)
{
	for (uint32_t i = 0; i < rule->operand_count; i++) {
		struct operand *o = &rule->operands[i];
		if (o->expression.kind != EXPRESSION_RULE)
			continue;
		const struct rule *dependency = find(l, by_name, o->expression.rule);
		if (dependency)
			o->rule = (uint32_t)(dependency - l->rules);
		else
			report_unknown(l, o);
	}
}

enum visit { VISIT_NEW, VISIT_OPEN, VISIT_DONE };

/* Sets the depth of a rule; recursion ends at RULE_DEPENDENCY_MAX. */
static void measure(struct loader *l, uint8_t *visits, uint32_t index, uint32_t above)
{
	struct rule *rule = &l->rules[index];

	visits[index] = VISIT_OPEN;
	for (uint32_t i = 0; i < rule->operand_count; i++) {
		const struct operand *o = &rule->operands[i];
		if (o->expression.kind != EXPRESSION_RULE)
			continue;
		if (visits[o->rule] == VISIT_OPEN || above == RULE_DEPENDENCY_MAX) {
			problems_add(l->problems, PROBLEM_ERROR, &o->place,
				     visits[o->rule] == VISIT_OPEN
					     ? "%.*s: the rule '%.*s' depends on this one in turn"
					     : "%.*s: too many rules depend on each other, down to '%.*s'",
				     STR_ARG(o->name), STR_ARG(l->rules[o->rule].name));
			continue;
		}
		if (visits[o->rule] == VISIT_NEW)
			measure(l, visits, o->rule, above + 1);
		if (rule->depth <= l->rules[o->rule].depth)
			rule->depth = l->rules[o->rule].depth + 1;
	}
	visits[index] = VISIT_DONE;
}

int loader_link(struct loader *l)
{
	uint32_t *by_name = calloc(l->count + 1, sizeof(*by_name));
	uint8_t *visits = calloc(l->count + 1, sizeof(*visits));
	uint32_t errors;
	int err = by_name && visits ? 0 : -ENOMEM;

	if (err)
		goto out;
	for (uint32_t i = 0; i < l->count; i++)
		by_name[i] = i;
	qsort_r(by_name, l->count, sizeof(*by_name), compare_names, l->rules);
	report_duplicates(l, by_name);
	errors = l->problems->errors;
	for (uint32_t i = 0; i < l->count; i++)
		link_operands(l, by_name, &l->rules[i]);
	/* rules that are not there have no index to follow */
	bool known = l->problems->errors == errors;
	for (uint32_t i = 0; i < l->count && known; i++) {
		if (visits[i] == VISIT_NEW)
			measure(l, visits, i, 0);
	}
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->rules[i].depth > RULE_DEPENDENCY_MAX)
			problems_add(l->problems, PROBLEM_ERROR, &l->rules[i].place,
				     "depends on a chain of more than %d rules", RULE_DEPENDENCY_MAX);
	}
out:
	free(by_name);
	free(visits);
	return err;
}
