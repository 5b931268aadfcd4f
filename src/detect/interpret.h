/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules one by one, straight from their definition: slow, simple, and what the compiled engine must agree with. */
#ifndef KUNAI_DETECT_INTERPRET_H
#define KUNAI_DETECT_INTERPRET_H

#include "detect/compare.h"
#include "detect/ruleset.h"

struct interpreter {
	const struct ruleset *rs;
	struct regex_matcher *matcher; /* borrowed */
	const struct event *event;
	uint8_t *known; /* one a rule: 1 + its truth, once it was evaluated for the event */
};

/* Returns 0 or -ENOMEM. */
int interpreter_init(struct interpreter *ret, const struct ruleset *rs, struct regex_matcher *matcher);
void interpreter_fini(struct interpreter *i);

void interpreter_begin(struct interpreter *i, const struct event *e);
enum truth interpreter_evaluate(struct interpreter *i, uint32_t rule);

/* The truth of a condition, given that of its operands. */
enum truth condition_evaluate(const struct condition *c, enum truth (*operand)(void *context, uint32_t index),
			      void *context);

#endif
