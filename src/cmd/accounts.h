/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sensor's books: what the kernel saw, what was received and what was lost on the way. Borrows the probe, which must
 * be open for everything but counting.
 */
#ifndef KUNAI_CMD_ACCOUNTS_H
#define KUNAI_CMD_ACCOUNTS_H

#include "detect/detect.h"
#include "enrich/enricher.h"
#include "probe/probe.h"

struct accounts {
	uint64_t received[EVENT_COUNT];
	uint64_t printed;
	uint64_t invalid;                           /* records that were no records */
	uint64_t dropped;                           /* records for which there was no memory */
	uint64_t lost_told;                         /* in the log */
	uint64_t missed_read;                       /* at the last reading */
	uint64_t missed;                            /* left out by the kernel, for certain */
	struct wire_counters counters[EVENT_COUNT]; /* of the last reading */
	int unbalanced;                             /* readings in a row */
	uint64_t forgotten;                         /* see accounts_count_forgotten() */
};

/*
 * Written files that were not followed to their close because too many were open, at least so many: a part of the counts below.
 * A file that closed unseen counts as open.
 */
void accounts_count_forgotten(struct accounts *a, const struct wire_counters *write_close);

/* Once a second: a miss that an entry has yet to take is none. */
void accounts_count_missed(struct accounts *a, const struct probe *probe);

/* At the end, when nothing is on its way. */
void accounts_count_missed_finally(struct accounts *a, const struct probe *probe);

/* Lost, forgotten or left out by the kernel, or for want of memory here. */
uint64_t accounts_lost(const struct accounts *a, const struct probe *probe);

uint64_t accounts_received(const struct accounts *a);

/* Whether every event that a hook saw is accounted for and what was sent has arrived. Valid when nothing is on its way. */
bool accounts_balance(const struct accounts *a, const struct wire_counters counters[EVENT_COUNT]);

/*
 * Once a second. True, once, when the accounts do not balance although nothing has been on its way for several readings;
 * they are logged then.
 */
bool accounts_are_broken(struct accounts *a, const struct probe *probe, bool queue_is_full);

/* One line for each event that was seen. */
void accounts_log(const struct accounts *a, const struct wire_counters counters[EVENT_COUNT]);

/* What the kernel left out, one line for each hook. */
void accounts_log_missed(const struct probe *probe);

void accounts_log_matching(const struct detector_counters *counters);
void accounts_log_enrichment(const struct enricher_stats *stats);

#endif
