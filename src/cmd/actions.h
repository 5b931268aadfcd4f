/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a detection does besides being printed. */
#ifndef KUNAI_CMD_ACTIONS_H
#define KUNAI_CMD_ACTIONS_H

#include "event/event.h"

enum { ACTIONS_REMEMBERED = 512 }; /* processes that were killed already */

/* Zeroed is empty. */
struct actions {
	kind_UUID killed[ACTIONS_REMEMBERED];
	uint32_t next;
};

/*
 * Does what the event's detection says: `kill` ends its process, once. The process is known by its start time, so a
 * number that was given to another one meanwhile is not hit. Logs what it does.
 */
void actions_run(struct actions *a, const struct event *e);

/* A detection or a filter says `scan-files`. */
bool actions_want_scan(const struct event *e);

#endif
