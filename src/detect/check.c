/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/check.h"

#include "base/nearest.h"
#include "detect/compare.h"
#include "event/catalogue.h"

struct checker {
	const struct rule *rule;
	struct problems *problems;
	bool has_condition;
};

/* Types that this version makes and shows. */
static bool is_visible(int type)
{
	return event_schemas[type].data &&
	       (event_catalogue[type].configurable || !event_catalogue[type].from_kernel);
}

struct field_facts {
	uint64_t types;    /* those that have the field */
	uint32_t kinds;    /* of its values in the events of the rule */
	bool in_rule;      /* some event of the rule has it */
	bool unknown_type; /* the rule is about an event that this version does not make */
};

static struct field_facts facts_of(const struct rule *rule, const struct field_path *path)
{
	struct field_facts facts = {0};
	struct field_ref ref;

	for (int type = 0; type < EVENT_COUNT; type++) {
		bool wanted = rule->events >> type & 1;
		if (!is_visible(type)) {
			facts.unknown_type |=
				wanted && event_catalogue[type].configurable && rule->events != UINT64_MAX;
			continue;
		}
		if (field_find((enum event_type)type, path->segments, path->count, &ref) < 0)
			continue;
		facts.types |= UINT64_C(1) << type;
		if (wanted) {
			facts.in_rule = true;
			facts.kinds |= field_value_kinds(&ref);
		}
	}
	return facts;
}

struct search {
	struct nearest nearest;
	char best[FIELD_PATH_MAX];
};

static void offer(void *context, struct str path)
{
	struct search *s = context;
	uint32_t distance = s->nearest.distance;

	nearest_offer(&s->nearest, path);
	if (s->nearest.distance < distance && path.len < sizeof(s->best)) {
		memcpy(s->best, path.p, path.len);
		s->best[path.len] = '\0';
		s->nearest.best = str_of(s->best);
	}
}

/* The events of the rule come first: among equals they win. */
static void find_nearest(const struct rule *rule, struct str path, struct search *ret)
{
	nearest_init(&ret->nearest, path);
	ret->best[0] = '\0';
	for (int others = 0; others < 2; others++) {
		for (int type = 0; type < EVENT_COUNT; type++) {
			if (is_visible(type) && (rule->events >> type & 1) != (uint64_t)others)
				field_each((enum event_type)type, offer, ret);
		}
	}
}

static void report_unknown(const struct checker *c, const struct operand *o, const struct field_path *path)
{
	struct search search;

	find_nearest(c->rule, path->text, &search);
	problems_add(
		c->problems, PROBLEM_WARNING, &o->place,
		"%.*s: no event has the field %.*s, so the rule does not match where it is asked for%s%s%s",
		STR_ARG(o->name), STR_ARG(path->text), search.best[0] ? "; did you mean " : "", search.best,
		search.best[0] ? "?" : "");
}

static void report_elsewhere(const struct checker *c, const struct operand *o, const struct field_path *path,
			     uint64_t types)
{
	struct buf names = {0};

	for (int type = 0; type < EVENT_COUNT; type++) {
		if (!(types >> type & 1))
			continue;
		if (names.len)
			buf_add_str(&names, STR(", "));
		buf_add_str(&names, event_catalogue[type].name);
	}
	problems_add(c->problems, PROBLEM_WARNING, &o->place,
		     "%.*s: no event of this rule has the field %.*s, only these have: %.*s",
		     STR_ARG(o->name), STR_ARG(path->text), STR_ARG(buf_str(&names)));
	buf_fini(&names);
}

static bool check_field(const struct checker *c, const struct operand *o, const struct field_path *path,
			uint32_t *ret_kinds)
{
	struct field_facts facts = facts_of(c->rule, path);

	*ret_kinds = facts.kinds;
	if (facts.in_rule || facts.unknown_type)
		return facts.in_rule && !facts.unknown_type;
	if (facts.types)
		report_elsewhere(c, o, path, facts.types);
	else
		report_unknown(c, o, path);
	return false;
}

static void check_literal(const struct checker *c, const struct operand *o, uint32_t kinds)
{
	if (kinds & compare_accepts(&o->expression))
		return;
	problems_add(c->problems, PROBLEM_WARNING, &o->place, "%.*s can never be true: %.*s is %s there",
		     STR_ARG(o->name), STR_ARG(o->expression.field.text), value_kinds_text(kinds));
}

static void check_operand(const struct checker *c, const struct operand *o)
{
	uint32_t kinds;

	if (!o->used && c->has_condition)
		problems_add(c->problems, PROBLEM_WARNING, &o->place, "%.*s is never used in the condition",
			     STR_ARG(o->name));
	if (o->expression.kind == EXPRESSION_RULE)
		return;
	bool known = check_field(c, o, &o->expression.field, &kinds);
	if (known && o->expression.kind == EXPRESSION_DIRECT)
		check_literal(c, o, kinds);
	if (o->expression.kind == EXPRESSION_INDIRECT)
		check_field(c, o, &o->expression.other, &kinds);
}

void check_rule(const struct rule *rule, struct problems *problems)
{
	bool has_condition = rule->condition.nodes[rule->condition.root].kind != NODE_TRUE;
	const struct checker c = {rule, problems, has_condition};

	if (!rule->events)
		problems_add(problems, PROBLEM_WARNING, &rule->place,
			     "can never match: match-on leaves no event");
	if (rule->operand_count && !has_condition)
		problems_add(problems, PROBLEM_WARNING, &rule->place,
			     "has operands but no condition: it matches every event%s",
			     rule->events == UINT64_MAX ? "" : " of match-on");
	for (uint32_t i = 0; i < rule->operand_count; i++)
		check_operand(&c, &rule->operands[i]);
}

static void check_known(const struct checker *c, const struct operand *o, const struct field_path *path)
{
	const struct field_facts facts = facts_of(c->rule, path);

	if (!facts.types && !facts.unknown_type)
		report_unknown(c, o, path);
}

void check_broken_rule(const struct rule *rule, struct problems *problems)
{
	const struct checker c = {rule, problems, false};

	for (uint32_t i = 0; i < rule->operand_count; i++) {
		const struct operand *o = &rule->operands[i];
		if (o->expression.kind == EXPRESSION_RULE || !o->expression.field.count)
			continue; /* it names a rule, or has an error itself */
		check_known(&c, o, &o->expression.field);
		if (o->expression.kind == EXPRESSION_INDIRECT)
			check_known(&c, o, &o->expression.other);
	}
}
