/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a rule set. All of it lives in its arena but the regular expressions' programs. */
#ifndef KUNAI_DETECT_RULESET_H
#define KUNAI_DETECT_RULESET_H

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
	struct databases uncompiled;             /* none: what is used until the others are ready */
	struct databases compiled;               /* belongs to ruleset_compile() until they are */
	_Atomic(const struct databases *) ready; /* NULL, or compiled */
};

/* Gives each operand of ~= its regular expression. Returns 0 or -ENOMEM; what is wrong goes to the problems. */
int ruleset_compile_regexes(struct ruleset *rs, struct problems *problems);

/* Sorts the names. Returns 0 or -ENOMEM. */
int ruleset_intern_names(struct ruleset *rs);

#endif
