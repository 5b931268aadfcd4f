/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The regular expressions of each field as one Vectorscan database. A database is made of bytes, and exact for ASCII text;
 * on other text its hits are confirmed one by one, and those patterns that it could miss are tried one by one. So are
 * those that it cannot hold. Making one takes up to half a minute for ten thousand patterns: never while events wait.
 */
#ifndef KUNAI_DETECT_DATABASE_H
#define KUNAI_DETECT_DATABASE_H

#include <hs.h>

#include "detect/program.h"

/* Of one field and type: guards that are tried one by one. */
struct slow_guards {
	struct id_list always; /* no database holds them */
	struct id_list wide;   /* it does, but is blind beyond ASCII */
};

struct databases {
	struct arena arena;
	hs_database_t **fields;                  /* of each field; NULL: none */
	bool *held;                              /* one an atom: a database holds it */
	struct slow_guards *guards[EVENT_COUNT]; /* one a field plan */
	uint32_t field_count;
	uint32_t held_count;
	uint32_t refused_count;
};

/*
 * With compile false there is no database, and all patterns are tried one by one: what is used until the other kind is
 * ready. Returns 0 or -ENOMEM.
 */
int databases_init(struct databases *ret, const struct program *p, bool compile);
void databases_fini(struct databases *d);

#endif
