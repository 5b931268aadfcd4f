/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For each type of event: which atoms wake which rules. */
#include <errno.h>
#include <stdlib.h>

#include "detect/program.h"

enum {
	GUARD_ATOMS_MAX =
		4096, /* what takes more is tried for every event: rules that name each other could multiply them */
	GUARD_CHAIN_MAX = 256, /* the same for `or`, which copies at each step */
};

/* What must be true for something to be true: one of these atoms at least. */
struct guard {
	enum { GUARD_NEVER, GUARD_ATOMS, GUARD_ALWAYS } kind;
	const uint32_t *atoms;
	uint32_t n;
	uint64_t weight;
};

struct finder {
	struct program *p;
	enum event_type type;
	struct arena arena;   /* of the type */
	uint32_t *uses;       /* of each atom, by rules of the type */
	struct guard *guards; /* of each rule */
	bool *found;          /* one a rule: its guard is there */
	bool failed;
};

static const struct guard never = {.kind = GUARD_NEVER}, always = {.kind = GUARD_ALWAYS};

static bool is_on(const struct finder *f, const struct rule *rule)
{
	return rule->events >> f->type & 1;
}

/* Whether the atom can be true for events of the type. */
static bool is_possible(const struct finder *f, const struct atom *atom)
{
	const struct field_slot *slot = program_slot(f->p, f->type, atom->field);

	if (!slot->known || !program_slot(f->p, f->type, atom->other)->known)
		return false;
	return field_value_kinds(&slot->ref) & atom->accepts;
}

/* How much it costs to be guarded by an atom: how many rules it wakes, and how often it is likely to be true. */
static uint64_t weigh(const struct finder *f, uint32_t index)
{
	enum { REGEX = 4, OTHER = 1000 };
	const struct atom *atom = &f->p->atoms[index];

	return f->uses[index] + (atom->kind == ATOM_REGEX ? REGEX : atom->kind == ATOM_OTHER ? OTHER : 0);
}

static struct guard both(struct guard a, struct guard b)
{
	if (a.kind == GUARD_NEVER || b.kind == GUARD_NEVER)
		return never;
	if (a.kind == GUARD_ALWAYS)
		return b;
	return b.kind == GUARD_ALWAYS || a.weight <= b.weight ? a : b;
}

static struct guard either(struct finder *f, struct guard a, struct guard b)
{
	if (a.kind == GUARD_NEVER || b.kind == GUARD_ALWAYS)
		return b;
	if (b.kind == GUARD_NEVER || a.kind == GUARD_ALWAYS)
		return a;
	if (a.n + b.n > GUARD_CHAIN_MAX)
		return always;
	uint32_t *atoms = arena_alloc(&f->arena, ((size_t)a.n + b.n) * sizeof(*atoms));
	if (!atoms) {
		f->failed = true;
		return always;
	}
	memcpy(atoms, a.atoms, a.n * sizeof(*atoms));
	memcpy(atoms + a.n, b.atoms, b.n * sizeof(*atoms));
	return (struct guard){GUARD_ATOMS, atoms, a.n + b.n, a.weight + b.weight};
}

static struct guard guard_of_rule(struct finder *f, uint32_t rule);

static struct guard guard_of_operand(struct finder *f, uint32_t rule, uint32_t operand)
{
	const uint32_t *atom = operand == NODE_MISSING ? NULL : &f->p->operands[rule][operand];

	if (!atom)
		return never;
	if (*atom == UINT32_MAX)
		return guard_of_rule(f, f->p->rules[rule].operands[operand].rule);
	if (!is_possible(f, &f->p->atoms[*atom]))
		return never;
	return (struct guard){GUARD_ATOMS, atom, 1, weigh(f, *atom)};
}

static int compare_weights(const void *a, const void *b)
{
	const struct guard *x = a, *y = b;
	bool x_always = x->kind == GUARD_ALWAYS, y_always = y->kind == GUARD_ALWAYS;

	if (x_always != y_always)
		return x_always ? -1 : 1;
	return x->weight > y->weight ? -1 : x->weight < y->weight;
}

