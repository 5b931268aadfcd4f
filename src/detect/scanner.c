/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/scanner.h"

#include <errno.h>
#include <stdlib.h>

#include "detect/ioc.h"
#include "detect/rule.h"

enum { HITS_MAX = 1024 }; /* of one event */

struct scanner {
	struct ruleset *rules;
	struct detector *detector;
	struct ioc_set *iocs;
	struct yara_rules *yara;
	bool empty;
	struct strv excluding;
	struct ioc_hit hits[HITS_MAX];
	struct str values[HITS_MAX];
};

static int load_iocs(struct scanner *s, const struct scanner_paths *paths, struct problems *problems)
{
	for (uint32_t i = 0; i < paths->ioc_count; i++) {
		const struct place place = {.file = str_of(paths->iocs[i])};
		int err = ioc_load(s->iocs, paths->iocs[i], problems);
		if (err == -ENOMEM)
			return err;
		if (err)
			problems_add(problems,
				     err == -ENOENT && paths->policy == PATHS_MAY_BE_MISSING ? PROBLEM_WARNING
											     : PROBLEM_ERROR,
				     &place, "cannot read the IoCs: %s", strerror(-err));
	}
	return problems->errors ? -EINVAL : 0;
}

int scanner_load(const struct scanner_paths *paths, struct problems *problems, struct scanner **ret)
{
	struct scanner *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	int err = ruleset_load(paths->rules, paths->rule_count, paths->policy, problems, &s->rules);
	if (err != -ENOMEM) {
		s->iocs = ioc_set_new();
		int ioc_err = s->iocs ? load_iocs(s, paths, problems) : -ENOMEM;
		err = err ? err : ioc_err;
	}
	/* whatever was wrong before, so that all is told at once */
	if (err != -ENOMEM) {
		int yara_err =
			yara_rules_load(paths->yara, paths->yara_count, paths->policy, problems, &s->yara);
		err = err ? err : yara_err;
	}
	if (!err) {
		s->detector = detector_new(s->rules);
		err = s->detector ? 0 : -ENOMEM;
	}
	if (err) {
		scanner_free(s);
		return err;
	}
	struct ruleset_facts facts = ruleset_facts(s->rules);
	s->empty = facts.detections + facts.filters + facts.dependencies + ioc_count(s->iocs) == 0;
	*ret = s;
	return 0;
}

void scanner_free(struct scanner *s)
{
	if (!s)
		return;
	detector_free(s->detector);
	ruleset_free(s->rules);
	ioc_set_free(s->iocs);
	yara_rules_release(s->yara);
	free(s);
}

bool scanner_is_empty(const struct scanner *s)
{
	return s->empty;
}

int scanner_adopt(struct scanner *s, const struct scanner *older)
{
	return ruleset_adopt(s->rules, older->rules);
}

int scanner_find_compiled(struct scanner *s, const struct pattern_source *source)
{
	return ruleset_find_compiled(s->rules, source);
}

int scanner_compile(struct scanner *s, const struct pattern_source *source)
{
	return ruleset_compile(s->rules, source);
}

const struct ruleset *scanner_rules(const struct scanner *s)
{
	return s->rules;
}

uint32_t scanner_ioc_count(const struct scanner *s)
{
	return ioc_count(s->iocs);
}

struct detector_counters scanner_counters(const struct scanner *s)
{
	return detector_counters(s->detector);
}

void scanner_slow_rules(const struct scanner *s, struct slow_rules *ret)
{
	detector_slow_rules(s->detector, ret);
}

struct yara_rules *scanner_yara(const struct scanner *s)
{
	return s->yara;
}

uint64_t scanner_file_scan_events(const struct scanner *s)
{
	return ruleset_events_of_action(s->rules, STR("scan-files"));
}

uint64_t scanner_events(const struct scanner *s)
{
	/* some field of every event is looked up */
	return s->empty || ioc_count(s->iocs) ? UINT64_MAX : ruleset_events(s->rules);
}

static int compare_values(const void *a, const void *b)
{
	return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* Sorted, each once. */
static struct strv distinct_values(struct scanner *s, uint32_t count)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		s->values[i] = s->hits[i].value;
	qsort(s->values, count, sizeof(*s->values), compare_values);
	for (uint32_t i = 0; i < count; i++)
		if (n == 0 || !str_eq(s->values[n - 1], s->values[i]))
			s->values[n++] = s->values[i];
	return (struct strv){s->values, n};
}

static void add_iocs(struct scanner *s, struct event *e)
{
	uint32_t count = ioc_match(s->iocs, e, s->hits, HITS_MAX);
	struct obj_detection *detection = count ? arena_zalloc(e->arena, sizeof(*detection)) : NULL;
	if (!detection)
		return;
	if (e->detection)
		*detection = *e->detection;
	for (uint32_t i = 0; i < count; i++)
		detection->severity += s->hits[i].severity;
	if (detection->severity > RULE_SEVERITY_MAX)
		detection->severity = RULE_SEVERITY_MAX;
	detection->iocs = distinct_values(s, count);
	e->detection = detection;
}

void scanner_scan(struct scanner *s, struct event *e)
{
	s->excluding = (struct strv){0};
	if (e->type == EVENT_start || e->type == EVENT_event_loss)
		return;
	struct verdict verdict = detect_event(s->detector, e);
	e->detection = verdict.detection;
	e->filter = verdict.filter;
	s->excluding = verdict.excluding;
	add_iocs(s, e);
}

struct strv scanner_excluding(const struct scanner *s)
{
	return s->excluding;
}

bool scanner_selects(const struct scanner *s, const struct event *e, uint64_t min_severity)
{
	if (s->empty || e->type == EVENT_start || e->type == EVENT_event_loss)
		return true;
	return e->filter || (e->detection && e->detection->severity >= min_severity);
}
