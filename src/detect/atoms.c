/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Equal operands of different rules become one atom, equal paths one field. */
#include <errno.h>
#include <stdlib.h>

#include "detect/compare.h"
#include "detect/program.h"

struct use {
	const struct operand *operand;
	uint32_t *atom; /* where the number of the atom goes */
};

static int compare_int(int a, int b)
{
	return a < b ? -1 : a > b;
}

static int compare_uses(const void *a, const void *b)
{
	const struct expression *x = &((const struct use *)a)->operand->expression;
	const struct expression *y = &((const struct use *)b)->operand->expression;
	int order = str_compare(x->field.text, y->field.text);

	if (!order)
		order = compare_int((int)x->kind, (int)y->kind);
	if (!order && x->kind == EXPRESSION_INDIRECT)
		return str_compare(x->other.text, y->other.text);
	if (!order)
		order = compare_int((int)x->op, (int)y->op);
	if (!order)
		order = compare_int((int)x->literal.kind, (int)y->literal.kind);
	if (!order)
		order = compare_int(x->literal.b, y->literal.b);
	return order ? order : str_compare(x->literal.text, y->literal.text);
}

static int collect_uses(struct program *p, struct use **ret, uint32_t *ret_count)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->rule_count; i++)
		n += p->rules[i].operand_count;
	struct use *uses = calloc((size_t)n + 1, sizeof(*uses));
	p->operands = arena_zalloc(&p->arena, ((size_t)p->rule_count + 1) * sizeof(*p->operands));
	if (!uses || !p->operands) {
		free(uses);
		return -ENOMEM;
	}
	*ret = uses;
	*ret_count = 0;
	for (uint32_t i = 0; i < p->rule_count; i++) {
		const struct rule *rule = &p->rules[i];
		p->operands[i] = arena_alloc(&p->arena, ((size_t)rule->operand_count + 1) * sizeof(uint32_t));
		if (!p->operands[i])
			return -ENOMEM;
		for (uint32_t k = 0; k < rule->operand_count; k++) {
			p->operands[i][k] = UINT32_MAX;
			if (rule->operands[k].expression.kind != EXPRESSION_RULE)
				uses[(*ret_count)++] = (struct use){&rule->operands[k], &p->operands[i][k]};
		}
	}
	return 0;
}

static void make_atom(const struct operand *o, struct atom *ret)
{
	const struct expression *e = &o->expression;
	bool direct = e->kind == EXPRESSION_DIRECT;
	bool text = direct && e->op == OP_EQUAL &&
		    (e->literal.kind == LITERAL_TEXT || e->literal.kind == LITERAL_TEXT_OR_NUMBER);

	*ret = (struct atom){
		.kind = o->regex ? ATOM_REGEX
			: text   ? ATOM_TEXT
				 : ATOM_OTHER,
		.indirect = !direct,
		.accepts = direct ? compare_accepts(e) : UINT32_MAX,
		.expression = e,
		.regex = o->regex,
	};
}

static int compare_paths(const void *a, const void *b)
{
	const struct field_path *const *x = a, *const *y = b;

	return str_compare((*x)->text, (*y)->text);
}

static int find_fields(struct program *p)
{
	const struct field_path **paths = calloc((size_t)p->atom_count * 2 + 1, sizeof(*paths));
	uint32_t n = 0, different = 0;
	int err = -ENOMEM;

	if (!paths)
		return err;
	for (uint32_t i = 0; i < p->atom_count; i++) {
		paths[n++] = &p->atoms[i].expression->field;
		if (p->atoms[i].indirect)
			paths[n++] = &p->atoms[i].expression->other;
	}
	qsort(paths, n, sizeof(*paths), compare_paths);
	for (uint32_t i = 0; i < n; i++) {
		if (i == 0 || compare_paths(&paths[i], &paths[different - 1]) != 0)
			paths[different++] = paths[i];
	}
	p->field_count = different;
	p->fields = arena_alloc(&p->arena, ((size_t)different + 1) * sizeof(*p->fields));
	p->slots = arena_zalloc(&p->arena, ((size_t)different * EVENT_COUNT + 1) * sizeof(*p->slots));
	if (!p->fields || !p->slots)
		goto out;
	for (uint32_t i = 0; i < different; i++) {
		p->fields[i] = paths[i]->text;
		for (int type = 0; type < EVENT_COUNT; type++) {
			struct field_slot *slot = &p->slots[(size_t)type * different + i];
			slot->known = field_find((enum event_type)type, paths[i]->segments, paths[i]->count,
						 &slot->ref) == 0;
		}
	}
	err = 0;
out:
	free(paths);
	return err;
}

