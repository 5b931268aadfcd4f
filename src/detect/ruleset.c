/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/ruleset.h"

#include <errno.h>
#include <stdlib.h>

#include "detect/loader.h"

static int compare_names(const void *a, const void *b)
{
	return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static int compare_patterns(const void *a, const void *b)
{
	const struct operand *const *x = a, *const *y = b;

	return str_compare((*x)->expression.literal.text, (*y)->expression.literal.text);
}

/* ---- regular expressions ---- */

static bool has_regex(const struct operand *o)
{
	return o->expression.kind == EXPRESSION_DIRECT && o->expression.op == OP_REGEX;
}

static struct operand **collect_regexes(struct ruleset *rs, uint32_t *ret_count)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < rs->count; i++)
		n += rs->rules[i].operand_count;
	struct operand **v = calloc((size_t)n + 1, sizeof(*v));
	n = 0;
	for (uint32_t i = 0; v && i < rs->count; i++) {
		for (uint32_t k = 0; k < rs->rules[i].operand_count; k++) {
			if (has_regex(&rs->rules[i].operands[k]))
				v[n++] = &rs->rules[i].operands[k];
		}
	}
	*ret_count = n;
	return v;
}

static void report(const struct operand *o, const struct syntax_error *error, struct problems *problems)
{
	struct place place = o->place;

	/* the pattern begins at the place, if the place is known so exactly */
	if (o->exact)
		place.column += error->offset;
	problems_add(problems, PROBLEM_ERROR, &place, "%.*s: regular expression, at byte %u: %s",
		     STR_ARG(o->name), error->offset + 1, error->text);
}

static int compile_regex(struct ruleset *rs, struct operand *const *v, uint32_t same,
			 struct problems *problems)
{
	struct regex *regex = &rs->regexes[rs->regex_count];
	struct syntax_error error;

	int err = regex_init(regex, v[0]->expression.literal.text, &rs->arena, &error);
	if (err == -ENOMEM)
		return err;
	for (uint32_t i = 0; i < same; i++) {
		if (err)
			report(v[i], &error, problems);
		v[i]->regex = regex;
	}
	rs->regex_count += err == 0;
	return 0;
}

int ruleset_compile_regexes(struct ruleset *rs, struct problems *problems)
{
	uint32_t n, same;
	struct operand **v = collect_regexes(rs, &n);
	int err = 0;

	if (!v)
		return -ENOMEM;
	rs->regexes = arena_zalloc(&rs->arena, ((size_t)n + 1) * sizeof(*rs->regexes));
	if (!rs->regexes)
		err = -ENOMEM;
	qsort(v, n, sizeof(*v), compare_patterns);
	for (uint32_t i = 0; i < n && !err; i += same) {
		same = 1;
		while (i + same < n && compare_patterns(&v[i], &v[i + same]) == 0)
			same++;
		err = compile_regex(rs, v + i, same, problems);
	}
	free(v);
	return err;
}

/* ---- names ---- */

static uint32_t collect(struct str *names, uint32_t n, const struct strv *v)
{
	if (names && v->n)
		memcpy(names + n, v->v, v->n * sizeof(*names));
	return n + v->n;
}

/* With names NULL only counts. */
static uint32_t collect_names(const struct ruleset *rs, struct str *names)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < rs->count; i++) {
		const struct rule *r = &rs->rules[i];
		const struct strv name = {&r->name, 1};
		n = collect(names, n, &name);
		n = collect(names, n, &r->tags);
		n = collect(names, n, &r->attack);
		n = collect(names, n, &r->actions);
	}
	return n;
}

static uint32_t find_name(const struct ruleset *rs, const struct str *name)
{
	const struct str *found = bsearch(name, rs->names, rs->name_count, sizeof(*name), compare_names);

	return (uint32_t)(found - rs->names);
}

static int find_names(struct ruleset *rs, const struct strv *v, struct name_list *ret)
{
	uint32_t *ids = arena_alloc(&rs->arena, v->n * sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < v->n; i++)
		ids[i] = find_name(rs, &v->v[i]);
	*ret = (struct name_list){ids, v->n};
	return 0;
}

