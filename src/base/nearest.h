/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the known name that a mistyped one probably meant. Borrows all names. */
#ifndef KUNAI_BASE_NEAREST_H
#define KUNAI_BASE_NEAREST_H

#include "base/str.h"

enum { NEAREST_MAX_NAME = 64 }; /* longer names are near to nothing */

struct nearest {
	struct str name;
	struct str best; /* absent when nothing was near enough */
	uint32_t distance;
};

void nearest_init(struct nearest *nearest, struct str name);
void nearest_offer(struct nearest *nearest, struct str candidate);

#endif
