/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the kernel still calls the sensor's programs. The sensor makes something happen that programs of process life must see,
 * and their counters must have moved when it looks again. That what they send arrives is the accounts' part.
 *
 * It is counted in looks, not in time: a sensor that was stopped, or a machine that was suspended, did not look meanwhile.
 */
#ifndef KUNAI_CMD_HEARTBEAT_H
#define KUNAI_CMD_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	HEARTBEAT_SIGNS = 2,  /* counters that must all move */
	HEARTBEAT_EVERY = 2,  /* seconds between two looks */
	HEARTBEAT_SILENT = 3, /* looks without a sign in a row: then it is said */
};

/* Zeroed at first. */
struct heartbeat {
	uint64_t signs[HEARTBEAT_SIGNS]; /* at the last look */
	unsigned int ticks;
	unsigned int silent; /* looks in a row */
	bool begun;
};

enum heartbeat_news { HEARTBEAT_NO_NEWS, HEARTBEAT_STOPPED, HEARTBEAT_BACK };

/* Call it once a second: whether to look now. */
bool heartbeat_is_due(struct heartbeat *h);

/* A look. The first one has nothing to compare with. */
enum heartbeat_news heartbeat_look(struct heartbeat *h, const uint64_t signs[HEARTBEAT_SIGNS]);

#endif