/* One of all but the need - 1 heaviest must be true: any `need` of them hold one of the others. */
static struct guard guard_of_count(struct finder *f, uint32_t rule, const struct node *node,
				   const uint32_t *members)
{
	struct guard *guards = arena_alloc(&f->arena, ((size_t)node->b + 1) * sizeof(*guards));
	struct guard result = never;
	uint32_t n = 0, atoms = 0;

	if (!guards) {
		f->failed = true;
		return always;
	}
	for (uint32_t i = 0; i < node->b; i++) {
		guards[n] = guard_of_operand(f, rule, members[i]);
		n += guards[n].kind != GUARD_NEVER;
	}
	if (n < node->need)
		return never;
	qsort(guards, n, sizeof(*guards), compare_weights);
	if (guards[node->need - 1].kind == GUARD_ALWAYS)
		return always;
	for (uint32_t i = node->need - 1; i < n && atoms <= GUARD_ATOMS_MAX; i++)
		atoms += guards[i].n;
	if (atoms > GUARD_ATOMS_MAX)
		return always;
	uint32_t *all = arena_alloc(&f->arena, ((size_t)atoms + 1) * sizeof(*all));
	if (!all) {
		f->failed = true;
		return always;
	}
	result = (struct guard){GUARD_ATOMS, all, 0, 0};
	for (uint32_t i = node->need - 1; i < n; i++) {
		memcpy(all + result.n, guards[i].atoms, guards[i].n * sizeof(*all));
		result.n += guards[i].n;
		result.weight += guards[i].weight;
	}
	return result;
}

static struct guard guard_of_group(struct finder *f, uint32_t rule, const struct node *node,
				   const uint32_t *members)
{
	struct guard result = always;

	if (node->kind == NODE_AT_LEAST)
		return guard_of_count(f, rule, node, members);
	for (uint32_t i = 0; i < node->b && node->kind == NODE_ALL; i++)
		result = both(result, guard_of_operand(f, rule, members[i]));
	return result;
}

static struct guard guard_of_node(struct finder *f, uint32_t rule, uint32_t index);

/* Chains lean to the right. */
static struct guard guard_of_chain(struct finder *f, uint32_t rule, uint32_t index)
{
	const struct node *nodes = f->p->rules[rule].condition.nodes;
	enum node_kind kind = nodes[index].kind;
	struct guard result = kind == NODE_AND ? always : never;

	for (bool last = false; !last;) {
		last = nodes[index].kind != kind;
		struct guard part = guard_of_node(f, rule, last ? index : nodes[index].a);
		result = kind == NODE_AND ? both(result, part) : either(f, result, part);
		index = nodes[index].b;
	}
	return result;
}

static struct guard guard_of_node(struct finder *f, uint32_t rule, uint32_t index)
{
	const struct condition *c = &f->p->rules[rule].condition;
	const struct node *node = &c->nodes[index];

	switch (node->kind) {
	case NODE_TRUE:
	case NODE_NOT:
		return always;
	case NODE_OPERAND:
		return guard_of_operand(f, rule, node->a);
	case NODE_AND:
	case NODE_OR:
		return guard_of_chain(f, rule, index);
	default:
		return guard_of_group(f, rule, node, c->members + node->a);
	}
}

static struct guard guard_of_rule(struct finder *f, uint32_t rule)
{
	if (!is_on(f, &f->p->rules[rule]))
		return never;
	if (!f->found[rule]) {
		f->guards[rule] = guard_of_node(f, rule, f->p->rules[rule].condition.root);
		f->found[rule] = true;
	}
	return f->guards[rule];
}

static bool is_result(const struct finder *f, uint32_t rule)
{
	return f->p->rules[rule].type != RULE_DEPENDENCY && is_on(f, &f->p->rules[rule]);
}

/* How many rules of the type speak of each rule, by way of others too, itself included. */
static void count_references(const struct finder *f, uint32_t *ret)
{
	const struct program *p = f->p;

	for (uint32_t i = 0; i < p->rule_count; i++)
		ret[i] = is_result(f, i);
	/* what depends on others is deeper than they are */
	for (uint32_t depth = RULE_DEPENDENCY_MAX; depth > 0; depth--) {
		for (uint32_t i = 0; i < p->rule_count; i++) {
			const struct rule *rule = &p->rules[i];
			for (uint32_t k = 0; rule->depth == depth && k < rule->operand_count; k++) {
				if (p->operands[i][k] == UINT32_MAX)
					ret[rule->operands[k].rule] += ret[i];
			}
		}
	}
}

/* How many rules of the type speak of each atom. */
static int count_uses(struct finder *f)
{
	const struct program *p = f->p;
	uint32_t *references = arena_alloc(&f->arena, ((size_t)p->rule_count + 1) * sizeof(*references));

	if (!references)
		return -ENOMEM;
	count_references(f, references);
	memset(f->uses, 0, p->atom_count * sizeof(*f->uses));
	for (uint32_t i = 0; i < p->rule_count; i++) {
		for (uint32_t k = 0; is_on(f, &p->rules[i]) && k < p->rules[i].operand_count; k++) {
			if (p->operands[i][k] != UINT32_MAX)
				f->uses[p->operands[i][k]] += references[i];
		}
	}
	return 0;
}