static int compare_fields(const void *key, const void *field)
{
	return str_compare(*(const struct str *)key, *(const struct str *)field);
}

static uint32_t field_index(const struct program *p, const struct field_path *path)
{
	const struct str *found =
		bsearch(&path->text, p->fields, p->field_count, sizeof(*found), compare_fields);

	return (uint32_t)(found - p->fields);
}

struct pattern_use {
	uint32_t field, atom;
	const char *pattern;
};

static int compare_patterns(const void *a, const void *b)
{
	const struct pattern_use *x = a, *y = b;
	int order = x->field == y->field ? strcmp(x->pattern, y->pattern) : x->field < y->field ? -1 : 1;

	return order ? order : compare_int((int)x->atom, (int)y->atom);
}

static int find_patterns(struct program *p)
{
	struct pattern_use *uses = calloc((size_t)p->atom_count + 1, sizeof(*uses));
	uint32_t n = 0;

	p->patterns = arena_alloc(&p->arena, ((size_t)p->atom_count + 1) * sizeof(*p->patterns));
	p->first_pattern = arena_zalloc(&p->arena, ((size_t)p->field_count + 1) * sizeof(*p->first_pattern));
	if (!uses || !p->patterns || !p->first_pattern) {
		free(uses);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < p->atom_count; i++) {
		const struct atom *atom = &p->atoms[i];
		if (atom->kind == ATOM_REGEX)
			uses[n++] = (struct pattern_use){atom->field, i, atom->regex->vector.p};
	}
	qsort(uses, n, sizeof(*uses), compare_patterns);
	for (uint32_t i = 0; i < n; i++) {
		p->patterns[i] = uses[i].atom;
		p->first_pattern[uses[i].field + 1] = i + 1;
	}
	/* fields without any */
	for (uint32_t i = 1; i <= p->field_count; i++)
		if (p->first_pattern[i] < p->first_pattern[i - 1])
			p->first_pattern[i] = p->first_pattern[i - 1];
	free(uses);
	return 0;
}

int program_find_atoms(struct program *p)
{
	struct use *uses = NULL;
	uint32_t n = 0;

	int err = collect_uses(p, &uses, &n);
	if (err)
		goto out;
	p->atoms = arena_alloc(&p->arena, ((size_t)n + 1) * sizeof(*p->atoms));
	if (!p->atoms) {
		err = -ENOMEM;
		goto out;
	}
	qsort(uses, n, sizeof(*uses), compare_uses);
	for (uint32_t i = 0; i < n; i++) {
		if (i == 0 || compare_uses(&uses[i - 1], &uses[i]) != 0)
			make_atom(uses[i].operand, &p->atoms[p->atom_count++]);
		*uses[i].atom = p->atom_count - 1;
	}
	err = find_fields(p);
	for (uint32_t i = 0; i < p->atom_count && !err; i++) {
		struct atom *atom = &p->atoms[i];
		atom->field = field_index(p, &atom->expression->field);
		atom->other = atom->indirect ? field_index(p, &atom->expression->other) : atom->field;
	}
	if (!err)
		err = find_patterns(p);
out:
	free(uses);
	return err;
}
