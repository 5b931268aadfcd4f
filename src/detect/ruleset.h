/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a rule set. All of it lives in its arena but the regular expressions' programs. */
#ifndef KUNAI_DETECT_RULESET_H
#define KUNAI_DETECT_RULESET_H

#include <pthread.h>
#include <stdatomic.h>

#include "detect/database.h"
#include "detect/detect.h"
#include "detect/regex.h"
#include "detect/rule.h"

/* Indices into ruleset.names. */
struct name_list {
	const uint32_t *v;
	uint32_t n;
};

/* What a rule adds to a verdict. */
struct rule_result {
	uint32_t name;
	struct name_list tags, attack, actions;
};

struct ruleset {
	struct arena arena;
	struct rule *rules; /* in the order they were loaded */
	struct rule_result *results;
	uint32_t count;
	struct str *names; /* of rules, tags, ...: different ones, sorted */
	uint32_t name_count;
	struct regex *regexes; /* different ones */
	uint32_t regex_count;
	struct program program;
	/* Belong to the one thread that compiles. Of each field: */
	struct pattern_set **wanted; /* all its patterns; NULL: it has none */
	struct pattern_set *
		*used; /* the same once it is compiled; until then NULL, or those of older rules */
	/* What is used now, and how often it was replaced. */
	pthread_mutex_t lock;
	struct databases *databases;
	atomic_uint generation;
};

/* For a detector: the databases in use, to be given back. Sets the generation that they are of, or a later one. */
struct databases *ruleset_take_databases(struct ruleset *rs, uint32_t *ret_generation);
void ruleset_give_databases(struct ruleset *rs, struct databases *d);

/* Makes and publishes the first databases, which hold nothing. Returns 0 or -ENOMEM. */
int ruleset_init_databases(struct ruleset *rs);
void ruleset_fini_databases(struct ruleset *rs);

/* Gives each operand of ~= its regular expression. Returns 0 or -ENOMEM; what is wrong goes to the problems. */
int ruleset_compile_regexes(struct ruleset *rs, struct problems *problems);

/* Sorts the names. Returns 0 or -ENOMEM. */
int ruleset_intern_names(struct ruleset *rs);

#endif
