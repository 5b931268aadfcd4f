/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text from outside becomes valid UTF-8 once; rules, IoCs and JSON then see the same. Borrows valid text as it is. */
#ifndef KUNAI_BASE_UTF8_H
#define KUNAI_BASE_UTF8_H

#include "base/arena.h"

/* The number of leading bytes that are valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
size_t utf8_valid_prefix(const char *p, size_t len);

/* The text itself when it is valid, else a copy in the arena in which each maximal part of a sequence that cannot be
 * completed is one U+FFFD, as Unicode 15, section 3.9, recommends. */
struct str utf8_repair(struct arena *a, struct str s);

#endif
