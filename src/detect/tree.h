/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * YAML documents as trees that know where everything stood. Made from libyaml's events instead of its documents: those
 * take time by the square of their anchors and of the depth of brackets. A tree lives in the arena.
 */
#ifndef KUNAI_DETECT_TREE_H
#define KUNAI_DETECT_TREE_H

#include "base/arena.h"
#include "base/scalar.h"
#include "detect/problem.h"

enum {
	TREE_DEPTH_MAX = 32,
	TREE_ANCHORS_MAX = 1024,  /* of one document */
	TREE_DIRECTIVES_MAX = 64, /* lines of a file that begin with % */
};

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

struct tree_node {
	enum tree_kind kind;
	enum scalar_kind scalar;
	struct str text;
	uint32_t line; /* from 1 */
	uint32_t column;
	bool quoted;
	bool verbatim;            /* the text stands in the file byte for byte on one line */
	bool checked;             /* for who walks the tree: aliases make it a graph */
	struct tree_node **items; /* of a map: keys and values in turn */
	uint32_t count;           /* of items */
};

/*
 * Calls visit for the root of each document that is neither empty nor wrong; what is wrong is added to the problems. Texts
 * live in the arena, nodes until visit returns.
 * Stops at an error of visit. Returns 0, -ENOMEM or what visit returned.
 */
int tree_each_document(struct str text, struct str file, struct arena *a, struct problems *problems,
		       int (*visit)(void *context, const struct tree_node *root), void *context);

/* The place of a byte of a scalar, as near as it can be told. */
struct place tree_place(const struct tree_node *node, struct str file, uint32_t offset);

#endif