static int find_result(struct ruleset *rs, uint32_t i)
{
	const struct rule *r = &rs->rules[i];
	struct rule_result *result = &rs->results[i];

	result->name = find_name(rs, &r->name);
	int err = find_names(rs, &r->tags, &result->tags);
	if (!err)
		err = find_names(rs, &r->attack, &result->attack);
	return err ? err : find_names(rs, &r->actions, &result->actions);
}

int ruleset_intern_names(struct ruleset *rs)
{
	uint32_t n = collect_names(rs, NULL);

	rs->names = arena_alloc(&rs->arena, (n + 1) * sizeof(*rs->names));
	rs->results = arena_zalloc(&rs->arena, (rs->count + 1) * sizeof(*rs->results));
	if (!rs->names || !rs->results)
		return -ENOMEM;
	collect_names(rs, rs->names);
	qsort(rs->names, n, sizeof(*rs->names), compare_names);
	for (uint32_t i = 0; i < n; i++) {
		if (i == 0 || !str_eq(rs->names[i], rs->names[rs->name_count - 1]))
			rs->names[rs->name_count++] = rs->names[i];
	}
	for (uint32_t i = 0; i < rs->count; i++) {
		int err = find_result(rs, i);
		if (err)
			return err;
	}
	return 0;
}

/* ---- loading ---- */

static struct ruleset *ruleset_new(void)
{
	struct ruleset *rs = calloc(1, sizeof(*rs));

	if (rs)
		pthread_mutex_init(&rs->lock, NULL);
	return rs;
}

void ruleset_free(struct ruleset *rs)
{
	if (!rs)
		return;
	ruleset_fini_databases(rs);
	program_fini(&rs->program);
	for (uint32_t i = 0; i < rs->regex_count; i++)
		regex_fini(&rs->regexes[i]);
	arena_fini(&rs->arena);
	pthread_mutex_destroy(&rs->lock);
	free(rs);
}

static void mark(bool *marks, const uint32_t *rules, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		marks[rules[i]] = true;
}

/* Events that this version does not make have unknown fields: rules about them are not judged. */
static bool is_about_unknown(const struct rule *rule)
{
	for (int type = 0; type < EVENT_COUNT; type++) {
		if (rule->events >> type & 1 && event_catalogue[type].configurable &&
		    !event_schemas[type].data)
			return true;
	}
	return false;
}

/* What nothing can wake is never true. */
static int report_sleepers(const struct ruleset *rs, struct problems *problems)
{
	const struct program *p = &rs->program;
	bool *marks = calloc((size_t)rs->count + 1, sizeof(*marks));

	if (!marks)
		return -ENOMEM;
	for (int type = 0; type < EVENT_COUNT; type++) {
		mark(marks, p->types[type].rules, p->types[type].first[p->atom_count]);
		mark(marks, p->types[type].always.v, p->types[type].always.n);
	}
	for (uint32_t i = 0; i < rs->count; i++) {
		const struct rule *rule = &rs->rules[i];
		if (!marks[i] && rule->type != RULE_DEPENDENCY && rule->events && !is_about_unknown(rule))
			problems_add(problems, PROBLEM_WARNING, &rule->place,
				     "can never match: no event has all that the condition needs");
	}
	free(marks);
	return 0;
}

static int finish(struct ruleset *rs, struct loader *l, uint32_t errors)
{
	int err = loader_link(l);
	if (err)
		return err;
	rs->count = l->count;
	rs->rules = arena_alloc(&rs->arena, (l->count + 1) * sizeof(*rs->rules));
	if (!rs->rules)
		return -ENOMEM;
	if (l->count)
		memcpy(rs->rules, l->rules, l->count * sizeof(*rs->rules));
	err = ruleset_compile_regexes(rs, l->problems);
	if (!err && l->problems->errors > errors)
		err = -EINVAL;
	if (!err)
		err = ruleset_intern_names(rs);
	if (!err)
		err = program_init(&rs->program, rs->rules, rs->count);
	if (!err)
		err = report_sleepers(rs, l->problems);
	return err ? err : ruleset_init_databases(rs);
}

