/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers `kunai status` and `kunai stop` over a socket in the run directory, for root only, and, if wanted, HTTP requests for metrics on the
 * loopback. Each has a thread; what they tell is a copy that the pipeline gives once a second.
 */
#ifndef KUNAI_CMD_STATUS_SERVER_H
#define KUNAI_CMD_STATUS_SERVER_H

#include "cmd/status.h"
#include "cmd/stopper.h"

struct status_server;

/*
 * stopper decides about requests to stop, and outlives the server. metrics: as in the configuration, or NULL. Signals must be blocked. What cannot be had is logged, and the sensor runs
 * without: NULL only when memory is short.
 */
struct status_server *status_server_open(const char *metrics, struct stopper *stopper);
void status_server_close(struct status_server *s);

/* Completes what it is given (rates, memory, pid) and keeps a copy. now: boot time in ns. */
void status_server_publish(struct status_server *s, const struct status *status, uint64_t now);

#endif
