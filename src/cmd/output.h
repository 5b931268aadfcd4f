/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sinks that the configuration names, and what is said of those that do not work. */
#ifndef KUNAI_CMD_OUTPUT_H
#define KUNAI_CMD_OUTPUT_H

#include "config/config.h"
#include "sink/outputs.h"

/* text: standard streams get lines for people. Returns EXIT_SUCCESS, or another exit status after saying why. */
int output_open(const struct config *config, bool text, struct outputs *ret);

/* What has been said. All zero is nothing. */
struct output_watch {
	struct {
		uint64_t told_at; /* boot time in ns */
		uint64_t dropped;
		bool broken;
	} of[OUTPUTS_MAX];
};

/* Once a second; tells of each sink at most once a minute, and when it works again. now: boot time in ns. */
void output_watch(struct output_watch *w, const struct outputs *outputs, uint64_t now);

/* At the end: what each sink did not take. */
void output_tell_end(const struct outputs *outputs);

/* A sink holds lines that it cannot write: what is said to its reader now is lost, too. */
bool output_is_stuck(const struct outputs *outputs);

#endif
