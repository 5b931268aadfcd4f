/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ways in which the last reference to a written file goes. The table is borrowed by its users. */
#ifndef KUNAI_TESTS_CLOSERS_H
#define KUNAI_TESTS_CLOSERS_H

#include "actor.h"

/* An open file and what its close will be reported as. */
struct target {
	int fd;
	const char *path;
	const char *written_by; /* NULL: nothing was written, no event is due */
	bool unseen;            /* written, but its modification time says nothing of it */
};

struct closer {
	const char *name;
	/* Drops the last reference and states it; may end the process. */
	void (*close)(struct target *target);
};

extern const struct closer closers[];
extern const int closers_count;

/* States that the caller drops the last reference. */
void closers_state(const struct target *target);

#endif
