/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/collect.h"

#include <errno.h>
#include <stdlib.h>

int collector_init(struct collector *ret, const struct ruleset *rs)
{
	size_t n = (size_t)rs->name_count + 1;
	bool failed = false;

	*ret = (struct collector){.rs = rs};
	for (int i = 0; i < LIST_COUNT; i++) {
		struct collected *list = &ret->lists[i];
		list->ids = calloc(n, sizeof(*list->ids));
		list->seen = calloc(n, sizeof(*list->seen));
		list->texts = calloc(n, sizeof(*list->texts));
		failed |= !list->ids || !list->seen || !list->texts;
	}
	if (!failed)
		return 0;
	collector_fini(ret);
	return -ENOMEM;
}

void collector_fini(struct collector *c)
{
	for (int i = 0; i < LIST_COUNT; i++) {
		free(c->lists[i].ids);
		free(c->lists[i].seen);
		free(c->lists[i].texts);
	}
	*c = (struct collector){0};
}

void collector_begin(struct collector *c)
{
	for (int i = 0; i < LIST_COUNT; i++)
		c->lists[i].n = 0;
	c->detected = c->filtered = c->detection_excluded = c->filter_excluded = false;
	c->severity = 0;
	if (++c->round)
		return;
	/* once in four billion events: what was seen in round 1 is long ago */
	for (int i = 0; i < LIST_COUNT; i++)
		memset(c->lists[i].seen, 0, c->rs->name_count * sizeof(*c->lists[i].seen));
	c->round = 1;
}

static void add(struct collector *c, enum collect_list which, const uint32_t *ids, uint32_t n)
{
	struct collected *list = &c->lists[which];

	for (uint32_t i = 0; i < n; i++) {
		if (list->seen[ids[i]] == c->round)
			continue;
		list->seen[ids[i]] = c->round;
		list->ids[list->n++] = ids[i];
	}
}

static void add_detection(struct collector *c, const struct rule *rule, const struct rule_result *r)
{
	c->detected = true;
	c->severity += rule->severity;
	add(c, LIST_DETECTION_RULES, &r->name, 1);
	add(c, LIST_DETECTION_TAGS, r->tags.v, r->tags.n);
	add(c, LIST_DETECTION_ATTACK, r->attack.v, r->attack.n);
	add(c, LIST_DETECTION_ACTIONS, r->actions.v, r->actions.n);
}

static void add_filter(struct collector *c, const struct rule_result *r)
{
	c->filtered = true;
	add(c, LIST_FILTER_RULES, &r->name, 1);
	add(c, LIST_FILTER_TAGS, r->tags.v, r->tags.n);
	add(c, LIST_FILTER_ACTIONS, r->actions.v, r->actions.n);
}

void collector_add(struct collector *c, uint32_t index)
{
	const struct rule *rule = &c->rs->rules[index];

	if (rule->type == RULE_DEPENDENCY)
		return;
	if (rule->exclude) {
		*(rule->type == RULE_DETECTION ? &c->detection_excluded : &c->filter_excluded) = true;
		add(c, LIST_EXCLUDING_RULES, &c->rs->results[index].name, 1);
	} else if (rule->type == RULE_DETECTION) {
		add_detection(c, rule, &c->rs->results[index]);
	} else {
		add_filter(c, &c->rs->results[index]);
	}
}

/* Shell's sort with Ciura's gaps: lists are short, and qsort() may allocate. */
static void sort(uint32_t *v, uint32_t n)
{
	static const uint32_t gaps[] = {57204, 25424, 11299, 5022, 2232, 701, 301, 132, 57, 23, 10, 4, 1};

	for (size_t g = 0; g < sizeof(gaps) / sizeof(*gaps); g++) {
		uint32_t gap = gaps[g];
		for (uint32_t i = gap; i < n; i++) {
			uint32_t moved = v[i], k = i;
			for (; k >= gap && v[k - gap] > moved; k -= gap)
				v[k] = v[k - gap];
			v[k] = moved;
		}
	}
}

/* Names are sorted, so their numbers are. */
static struct strv texts_of(struct collector *c, enum collect_list which)
{
	struct collected *list = &c->lists[which];

	if (list->n > 1)
		sort(list->ids, list->n);
	for (uint32_t i = 0; i < list->n; i++)
		list->texts[i] = c->rs->names[list->ids[i]];
	return (struct strv){list->texts, list->n};
}

struct verdict collector_finish(struct collector *c)
{
	struct verdict verdict = {0};

	if (c->detected && !c->detection_excluded) {
		c->detection = (struct obj_detection){
			.rules = texts_of(c, LIST_DETECTION_RULES),
			.tags = texts_of(c, LIST_DETECTION_TAGS),
			.attack = texts_of(c, LIST_DETECTION_ATTACK),
			.actions = texts_of(c, LIST_DETECTION_ACTIONS),
			.severity = c->severity < RULE_SEVERITY_MAX ? c->severity : RULE_SEVERITY_MAX,
		};
		verdict.detection = &c->detection;
	}
	if (c->filtered && !c->filter_excluded) {
		c->filter = (struct obj_filtering){
			.rules = texts_of(c, LIST_FILTER_RULES),
			.tags = texts_of(c, LIST_FILTER_TAGS),
			.actions = texts_of(c, LIST_FILTER_ACTIONS),
		};
		verdict.filter = &c->filter;
	}
	verdict.excluding = texts_of(c, LIST_EXCLUDING_RULES);
	return verdict;
}
