/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Collects rules from files and texts, in order. What it makes lives in the arena; the problems are the caller's. */
#ifndef KUNAI_DETECT_LOADER_H
#define KUNAI_DETECT_LOADER_H

#include "detect/rule.h"
#include "detect/template.h"

struct loader {
	struct arena *arena;
	struct problems *problems;
	struct templates templates;
	struct rule *rules;
	uint32_t count;
	uint32_t capacity;
	uint32_t disabled; /* rules left out because they say so */
};

void loader_init(struct loader *ret, struct arena *a, struct problems *problems);
void loader_fini(struct loader *l);

/*
 * A file of rules whatever its name, or a directory: its *.yaml and *.yml are templates, its *.kun, *.kunai, *.gen and
 * *.gene rules, each in the order of their names. A path that is not there is an error of the caller's to judge:
 * -ENOENT. Else 0 or -ENOMEM; what is wrong with files is added to the problems.
 */
int loader_add_path(struct loader *l, const char *path);

int loader_add_rules(struct loader *l, struct str file, struct str text);
int loader_add_templates(struct loader *l, struct str file, struct str text);

/* When all is loaded: finds the rules that others name, refuses circles and double names. Returns 0 or -ENOMEM. */
int loader_link(struct loader *l);

#endif
