/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One comparison of a value. An error is what Kunai calls one: the value is of a kind that cannot be compared so. */
#ifndef KUNAI_DETECT_COMPARE_H
#define KUNAI_DETECT_COMPARE_H

#include "detect/expression.h"

enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_ERROR };

/* The kinds of value, bits 1 << VALUE_*, that a direct expression can say something about. */
uint32_t compare_accepts(const struct expression *e);

/* A direct expression other than a regular expression. Of a vector any element may satisfy it. */
enum truth compare_literal(const struct expression *e, const struct value *value);

/* An indirect one: never an error. */
enum truth compare_values(const struct value *a, const struct value *b);

/* "text", "a number", ...: the kinds of a set, for messages. */
const char *value_kinds_text(uint32_t kinds);

#endif