/* What has been loaded, or err, goes to the caller. */
static int conclude(struct ruleset *rs, struct loader *l, int err, uint32_t errors, struct ruleset **ret)
{
	if (!err)
		err = finish(rs, l, errors);
	loader_fini(l);
	if (err)
		ruleset_free(rs);
	else
		*ret = rs;
	return err;
}

static int add_paths(struct loader *l, const char *const *paths, uint32_t count, enum path_policy policy)
{
	for (uint32_t i = 0; i < count; i++) {
		struct place place = {.file = str_of(paths[i])};
		int err = loader_add_path(l, paths[i]);
		if (err == -ENOENT)
			problems_add(l->problems,
				     policy == PATHS_MUST_EXIST ? PROBLEM_ERROR : PROBLEM_WARNING, &place,
				     "no such file or directory");
		else if (err)
			return err;
	}
	return 0;
}

int ruleset_load(const char *const *paths, uint32_t count, enum path_policy policy, struct problems *problems,
		 struct ruleset **ret)
{
	struct ruleset *rs = ruleset_new();
	uint32_t errors = problems->errors;
	struct loader l;

	if (!rs)
		return -ENOMEM;
	loader_init(&l, &rs->arena, problems);
	int err = add_paths(&l, paths, count, policy);
	return conclude(rs, &l, err, errors, ret);
}

int ruleset_load_text(const struct rule_text *rules, const struct rule_text *templates,
		      struct problems *problems, struct ruleset **ret)
{
	struct ruleset *rs = ruleset_new();
	uint32_t errors = problems->errors;
	struct loader l;
	int err = 0;

	if (!rs)
		return -ENOMEM;
	loader_init(&l, &rs->arena, problems);
	if (templates)
		err = loader_add_templates(&l, templates->file, templates->text);
	if (!err)
		err = loader_add_rules(&l, rules->file, rules->text);
	return conclude(rs, &l, err, errors, ret);
}

static bool selects(const struct rule *r)
{
	return r->type != RULE_DEPENDENCY && !r->exclude;
}

uint64_t ruleset_events_of_action(const struct ruleset *rs, struct str action)
{
	uint64_t events = 0;

	for (uint32_t i = 0; i < rs->count; i++) {
		const struct rule *r = &rs->rules[i];
		for (uint32_t k = 0; k < r->actions.n; k++)
			if (str_eq(r->actions.v[k], action) && selects(r))
				events |= r->events;
	}
	return events;
}

uint64_t ruleset_events(const struct ruleset *rs)
{
	uint64_t events = 0;

	for (uint32_t i = 0; i < rs->count; i++)
		if (selects(&rs->rules[i]))
			events |= rs->rules[i].events;
	return events;
}

struct ruleset_facts ruleset_facts(const struct ruleset *rs)
{
	struct ruleset_facts facts = {.regexes = rs->regex_count};

	for (uint32_t i = 0; i < rs->count; i++) {
		facts.detections += rs->rules[i].type == RULE_DETECTION;
		facts.filters += rs->rules[i].type == RULE_FILTER;
		facts.dependencies += rs->rules[i].type == RULE_DEPENDENCY;
	}
	return facts;
}

bool ruleset_rule(const struct ruleset *rs, uint32_t index, struct rule_facts *ret)
{
	if (index >= rs->count)
		return false;
	const struct rule *rule = &rs->rules[index];
	ret->name = rule->name;
	ret->severity = rule->severity;
	ret->excludes = rule->exclude;
	ret->kind = rule->type == RULE_DETECTION ? RULE_IS_DETECTION
		    : rule->type == RULE_FILTER  ? RULE_IS_FILTER
						 : RULE_IS_DEPENDENCY;
	return true;
}
