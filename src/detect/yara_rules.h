/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * YARA rules and what matches them. A set of rules never changes and is shared by counted references, in any thread; a
 * matcher belongs to one thread and keeps a reference to its set. This is the only file that knows libyara.
 */
#ifndef KUNAI_DETECT_YARA_RULES_H
#define KUNAI_DETECT_YARA_RULES_H

#include "detect/problem.h"
#include "event/content_scan.h"

enum {
	YARA_FILE_MAX = 64 << 20, /* bytes of a file of rules */
	YARA_FILES_MAX = 4096,    /* of one set */
	YARA_BAD_FILES_MAX =
		32,             /* whose errors are told; each costs another compilation of those before it */
	YARA_COMPILED_MAX = 64, /* compiled files of one set */
	YARA_MATCHES_MAX = 1024, /* names of rules that one result holds */
};

struct yara_rules;

/* By its name: *.yar and *.yara hold sources, *.yarc compiled rules. */
bool yara_is_rule_file(const char *path);

/*
 * Compiles files, whatever their names, and the rule files of directories. All sources share one name space. A file that
 * yarac made is loaded when nobody but its owner, root or who runs this, can have written it: it is a program.
 * Returns 0; -EINVAL when the problems hold an error; -ENOMEM. A path that does not exist is a warning, or an error, as the policy says. *ret is NULL when
 * there is no rule.
 */
int yara_rules_load(const char *const *paths, uint32_t count, enum path_policy policy,
		    struct problems *problems, struct yara_rules **ret);

/* Both accept NULL. */
struct yara_rules *yara_rules_share(struct yara_rules *rules);
void yara_rules_release(struct yara_rules *rules);

/* 0 for NULL. */
uint32_t yara_rules_count(const struct yara_rules *rules);

/* How contents are matched with a struct yara_rules. */
extern const struct content_engine yara_engine;

#endif
