/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the rules that matched to a verdict. Everything is allocated once, for the worst case. */
#ifndef KUNAI_DETECT_COLLECT_H
#define KUNAI_DETECT_COLLECT_H

#include "detect/ruleset.h"

enum collect_list {
	LIST_DETECTION_RULES,
	LIST_DETECTION_TAGS,
	LIST_DETECTION_ATTACK,
	LIST_DETECTION_ACTIONS,
	LIST_FILTER_RULES,
	LIST_FILTER_TAGS,
	LIST_FILTER_ACTIONS,
	LIST_EXCLUDING_RULES,
	LIST_COUNT
};

/* A set of names. */
struct collected {
	uint32_t *ids;
	uint32_t n;
	uint32_t *seen; /* one a name: the round in which it was added */
	struct str *texts;
};

struct collector {
	const struct ruleset *rs;
	struct collected lists[LIST_COUNT];
	uint32_t round;
	bool detected, filtered;                  /* some rule that includes matched */
	bool detection_excluded, filter_excluded; /* some rule that excludes did */
	uint32_t severity;
	struct obj_detection detection;
	struct obj_filtering filter;
};

/* Returns 0 or -ENOMEM. */
int collector_init(struct collector *ret, const struct ruleset *rs);
void collector_fini(struct collector *c);

void collector_begin(struct collector *c);
/* A rule that matched, once each. Dependencies add nothing. */
void collector_add(struct collector *c, uint32_t rule);
struct verdict collector_finish(struct collector *c);

#endif
