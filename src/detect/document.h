/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One YAML document as a rule: keys, types, ranges. Borrows the tree and its arena. */
#ifndef KUNAI_DETECT_DOCUMENT_H
#define KUNAI_DETECT_DOCUMENT_H

#include "detect/rule.h"
#include "detect/tree.h"

struct document {
	struct str name;
	enum rule_type type;
	bool exclude;
	bool disabled;
	uint8_t severity;
	uint64_t events;
	struct strv tags, attack, actions;
	const struct tree_node *matches; /* a map of scalars that are strings, or NULL */
	const struct tree_node *condition;
	struct place place;
};

struct document_context {
	struct str file;
	struct arena *arena;
	struct problems *problems;
};

/* Returns 0 or -ENOMEM; what is wrong is added to the problems, and ret holds what could be read. */
int document_read(const struct document_context *ctx, const struct tree_node *root, struct document *ret);

/* Reports keys that stand twice in one map, at any depth. */
void document_check_duplicates(const struct document_context *ctx, const struct tree_node *node,
			       struct str rule);

/* Adds "<subject>: expected <expected>, found <what is there>". */
void document_refuse(const struct document_context *ctx, const struct tree_node *node, struct str rule,
		     const char *subject, const char *expected);

#endif
