/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which patterns of a program are in the databases that there are. A database is made of bytes, and exact for ASCII text;
 * on other text its hits are confirmed one by one, and those patterns that it could miss are tried one by one. So are
 * those that no database holds: because none can, or because the one in use was made of older rules and the new one
 * is not ready. When these are many they are tried with each search of the database, so that the result is remembered.
 */
#ifndef KUNAI_DETECT_DATABASE_H
#define KUNAI_DETECT_DATABASE_H

#include "detect/patterns.h"
#include "detect/program.h"

/* Of one field and type: guards that are tried one by one. */
struct slow_guards {
	struct id_list always; /* no search finds them */
	struct id_list wide;   /* it does, but is blind beyond ASCII */
};

struct field_database {
	struct pattern_set *patterns; /* NULL: none */
	uint32_t *atoms;              /* of each of its patterns; UINT32_MAX: no rule has it any more */
	struct id_list alone;         /* atoms that are tried with each search */
};

enum { ALONE_MIN = 16 }; /* patterns of a field */

/* Never changes. */
struct databases {
	struct arena arena;
	struct field_database *fields;           /* of each field */
	bool *held;                              /* one an atom: a database holds it */
	bool *searched;                          /* one an atom: a search of its field finds it */
	struct slow_guards *guards[EVENT_COUNT]; /* one a field plan */
	uint32_t field_count;
	uint32_t references; /* counted by its rule set */
};

/* The patterns of a field, not compiled. NULL with errno ENOMEM. */
struct pattern_set *databases_patterns(const struct program *p, uint32_t field);

/* sets: those of each field, NULL for none, of this program or another. Refers to them. NULL with errno ENOMEM. */
struct databases *databases_new(const struct program *p, struct pattern_set *const *sets);
void databases_free(struct databases *d);

#endif
