/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conditions: `$a and not (any of $b or 2 of them)`. A condition lives in the arena it was parsed into. */
#ifndef KUNAI_DETECT_CONDITION_H
#define KUNAI_DETECT_CONDITION_H

#include "base/arena.h"
#include "detect/problem.h"

enum {
	CONDITION_DEPTH_MAX = 64,     /* parentheses in each other */
	CONDITION_NODES_MAX = 4096,   /* operands, groups and operators of one condition */
	CONDITION_MEMBERS_MAX = 65536 /* of all its groups */
};

enum node_kind {
	NODE_TRUE,
	NODE_OPERAND, /* a: index of the operand, or NODE_MISSING */
	NODE_NOT,     /* a: node */
	NODE_AND,     /* a, b: nodes */
	NODE_OR,
	NODE_ALL, /* a: first of b members */
	NODE_NONE,
	NODE_AT_LEAST, /* need of them; never 0 */
};

#define NODE_MISSING UINT32_MAX

struct node {
	enum node_kind kind;
	uint32_t a;
	uint32_t b;
	uint32_t need;
};

/* What is true of a rule. Its operands are known by their index. */
struct condition {
	struct node *nodes;
	uint32_t count;
	uint32_t root;
	uint32_t *members; /* indices of operands */
	uint32_t member_count;
};

struct condition_input {
	struct str text;
	const struct str *operands; /* with the $ */
	uint32_t operand_count;
	bool *ret_used; /* one an operand */
	/* called for an operand that is none, and for a group without members; may be NULL */
	void (*on_missing)(void *context, struct str name, uint32_t offset);
	void *context;
};

/* An empty text is always true, as in Kunai. Returns 0, -ENOMEM, or -EINVAL with what was expected. */
int condition_parse(const struct condition_input *input, struct arena *a, struct condition *ret,
		    struct syntax_error *error);

#endif
