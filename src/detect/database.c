/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/database.h"

#include <errno.h>
#include <stdlib.h>

static const char *pattern_of(const struct program *p, uint32_t atom)
{
	return p->atoms[atom].regex->vector.p;
}

struct pattern_set *databases_patterns(const struct program *p, uint32_t field)
{
	struct buf texts = {0};

	for (uint32_t i = p->first_pattern[field]; i < p->first_pattern[field + 1]; i++) {
		const char *pattern = pattern_of(p, p->patterns[i]);
		buf_add(&texts, pattern, strlen(pattern) + 1);
	}
	struct pattern_set *set = texts.failed ? NULL : patterns_new(texts.p, texts.len);
	if (texts.failed)
		errno = ENOMEM;
	buf_fini(&texts);
	return set;
}

/* Both are sorted. Where a pattern stands several times, for regular expressions that differ in what makes it exact, they
 * are paired in their order. */
static int pair_patterns(struct databases *d, const struct program *p, uint32_t field,
			 struct pattern_set *set)
{
	struct field_database *ret = &d->fields[field];
	uint32_t i = 0, at = p->first_pattern[field], end = p->first_pattern[field + 1];

	if (!set || !set->db)
		return 0;
	ret->atoms = arena_alloc(&d->arena, ((size_t)set->count + 1) * sizeof(*ret->atoms));
	if (!ret->atoms)
		return -ENOMEM;
	memset(ret->atoms, 0xff, (size_t)set->count * sizeof(*ret->atoms));
	ret->patterns = patterns_ref(set);
	while (i < set->count && at < end) {
		int order = strcmp(set->patterns[i], pattern_of(p, p->patterns[at]));
		if (order == 0) {
			ret->atoms[i] = p->patterns[at];
			d->held[p->patterns[at]] = set->held[i];
		}
		i += order <= 0;
		at += order >= 0;
	}
	return 0;
}

/* Those that no database holds, if they are many. */
static int list_alone(struct databases *d, const struct program *p, uint32_t field)
{
	struct id_list *alone = &d->fields[field].alone;
	uint32_t begin = p->first_pattern[field], end = p->first_pattern[field + 1], n = 0;

	for (uint32_t i = begin; i < end; i++) {
		d->searched[p->patterns[i]] = d->held[p->patterns[i]];
		n += !d->held[p->patterns[i]];
	}
	if (n < ALONE_MIN)
		return 0;
	alone->v = arena_alloc(&d->arena, n * sizeof(*alone->v));
	if (!alone->v)
		return -ENOMEM;
	for (uint32_t i = begin; i < end; i++) {
		if (!d->held[p->patterns[i]])
			alone->v[alone->n++] = p->patterns[i];
		d->searched[p->patterns[i]] = true;
	}
	return 0;
}

/* With lists of NULL only counts. */
static void list_guards(const struct databases *d, const struct program *p, const struct field_plan *plan,
			struct slow_guards *ret)
{
	ret->always.n = ret->wide.n = 0;
	for (uint32_t i = 0; i < plan->regexes.n; i++) {
		uint32_t atom = plan->regexes.v[i];
		struct id_list *list = !d->searched[atom]                  ? &ret->always
				       : p->atoms[atom].regex->facts.blind ? &ret->wide
									   : NULL;
		if (list && list->v)
			list->v[list->n] = atom;
		if (list)
			list->n++;
	}
}

static int choose_guards(struct databases *d, const struct program *p, const struct field_plan *plan,
			 struct slow_guards *ret)
{
	list_guards(d, p, plan, ret);
	ret->always.v = arena_alloc(&d->arena, ((size_t)ret->always.n + 1) * sizeof(uint32_t));
	ret->wide.v = arena_alloc(&d->arena, ((size_t)ret->wide.n + 1) * sizeof(uint32_t));
	if (!ret->always.v || !ret->wide.v)
		return -ENOMEM;
	list_guards(d, p, plan, ret);
	return 0;
}

static int choose_all_guards(struct databases *d, const struct program *p)
{
	for (int type = 0; type < EVENT_COUNT; type++) {
		const struct type_plan *plan = &p->types[type];
		d->guards[type] =
			arena_zalloc(&d->arena, ((size_t)plan->field_count + 1) * sizeof(**d->guards));
		if (!d->guards[type])
			return -ENOMEM;
		for (uint32_t i = 0; i < plan->field_count; i++) {
			int err = choose_guards(d, p, &plan->fields[i], &d->guards[type][i]);
			if (err)
				return err;
		}
	}
	return 0;
}

struct databases *databases_new(const struct program *p, struct pattern_set *const *sets)
{
	struct databases *d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;

	d->field_count = p->field_count;
	d->fields = arena_zalloc(&d->arena, ((size_t)p->field_count + 1) * sizeof(*d->fields));
	d->held = arena_zalloc(&d->arena, (size_t)p->atom_count + 1);
	d->searched = arena_zalloc(&d->arena, (size_t)p->atom_count + 1);
	int err = d->fields && d->held && d->searched ? 0 : -ENOMEM;
	for (uint32_t i = 0; i < p->field_count && !err; i++) {
		err = pair_patterns(d, p, i, sets[i]);
		if (!err)
			err = list_alone(d, p, i);
	}
	if (!err)
		err = choose_all_guards(d, p);
	if (!err)
		return d;
	databases_free(d);
	errno = ENOMEM;
	return NULL;
}

void databases_free(struct databases *d)
{
	if (!d)
		return;
	for (uint32_t i = 0; d->fields && i < d->field_count; i++)
		patterns_unref(d->fields[i].patterns);
	arena_fini(&d->arena);
	free(d);
}
