/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/program.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* ---- literals ---- */

static uint32_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(h ^ h >> 32);
}

/* Two chains side by side: a multiplication waits for the one before it. The last two words may overlap those before. */
uint32_t program_hash_text(uint32_t field, struct str text)
{
	const uint64_t factor = UINT64_C(0xff51afd7ed558ccd);
	uint64_t h = ((uint64_t)field << 32 | text.len) * UINT64_C(0x9e3779b97f4a7c15), g = ~h;
	uint64_t words[2] = {0, 0};

	for (uint32_t i = 0; i + 16 < text.len; i += 16) {
		memcpy(words, text.p + i, 16);
		h = (h ^ words[0]) * factor;
		g = (g ^ words[1]) * factor;
		h ^= h >> 32;
		g ^= g >> 32;
	}
	if (text.len >= 16)
		memcpy(words, text.p + text.len - 16, 16);
	else if (text.len)
		memcpy(words, text.p, text.len);
	h = (h ^ words[0]) * factor;
	g = (g ^ words[1]) * factor;
	return mix(h ^ (g << 29 | g >> 35));
}

uint32_t program_hash_number(uint32_t field, const struct value *number)
{
	uint64_t bits = number->u;

	if (number->kind == VALUE_FLOAT) {
		double f = number->f;
		/* a float that is whole is the same number as an integer */
		if (f == floor(f) && f >= 0 && f < 0x1p64)
			bits = (uint64_t)f;
		else if (f == floor(f) && f < 0 && f >= -0x1p63)
			bits = (uint64_t)(int64_t)f;
		else
			memcpy(&bits, &f, sizeof(bits));
	}
	return mix((bits ^ (uint64_t)field << 48) * UINT64_C(0x9e3779b97f4a7c15) + 1);
}

static void add_literal(struct program *p, uint32_t hash, uint32_t atom)
{
	uint32_t i = hash & p->literal_mask;

	while (p->literals[i].atom)
		i = (i + 1) & p->literal_mask;
	p->literals[i] = (struct literal_slot){atom + 1, hash};
}

static int fill_literals(struct program *p, const bool *guards)
{
	uint32_t n = 1, size = 16;

	for (uint32_t i = 0; i < p->atom_count; i++)
		n += guards[i] && p->atoms[i].kind == ATOM_TEXT ? 2 : 0;
	while (size < 4 * n)
		size *= 2;
	p->literal_mask = size - 1;
	p->literals = arena_zalloc(&p->arena, (size_t)size * sizeof(*p->literals));
	if (!p->literals)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->atom_count; i++) {
		const struct atom *atom = &p->atoms[i];
		if (!guards[i] || atom->kind != ATOM_TEXT)
			continue;
		const struct literal *literal = &atom->expression->literal;
		add_literal(p, program_hash_text(atom->field, literal->text), i);
		if (literal->kind == LITERAL_TEXT_OR_NUMBER)
			add_literal(p, program_hash_number(atom->field, &literal->number), i);
	}
	return 0;
}

int program_init(struct program *ret, const struct rule *rules, uint32_t count)
{
	*ret = (struct program){.rules = rules, .rule_count = count};

	int err = program_find_atoms(ret);
	bool *guards = calloc((size_t)ret->atom_count + 1, sizeof(*guards));
	if (!guards)
		err = -ENOMEM;
	if (!err)
		err = program_find_guards(ret, guards);
	if (!err)
		err = fill_literals(ret, guards);
	free(guards);
	if (err)
		program_fini(ret);
	return err;
}

void program_fini(struct program *p)
{
	arena_fini(&p->arena);
	*p = (struct program){0};
}
