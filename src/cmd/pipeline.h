/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe -> reorder -> decode -> enrich -> json -> sink: the only place that knows the order of the stages. */
#ifndef KUNAI_CMD_PIPELINE_H
#define KUNAI_CMD_PIPELINE_H

#include <sys/types.h>

#include "config/config.h"
#include "cmd/reloader.h"
#include "sink/outputs.h"

enum { SENSOR_HELPERS = 2 };

/* What of this process and its children the hardened mode guards. Borrowed. */
struct sensor {
	const char *config_file;       /* or NULL */
	pid_t helpers[SENSOR_HELPERS]; /* 0: none */
};

/*
 * Loads, attaches, prints the start event, and runs until SIGINT or SIGTERM, which must be blocked in every thread, or
 * until the reader of the last sink has gone. SIGHUP, which must be blocked too, loads the rules anew. Reloader, prog_reader_fd (of
 * probe/prog_reader.h, or -1: no digests of BPF programs) and outputs stay the caller's. Returns 0, or -errno with what a
 * person can do in ret_message.
 */
int pipeline_run(const struct config *config, struct reloader *reloader, int prog_reader_fd,
		 const struct sensor *sensor, struct outputs *outputs, struct buf *ret_message);

#endif
