/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules as the engine sees them: read, checked, linked. All of a rule lives in the arena of its rule set. */
#ifndef KUNAI_DETECT_RULE_H
#define KUNAI_DETECT_RULE_H

#include "detect/condition.h"
#include "detect/expression.h"

enum {
	RULES_MAX = 1 << 17,      /* of one set */
	RULE_OPERANDS_MAX = 4096, /* of one rule */
	RULE_TEXT_MAX = 1 << 16,  /* bytes of an expression or condition, templates put in */
	RULE_LIST_MAX = 4096,     /* entries of tags, actions, ... */
	RULE_FILE_MAX = 64 << 20, /* bytes of a file */
	RULE_SEVERITY_MAX = 10,   /* larger ones mean this */
	RULE_DEPENDENCY_MAX = 64, /* rules that depend on each other in a chain */
};

enum rule_type { RULE_DETECTION, RULE_FILTER, RULE_DEPENDENCY };

struct regex;

struct operand {
	struct str name; /* with the $ */
	struct expression expression;
	uint32_t rule;             /* of rule(name): its index */
	const struct regex *regex; /* of ~= */
	bool used;
	struct place place; /* of the literal, or of the rule's name */
	bool exact;         /* the literal stands there byte for byte */
};

struct rule {
	struct str name;
	enum rule_type type;
	bool exclude;
	uint8_t severity;
	uint64_t events; /* bit 1 << enum event_type: those it can match on */
	struct strv tags, attack, actions;
	struct operand *operands;
	uint32_t operand_count;
	struct condition condition;
	uint32_t depth; /* length of the longest chain of rules that it depends on */
	struct place place;
};

_Static_assert(EVENT_COUNT <= 64, "the events of a rule are bits of 64");

#endif
