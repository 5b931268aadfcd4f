/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A strict reader of JSON (RFC 8259) that keeps nothing; independent of the product's code on purpose. */
#ifndef KUNAI_TESTS_JSON_CHECK_H
#define KUNAI_TESTS_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * One object without white space between its parts and a newline after it, in valid UTF-8, with no key twice and
 * no exponents. Nothing is escaped but what must be, and in the shortest way.
 */
bool json_is_event_line(const char *text, size_t len);

#endif
