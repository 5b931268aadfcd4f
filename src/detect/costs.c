/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/costs.h"

#include <errno.h>
#include <stdlib.h>

int costs_init(struct costs *ret, uint32_t rules, uint32_t atoms)
{
	*ret = (struct costs){
		.seed = 1,
		.rules = calloc((size_t)rules + 1, sizeof(uint64_t)),
		.atoms = calloc((size_t)atoms + 1, sizeof(uint64_t)),
	};
	if (!ret->rules || !ret->atoms) {
		costs_fini(ret);
		return -ENOMEM;
	}
	costs_draw(ret);
	ret->measured = 0;
	return 0;
}

void costs_fini(struct costs *c)
{
	free(c->rules);
	free(c->atoms);
	*c = (struct costs){0};
}

void costs_draw(struct costs *c)
{
	c->measured++;
	c->claimed = 0;
	/* a linear congruential generator, whose upper bits are good: Numerical Recipes in C, chapter 7.1 */
	c->seed = c->seed * 1664525 + 1013904223;
	c->wait = 1 + (c->seed >> 16) % (2 * COSTS_INTERVAL - 1);
}
