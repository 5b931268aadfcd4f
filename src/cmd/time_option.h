/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points of time as people write them. */
#ifndef KUNAI_CMD_TIME_OPTION_H
#define KUNAI_CMD_TIME_OPTION_H

#include "base/str.h"

/*
 * "2026-11-22T06:00:00Z" with up to nine decimals, in UTC; "2026-11-22", "2026-11-22 06:00" and "2026-11-22 06:00:00" in
 * local time, with "today", "yesterday" or nothing, for today, in place of the date; "now"; "15m", "-15m", "15m ago" or
 * "1h 30m" before now. Times are ns since the epoch. Returns 0 or -EINVAL.
 */
int time_option_parse(const char *text, uint64_t now, uint64_t *ret);

/* utc_time of an event's line, 0 when it has none. */
uint64_t time_of_line(struct str line);

#endif
