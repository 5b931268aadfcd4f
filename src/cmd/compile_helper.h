/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Patterns are compiled by a child process without privileges: it takes long, leaves hundreds of megabytes behind, and a
 * library of C++ reads what others wrote.
 */
#ifndef KUNAI_CMD_COMPILE_HELPER_H
#define KUNAI_CMD_COMPILE_HELPER_H

#include "base/buf.h"
#include "base/helper.h"
#include "detect/patterns.h"

/* Forks: to be called before there are threads, and before there is much memory. -errno. */
int compile_helper_open(struct helper *ret);

/*
 * Has the set's database made; image gets its bytes. Returns 0; -ECANCELED as soon as stop is readable; -EIO when the child
 * failed; -errno. One thread at a time.
 */
int compile_helper_run(const struct helper *h, struct pattern_set *set, int stop, struct buf *image);

#endif
