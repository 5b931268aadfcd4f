/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be said of a rule before any event is there. */
#ifndef KUNAI_DETECT_CHECK_H
#define KUNAI_DETECT_CHECK_H

#include "detect/rule.h"

/* Adds warnings: operands that are never used, fields that no event of the rule has, comparisons that cannot be. */
void check_rule(const struct rule *rule, struct problems *problems);

/* The same of a rule that has errors: only what does not depend on them, fields that no event has. */
void check_broken_rule(const struct rule *rule, struct problems *problems);

#endif
