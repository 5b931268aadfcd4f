/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/database.h"

#include <errno.h>
#include <stdlib.h>

enum { FLAGS = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY };

/* The patterns of one field. */
struct batch {
	const char **patterns;
	unsigned int *flags;
	unsigned int *ids;
	unsigned int n;
};

static void batch_fini(struct batch *b)
{
	free(b->patterns);
	free(b->flags);
	free(b->ids);
}

static int batch_init(struct batch *ret, uint32_t n)
{
	*ret = (struct batch){
		.patterns = calloc((size_t)n + 1, sizeof(*ret->patterns)),
		.flags = calloc((size_t)n + 1, sizeof(*ret->flags)),
		.ids = calloc((size_t)n + 1, sizeof(*ret->ids)),
	};
	if (ret->patterns && ret->flags && ret->ids)
		return 0;
	batch_fini(ret);
	return -ENOMEM;
}

static void batch_remove(struct batch *b, unsigned int i)
{
	b->n--;
	memmove(b->patterns + i, b->patterns + i + 1, (b->n - i) * sizeof(*b->patterns));
	memmove(b->ids + i, b->ids + i + 1, (b->n - i) * sizeof(*b->ids));
}

/* Singly first: compiling all ends at the first that is refused, and that after a long time. */
static bool is_accepted(const char *pattern)
{
	hs_compile_error_t *error = NULL;
	hs_expr_info_t *info = NULL;

	bool accepted = hs_expression_info(pattern, FLAGS, &info, &error) == HS_SUCCESS;
	free(info);
	hs_free_compile_error(error);
	return accepted;
}

static int compile_batch(struct batch *b, hs_database_t **ret)
{
	while (b->n) {
		hs_compile_error_t *error = NULL;
		hs_error_t result = hs_compile_multi(b->patterns, b->flags, b->ids, b->n, HS_MODE_BLOCK, NULL,
						     ret, &error);
		if (result == HS_SUCCESS)
			return 0;
		int index = error ? error->expression : -1;
		hs_free_compile_error(error);
		if (result == HS_NOMEM)
			return -ENOMEM;
		/* one that is too large in company, or all together: the rest must do without a database */
		if (index < 0)
			b->n = 0;
		else
			batch_remove(b, (unsigned int)index);
	}
	*ret = NULL;
	return 0;
}

static int compile_field(struct databases *d, const struct program *p, uint32_t field)
{
	struct batch batch;

	int err = batch_init(&batch, p->atom_count);
	if (err)
		return err;
	for (uint32_t i = 0; i < p->atom_count; i++) {
		const struct atom *atom = &p->atoms[i];
		if (atom->kind != ATOM_REGEX || atom->field != field || !is_accepted(atom->regex->vector.p))
			continue;
		batch.patterns[batch.n] = atom->regex->vector.p;
		batch.flags[batch.n] = FLAGS;
		batch.ids[batch.n++] = i;
	}
	err = compile_batch(&batch, &d->fields[field]);
	for (unsigned int i = 0; i < batch.n && !err; i++)
		d->held[batch.ids[i]] = true;
	batch_fini(&batch);
	return err;
}

static int choose_guards(struct databases *d, const struct program *p, const struct field_plan *plan,
			 struct slow_guards *ret)
{
	uint32_t n = plan->regexes.n;

	ret->always.v = arena_alloc(&d->arena, ((size_t)n + 1) * sizeof(uint32_t));
	ret->wide.v = arena_alloc(&d->arena, ((size_t)n + 1) * sizeof(uint32_t));
	if (!ret->always.v || !ret->wide.v)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t atom = plan->regexes.v[i];
		if (!d->held[atom])
			ret->always.v[ret->always.n++] = atom;
		else if (p->atoms[atom].regex->facts.blind)
			ret->wide.v[ret->wide.n++] = atom;
	}
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

int databases_init(struct databases *ret, const struct program *p, bool compile)
{
	int err = 0;

	*ret = (struct databases){0};
	ret->fields = calloc((size_t)p->field_count + 1, sizeof(hs_database_t *));
	ret->held = arena_zalloc(&ret->arena, (size_t)p->atom_count + 1);
	if (!ret->fields || !ret->held)
		err = -ENOMEM;
	for (uint32_t i = 0; i < p->field_count && compile && !err; i++)
		err = compile_field(ret, p, i);
	if (!err)
		err = choose_all_guards(ret, p);
	for (uint32_t i = 0; i < p->atom_count && !err; i++) {
		ret->held_count += ret->held[i];
		ret->refused_count += p->atoms[i].kind == ATOM_REGEX && !ret->held[i];
	}
	/* what a failure leaves is freed with the field count in hand */
	ret->field_count = p->field_count;
	if (err)
		databases_fini(ret);
	return err;
}

void databases_fini(struct databases *d)
{
	for (uint32_t i = 0; d->fields && i < d->field_count; i++)
		hs_free_database(d->fields[i]);
	free(d->fields);
	arena_fini(&d->arena);
	*d = (struct databases){0};
}
