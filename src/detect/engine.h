/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events through a program. What is known of an event is kept in arrays stamped with its number: none is cleared. */
#ifndef KUNAI_DETECT_ENGINE_H
#define KUNAI_DETECT_ENGINE_H

#include "detect/compare.h"
#include "detect/costs.h"
#include "detect/database.h"
#include "detect/memo.h"

struct engine_field {
	uint32_t read;    /* the event for which value holds */
	uint32_t scanned; /* the event for which its regular expressions were searched */
	bool ascii;       /* when scanned */
	bool repeats;     /* its texts were seen to come again */
	uint32_t hashed;  /* the event for which hash is that of hashed_text */
	uint32_t hash;
	struct str hashed_text;
	uint16_t tries; /* of the memory, and how many of them it knew */
	uint16_t hits;
	struct value value;
	char text[FIELD_TEXT_SIZE];
};

struct engine_counters {
	uint64_t scans;      /* searches of a database */
	uint64_t recalled;   /* searches that were saved: the text was known */
	uint64_t confirmed;  /* hits that were tried again */
	uint64_t slow;       /* patterns that were tried one by one */
	uint64_t candidates; /* conditions that were evaluated */
	uint64_t failures;   /* searches that failed: none should */
};

struct engine {
	const struct program *p;
	const struct databases *databases;
	struct regex_matcher *matcher; /* borrowed */
	hs_scratch_t *scratch;
	struct memo memo;
	struct costs costs;
	const struct event *event;
	uint32_t round;  /* of the event; a multiple of four, so that a truth can be added */
	uint32_t *atoms; /* round + truth, when known */
	uint32_t *rules; /* the same */
	uint32_t *woken; /* round, when the rule is in candidates */
	uint32_t *candidates;
	uint32_t candidate_count;
	struct engine_field *fields;
	struct engine_counters counters;
};

/* Returns 0 or -ENOMEM. */
int engine_init(struct engine *ret, const struct program *p, struct regex_matcher *matcher);
void engine_fini(struct engine *e);

/* The databases to use from the next event on. Allocates. Returns 0 or -ENOMEM: then the old ones stay in use. */
int engine_use(struct engine *e, const struct databases *d);

/* Calls matched for every rule that is true, dependencies excepted, once each. */
void engine_run(struct engine *e, const struct event *event, void (*matched)(void *context, uint32_t rule),
		void *context);

#endif
