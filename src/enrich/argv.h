/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The argument area of a process as one line of text. */
#ifndef KUNAI_ENRICH_ARGV_H
#define KUNAI_ENRICH_ARGV_H

#include "base/arena.h"

/*
 * Arguments, each ended by NUL, joined by a space. One that holds white space (Unicode's) is put in double quotes and
 * its own double quotes get a backslash; empty ones are left out, as Kunai does. The result is valid UTF-8, in the
 * arena; absent when memory is short.
 */
struct str argv_join(struct arena *a, struct str args);

#endif
