/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file in the run directory that says until when this sensor has watched, so that the next one can tell what lies between.
 * It is written in place: a sensor that is killed leaves what it said less than two seconds before. The struct is the
 * caller's, and holds the file open.
 */
#ifndef KUNAI_CMD_LAST_RUN_H
#define KUNAI_CMD_LAST_RUN_H

#include <stdint.h>

#define LAST_RUN_FILE "watched" /* in the run directory */

enum { LAST_RUN_TIME = 31 }; /* room for 2026-11-22T10:00:00.123456789Z */

struct last_run {
	int fd;
	char until[LAST_RUN_TIME]; /* of the run before: "" when there was none since the system started */
	const char *end;           /* how it ended: "stopped" or "killed"; NULL with no run before */
};

/* Without the file, for whatever reason, the sensor runs nevertheless: it is logged. */
void last_run_open(struct last_run *ret);
void last_run_close(struct last_run *l);

/* utc: ns since the epoch; all that happened before has been written, or counted. */
void last_run_tell(const struct last_run *l, uint64_t utc);

/* The same, in order and for the last time. */
void last_run_tell_end(const struct last_run *l, uint64_t utc);

#endif