/* The lists of rules: first how long each is, then what is in it. */
static int fill_lists(struct finder *f, struct type_plan *plan)
{
	struct program *p = f->p;
	uint32_t total = 0, always_count = 0;

	plan->first = arena_zalloc(&p->arena, ((size_t)p->atom_count + 2) * sizeof(*plan->first));
	if (!plan->first)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->rule_count; i++) {
		struct guard guard = is_result(f, i) ? guard_of_rule(f, i) : never;
		always_count += guard.kind == GUARD_ALWAYS;
		for (uint32_t k = 0; guard.kind == GUARD_ATOMS && k < guard.n; k++, total++)
			plan->first[guard.atoms[k] + 2]++;
	}
	plan->rules = arena_alloc(&p->arena, ((size_t)total + 1) * sizeof(*plan->rules));
	plan->always.v = arena_alloc(&p->arena, ((size_t)always_count + 1) * sizeof(*plan->always.v));
	if (!plan->rules || !plan->always.v || f->failed)
		return -ENOMEM;
	for (uint32_t i = 2; i < p->atom_count + 2; i++)
		plan->first[i] += plan->first[i - 1];
	/* first[atom + 1] is where the next rule goes; in the end, where the next atom's begin */
	for (uint32_t i = 0; i < p->rule_count; i++) {
		struct guard guard = is_result(f, i) ? guard_of_rule(f, i) : never;
		if (guard.kind == GUARD_ALWAYS)
			plan->always.v[plan->always.n++] = i;
		for (uint32_t k = 0; guard.kind == GUARD_ATOMS && k < guard.n; k++)
			plan->rules[plan->first[guard.atoms[k] + 1]++] = i;
	}
	return 0;
}

static bool is_guard(const struct type_plan *plan, uint32_t atom)
{
	return plan->first[atom + 1] > plan->first[atom];
}

static int fill_fields(struct finder *f, struct type_plan *plan)
{
	struct program *p = f->p;
	uint32_t *regexes = arena_zalloc(&f->arena, ((size_t)p->field_count + 1) * sizeof(*regexes));
	bool *equal = arena_zalloc(&f->arena, ((size_t)p->field_count + 1) * sizeof(*equal));
	uint32_t others = 0;

	if (!regexes || !equal)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->atom_count; i++) {
		const struct atom *atom = &p->atoms[i];
		if (!is_guard(plan, i))
			continue;
		equal[atom->field] |= atom->kind == ATOM_TEXT;
		regexes[atom->field] += atom->kind == ATOM_REGEX;
		others += atom->kind == ATOM_OTHER;
	}
	plan->others.v = arena_alloc(&p->arena, ((size_t)others + 1) * sizeof(*plan->others.v));
	plan->fields = arena_zalloc(&p->arena, ((size_t)p->field_count + 1) * sizeof(*plan->fields));
	if (!plan->others.v || !plan->fields)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->field_count; i++) {
		struct field_plan *field = &plan->fields[plan->field_count];
		if (!equal[i] && !regexes[i])
			continue;
		*field = (struct field_plan){.field = i, .equal = equal[i]};
		field->regexes.v =
			arena_alloc(&p->arena, ((size_t)regexes[i] + 1) * sizeof(*field->regexes.v));
		if (!field->regexes.v)
			return -ENOMEM;
		for (uint32_t k = 0; k < p->atom_count; k++) {
			if (p->atoms[k].kind == ATOM_REGEX && p->atoms[k].field == i && is_guard(plan, k))
				field->regexes.v[field->regexes.n++] = k;
		}
		plan->field_count++;
	}
	for (uint32_t i = 0; i < p->atom_count; i++) {
		if (p->atoms[i].kind == ATOM_OTHER && is_guard(plan, i))
			plan->others.v[plan->others.n++] = i;
	}
	return 0;
}

static int find_type(struct finder *f, bool *ret_guards)
{
	struct type_plan *plan = &f->p->types[f->type];

	f->uses = arena_alloc(&f->arena, ((size_t)f->p->atom_count + 1) * sizeof(*f->uses));
	f->guards = arena_alloc(&f->arena, ((size_t)f->p->rule_count + 1) * sizeof(*f->guards));
	f->found = arena_zalloc(&f->arena, ((size_t)f->p->rule_count + 1) * sizeof(*f->found));
	if (!f->uses || !f->guards || !f->found)
		return -ENOMEM;
	int err = count_uses(f);
	if (!err)
		err = fill_lists(f, plan);
	if (!err)
		err = fill_fields(f, plan);
	for (uint32_t i = 0; !err && i < f->p->atom_count; i++)
		ret_guards[i] |= is_guard(plan, i);
	return err;
}

int program_find_guards(struct program *p, bool *ret_guards)
{
	int err = 0;

	for (int type = 0; type < EVENT_COUNT && !err; type++) {
		struct finder f = {.p = p, .type = (enum event_type)type};
		err = find_type(&f, ret_guards);
		arena_fini(&f.arena);
	}
	return err;
}
