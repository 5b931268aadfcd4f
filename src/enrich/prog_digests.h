/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digests of loaded BPF programs, from a helper behind a socket. All functions are for one thread; it owns the asker and
 * its tickets. What the helper does not answer in time is unknown: nothing waits for ever.
 */
#ifndef KUNAI_ENRICH_PROG_DIGESTS_H
#define KUNAI_ENRICH_PROG_DIGESTS_H

#include <stdbool.h>

#include "event/prog_message.h"

enum { PROG_TICKETS_MAX = 256 }; /* requests without answer; more are refused */

/* An answer is given up after as long as this. */
#define PROG_PATIENCE_NS UINT64_C(2000000000)

struct prog_ticket {
	bool used;
	bool done;
	uint64_t asked_at; /* boot time, ns */
	struct prog_reply reply;
};

struct prog_asker {
	int fd; /* -1: there is no helper */
	uint64_t sequence;
	uint64_t refused; /* requests: too many, or no helper */
	uint64_t unknown; /* programs that were gone, or for which the helper had no answer */
	struct prog_ticket tickets[PROG_TICKETS_MAX];
};

/* The descriptor stays the caller's; -1 for none. */
void prog_asker_init(struct prog_asker *a, int fd);

/* NULL when it is refused. now: boot time in ns. */
struct prog_ticket *prog_asker_ask(struct prog_asker *a, uint32_t id, uint64_t tag, uint64_t now);

/* Takes in what the helper has answered, and gives up what is older than PROG_PATIENCE_NS. */
void prog_asker_collect(struct prog_asker *a, uint64_t now);

static inline void prog_ticket_drop(struct prog_ticket *t)
{
	t->used = false;
}

#endif
