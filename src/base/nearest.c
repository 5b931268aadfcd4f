/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/nearest.h"

enum { MIN_PREFIX = 3 };

void nearest_init(struct nearest *nearest, struct str name)
{
	/* One mistake for three letters: beyond that a proposal confuses more than it helps. */
	*nearest = (struct nearest){.name = name, .distance = 2 + name.len / 3};
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* A dash and an underscore are the same: both spellings of a name occur, in the file and on the command line. */
static char fold(char c)
{
	if (c == '-')
		return '_';
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Edits to get from a to b, where swapping neighbours is one edit (optimal string alignment). */
static uint32_t edit_distance(struct str a, struct str b)
{
	uint32_t rows[3][NEAREST_MAX_NAME + 1];
	uint32_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (uint32_t j = 0; j <= b.len; j++)
		last[j] = j;

	for (uint32_t i = 1; i <= a.len; i++) {
		now[0] = i;
		for (uint32_t j = 1; j <= b.len; j++) {
			bool same = fold(a.p[i - 1]) == fold(b.p[j - 1]);
			uint32_t best = min_u32(last[j] + 1, now[j - 1] + 1);
			best = min_u32(best, last[j - 1] + !same);
			if (i > 1 && j > 1 && fold(a.p[i - 1]) == fold(b.p[j - 2]) &&
			    fold(a.p[i - 2]) == fold(b.p[j - 1]))
				best = min_u32(best, before[j - 2] + 1);
			now[j] = best;
		}
		uint32_t *free_row = before;
		before = last;
		last = now;
		now = free_row;
	}
	return last[b.len];
}

void nearest_offer(struct nearest *nearest, struct str candidate)
{
	struct str name = nearest->name;
	if (name.len == 0 || name.len > NEAREST_MAX_NAME || candidate.len > NEAREST_MAX_NAME)
		return;

	uint32_t distance = edit_distance(name, candidate);
	if (name.len >= MIN_PREFIX && str_starts_with(candidate, name))
		distance = 1;
	if (distance < nearest->distance) {
		nearest->distance = distance;
		nearest->best = candidate;
	}
}
