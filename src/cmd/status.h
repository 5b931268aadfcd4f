/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a running sensor tells of itself, and the three ways to write it. */
#ifndef KUNAI_CMD_STATUS_H
#define KUNAI_CMD_STATUS_H

#include "base/buf.h"
#include "detect/detect.h"
#include "schema/wire.h"
#include "sink/outputs.h"

enum { STATUS_NAME_MAX = 256 };

#define STATUS_SOCKET "status.sock" /* in the run directory */

struct status {
	uint64_t uptime; /* ns */
	int64_t pid;
	char tier[16];
	char kernel[256]; /* what was found out about it */
	uint64_t received[EVENT_COUNT];
	double rate[EVENT_COUNT]; /* received events a second, over some seconds */
	struct wire_counters counters[EVENT_COUNT];
	uint64_t printed;
	uint64_t lost; /* by the kernel side, and for want of memory */
	uint64_t missed, late;
	uint64_t resident; /* bytes */
	uint64_t processes, process_bytes, queue_bytes;
	struct ruleset_facts rules;
	uint64_t iocs;
	uint32_t slow_rules_count;
	struct {
		char name[STATUS_NAME_MAX];
		struct slow_rule cost; /* without its name, which the rule set takes with it */
	} slow_rules[SLOW_RULES_MAX];
	unsigned int outputs_count;
	struct {
		char name[STATUS_NAME_MAX];
		struct output_stats stats;
	} outputs[OUTPUTS_MAX];
};

/* For people; stale: ns since the sensor has told it. */
void status_write_text(const struct status *s, uint64_t stale, struct buf *out);
void status_write_json(const struct status *s, uint64_t stale, struct buf *out);
/* The text format of Prometheus, version 0.0.4. */
void status_write_metrics(const struct status *s, uint64_t stale, struct buf *out);

#endif
