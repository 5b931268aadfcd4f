/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a service manager is told: sd_notify(3), over the socket that NOTIFY_SOCKET names. Without one nothing happens. The
 * environment is read once and cleared, so that no child speaks in our name.
 */
#ifndef KUNAI_CMD_NOTIFY_H
#define KUNAI_CMD_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd;                  /* -1: nobody listens */
	uint64_t watchdog_every; /* ns; 0: no watchdog */
	uint64_t watchdog_at;    /* boot time in ns of the last sign of life */
};

void notify_open(struct notify *ret);
void notify_close(struct notify *n);

void notify_ready(const struct notify *n);
void notify_stopping(const struct notify *n);

/* At least once a second; now: boot time in ns. */
void notify_tick(struct notify *n, uint64_t now);

#endif
