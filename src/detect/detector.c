/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "detect/collect.h"
#include "detect/engine.h"
#include "detect/interpret.h"

struct detector {
	struct ruleset *rs;
	struct collector collector;
	struct engine engine;
	struct interpreter interpreter;
	struct regex_matcher *matcher;
	struct databases *databases;
	uint32_t generation; /* that was looked at last */
	uint64_t events;
};

struct detector *detector_new(struct ruleset *rs)
{
	struct detector *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->rs = rs;
	d->databases = ruleset_take_databases(rs, &d->generation);
	d->matcher = regex_matcher_new();
	if (!d->matcher || collector_init(&d->collector, rs) ||
	    engine_init(&d->engine, &rs->program, d->matcher) || engine_use(&d->engine, d->databases) ||
	    interpreter_init(&d->interpreter, rs, d->matcher)) {
		detector_free(d);
		errno = ENOMEM;
		return NULL;
	}
	return d;
}

void detector_free(struct detector *d)
{
	if (!d)
		return;
	collector_fini(&d->collector);
	engine_fini(&d->engine);
	ruleset_give_databases(d->rs, d->databases);
	interpreter_fini(&d->interpreter);
	regex_matcher_free(d->matcher);
	free(d);
}

/* Databases may have become ready since the last event. */
static void use_databases(struct detector *d)
{
	if (atomic_load_explicit(&d->rs->generation, memory_order_relaxed) == d->generation)
		return;
	struct databases *ready = ruleset_take_databases(d->rs, &d->generation), *unused = ready;
	/* without memory for them it goes on with the old ones: exact, but slow */
	if (engine_use(&d->engine, ready) == 0) {
		unused = d->databases;
		d->databases = ready;
	}
	ruleset_give_databases(d->rs, unused);
}

static void on_match(void *context, uint32_t rule)
{
	collector_add(context, rule);
}

struct verdict detect_event(struct detector *d, const struct event *e)
{
	d->events++;
	use_databases(d);
	collector_begin(&d->collector);
	engine_run(&d->engine, e, on_match, &d->collector);
	return collector_finish(&d->collector);
}

struct verdict detect_event_slowly(struct detector *d, const struct event *e)
{
	d->events++;
	collector_begin(&d->collector);
	interpreter_begin(&d->interpreter, e);
	for (uint32_t i = 0; i < d->rs->count; i++) {
		if (d->rs->rules[i].type != RULE_DEPENDENCY &&
		    interpreter_evaluate(&d->interpreter, i) == TRUTH_TRUE)
			collector_add(&d->collector, i);
	}
	return collector_finish(&d->collector);
}

struct detector_counters detector_counters(const struct detector *d)
{
	const struct engine_counters *c = &d->engine.counters;

	return (struct detector_counters){
		.events = d->events,
		.regex_limits = regex_matcher_limits(d->matcher),
		.regex_failures = c->failures,
		.scans = c->scans,
		.recalled = c->recalled,
		.confirmed = c->confirmed,
		.slow = c->slow,
		.candidates = c->candidates,
	};
}

/* A pattern that several rules have is told with each of them. */
static uint64_t ns_of_rule(const struct engine *e, uint32_t rule)
{
	uint64_t ns = e->costs.rules[rule];

	for (uint32_t i = 0; i < e->p->rules[rule].operand_count; i++) {
		uint32_t atom = e->p->operands[rule][i];
		ns += atom == UINT32_MAX ? 0 : e->costs.atoms[atom];
	}
	return ns;
}

/* Keeps the list in order, and the last that does not fit out of it. */
static void insert_slow_rule(struct slow_rules *list, struct slow_rule rule)
{
	uint32_t i = list->count;

	if (i == SLOW_RULES_MAX && list->v[i - 1].seconds >= rule.seconds)
		return;
	if (i == SLOW_RULES_MAX)
		i--;
	else
		list->count++;
	for (; i > 0 && list->v[i - 1].seconds < rule.seconds; i--)
		list->v[i] = list->v[i - 1];
	list->v[i] = rule;
}

void detector_slow_rules(const struct detector *d, struct slow_rules *ret)
{
	const struct engine *e = &d->engine;
	const struct costs *c = &e->costs;

	*ret = (struct slow_rules){0};
	for (uint32_t i = 0; c->measured && i < d->rs->count; i++) {
		uint64_t ns = ns_of_rule(e, i);
		double mean = (double)ns / 1e9 / (double)c->measured;
		if (ns)
			insert_slow_rule(ret, (struct slow_rule){
						      .name = d->rs->rules[i].name,
						      .event = mean,
						      .share = (double)ns / (double)c->whole,
						      .seconds = mean * (double)c->events,
					      });
	}
}
