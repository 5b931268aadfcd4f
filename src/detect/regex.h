/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One regular expression. It is constant and may be shared; what matching needs to write belongs to a matcher, one for
 * each thread. PCRE2 runs without its JIT compiler: a process with root's rights should hold no memory that can
 * be written and executed.
 */
#ifndef KUNAI_DETECT_REGEX_H
#define KUNAI_DETECT_REGEX_H

#include "detect/regex_syntax.h"

enum {
	REGEX_PARENTHESES_MAX = 1000, /* in each other, as PCRE2 counts them */
	REGEX_MATCH_LIMIT =
		1000000,           /* steps of one search, of which there are some 100 million in a second */
	REGEX_QUICK_LIMIT = 10000, /* steps of a search that every event may have, however many they are */
	REGEX_EVENT_SEARCHES = 4,  /* of an event that may take more */
	REGEX_DEPTH_LIMIT = 10000, /* frames of backtracking */
	REGEX_HEAP_LIMIT = 4096,   /* KiB of them */
};

struct regex {
	struct str pattern;
	struct str literal; /* in every text that matches; absent when none is sure */
	struct str vector;  /* for Vectorscan, ended by NUL */
	struct regex_vector_facts facts;
	void *code;
};

/*
 * Returns 0, -ENOMEM, or -EINVAL with what is wrong, at which byte. The texts live in the arena; the rest until
 * regex_fini().
 */
int regex_init(struct regex *ret, struct str pattern, struct arena *a, struct syntax_error *error);
void regex_fini(struct regex *r);

struct regex_matcher;

struct regex_matcher *regex_matcher_new(void);
void regex_matcher_free(struct regex_matcher *m);

/* Another event: it has its own budget of steps. */
void regex_matcher_begin(struct regex_matcher *m);

/* 1 when the text, which is valid UTF-8, matches; 0 when not; -ELOOP when a limit was reached, which is counted. */
int regex_match(const struct regex *r, struct regex_matcher *m, struct str text);

/* How often a limit was reached. */
uint64_t regex_matcher_limits(const struct regex_matcher *m);

#endif
