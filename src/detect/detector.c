/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "detect/collect.h"
#include "detect/interpret.h"

struct detector {
	const struct ruleset *rs;
	struct collector collector;
	struct interpreter interpreter;
	struct regex_matcher *matcher;
	uint64_t events;
};

struct detector *detector_new(const struct ruleset *rs)
{
	struct detector *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->rs = rs;
	d->matcher = regex_matcher_new();
	if (!d->matcher || collector_init(&d->collector, rs) ||
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
	interpreter_fini(&d->interpreter);
	regex_matcher_free(d->matcher);
	free(d);
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

struct verdict detect_event(struct detector *d, const struct event *e)
{
	return detect_event_slowly(d, e);
}

struct detector_counters detector_counters(const struct detector *d)
{
	return (struct detector_counters){
		.events = d->events,
		.regex_limits = regex_matcher_limits(d->matcher),
	};
}
