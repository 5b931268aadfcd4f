/* SPDX-License-Identifier: GPL-3.0-or-later */
/* That a line does not depend on the lines before it: the writer keeps what it made of them. */
#ifndef KUNAI_TESTS_ORDERS_H
#define KUNAI_TESTS_ORDERS_H

#include "event/event.h"

/* Takes a copy of what all events have. */
void orders_add(const struct event *e);

struct orders_result {
	unsigned written, wrong; /* lines in several orders; those that a new writer writes otherwise */
	unsigned changed;        /* lines with a field changed */
	unsigned stale;          /* those that a new writer writes otherwise */
	unsigned unseen;         /* those that are as before the change */
};

/* Writes all of them in several orders, and with each of their fields changed; frees the copies. */
struct orders_result orders_check(void);

#endif
