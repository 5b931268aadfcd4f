/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the databases of a rule set are made, and how they come into use. */
#include <errno.h>
#include <stdlib.h>

#include "detect/ruleset.h"

/* ---- what is in use ---- */

struct databases *ruleset_take_databases(struct ruleset *rs, uint32_t *ret_generation)
{
	pthread_mutex_lock(&rs->lock);
	struct databases *d = rs->databases;
	d->references++;
	*ret_generation = rs->generation;
	pthread_mutex_unlock(&rs->lock);
	return d;
}

void ruleset_give_databases(struct ruleset *rs, struct databases *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&rs->lock);
	bool last = --d->references == 0;
	pthread_mutex_unlock(&rs->lock);
	if (last)
		databases_free(d);
}

static int publish(struct ruleset *rs)
{
	struct databases *d = databases_new(&rs->program, rs->used), *old;
	if (!d)
		return -ENOMEM;

	d->references = 1;
	pthread_mutex_lock(&rs->lock);
	old = rs->databases;
	rs->databases = d;
	rs->generation++;
	pthread_mutex_unlock(&rs->lock);
	ruleset_give_databases(rs, old);
	return 0;
}

/* ---- life ---- */

static int want_patterns(struct ruleset *rs)
{
	const struct program *p = &rs->program;

	rs->wanted = arena_zalloc(&rs->arena, ((size_t)p->field_count + 1) * sizeof(struct pattern_set *));
	rs->used = arena_zalloc(&rs->arena, ((size_t)p->field_count + 1) * sizeof(struct pattern_set *));
	if (!rs->wanted || !rs->used)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->field_count; i++) {
		if (p->first_pattern[i] == p->first_pattern[i + 1])
			continue;
		rs->wanted[i] = databases_patterns(p, i);
		if (!rs->wanted[i])
			return -ENOMEM;
	}
	return 0;
}

int ruleset_init_databases(struct ruleset *rs)
{
	int err = want_patterns(rs);

	return err ? err : publish(rs);
}

void ruleset_fini_databases(struct ruleset *rs)
{
	for (uint32_t i = 0; rs->wanted && rs->used && i < rs->program.field_count; i++) {
		patterns_unref(rs->wanted[i]);
		patterns_unref(rs->used[i]);
	}
	databases_free(rs->databases);
}

/* ---- making them ---- */

static void use(struct ruleset *rs, uint32_t field, struct pattern_set *set)
{
	patterns_unref(rs->used[field]);
	rs->used[field] = patterns_ref(set);
}

static bool is_missing(const struct ruleset *rs, uint32_t field)
{
	return rs->wanted[field] && !rs->wanted[field]->compiled;
}

/* The missing field with the fewest patterns, which is ready first; -1: none. tried: those that are not to be asked for. */
static int64_t find_missing(const struct ruleset *rs, const bool *tried)
{
	int64_t found = -1;

	for (uint32_t i = 0; i < rs->program.field_count; i++) {
		if (is_missing(rs, i) && !tried[i] &&
		    (found < 0 || rs->wanted[i]->size < rs->wanted[found]->size))
			found = i;
	}
	return found;
}

int ruleset_find_compiled(struct ruleset *rs, const struct pattern_source *source)
{
	uint32_t found = 0, missing = 0;

	for (uint32_t i = 0; i < rs->program.field_count; i++) {
		if (!is_missing(rs, i))
			continue;
		if (source->find && source->find(source->context, rs->wanted[i]) == 0) {
			use(rs, i, rs->wanted[i]);
			found++;
		} else {
			missing++;
		}
	}
	int err = found ? publish(rs) : 0;
	return err ? err : missing ? -EAGAIN : 0;
}

static int make(const struct pattern_source *source, struct pattern_set *set)
{
	return source && source->make ? source->make(source->context, set) : patterns_compile(set);
}

int ruleset_compile(struct ruleset *rs, const struct pattern_source *source)
{
	bool *tried = calloc((size_t)rs->program.field_count + 1, sizeof(*tried));
	int64_t field;
	int err = tried ? 0 : -ENOMEM;

	while (tried && err != -ECANCELED && (field = find_missing(rs, tried)) >= 0) {
		int field_err = make(source, rs->wanted[field]);
		tried[field] = true;
		if (!field_err) {
			use(rs, (uint32_t)field, rs->wanted[field]);
			field_err = publish(rs);
		}
		if (field_err)
			err = field_err;
	}
	free(tried);
	return err;
}

static uint32_t find_field(const struct program *p, struct str path)
{
	uint32_t i = 0;

	while (i < p->field_count && !str_eq(p->fields[i], path))
		i++;
	return i;
}

int ruleset_adopt(struct ruleset *rs, const struct ruleset *older)
{
	for (uint32_t i = 0; i < rs->program.field_count; i++) {
		uint32_t k = find_field(&older->program, rs->program.fields[i]);
		struct pattern_set *set = k < older->program.field_count ? older->used[k] : NULL;
		if (!set || !is_missing(rs, i))
			continue;
		if (patterns_equal(set, rs->wanted[i])) {
			patterns_unref(rs->wanted[i]);
			rs->wanted[i] = patterns_ref(set);
		}
		use(rs, i, set);
	}
	return publish(rs);
}

/* ---- what is slow ---- */

void ruleset_each_slow(const struct ruleset *rs,
		       void (*visit)(void *context, const struct slow_pattern *slow), void *context)
{
	const bool *held = rs->databases->held;

	for (uint32_t i = 0; i < rs->count; i++) {
		for (uint32_t k = 0; k < rs->rules[i].operand_count; k++) {
			const struct operand *o = &rs->rules[i].operands[k];
			struct slow_pattern slow = {.place = &o->place, .operand = o->name};
			if (!o->regex)
				continue;
			if (!held[rs->program.operands[i][k]])
				slow.reason = SLOW_ALONE;
			else if (o->regex->facts.superset)
				slow.reason = SLOW_CONFIRMED;
			else if (o->regex->facts.blind)
				slow.reason = SLOW_WIDE;
			else
				continue;
			visit(context, &slow);
		}
	}
}
