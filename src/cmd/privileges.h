/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the sensor may do, and what it gives up. Nothing of it comes back for as long as the process lives. */
#ifndef KUNAI_CMD_PRIVILEGES_H
#define KUNAI_CMD_PRIVILEGES_H

#include "base/buf.h"

/* Their names as systemd writes them, separated by blanks. */
void privileges_add_names(struct buf *out);

/* Those that are not among the effective ones, separated by blanks; a set as in /proc/PID/status. */
void privileges_add_missing(uint64_t effective, struct buf *out);

/* Whether the sensor starts with these: BPF programs can be loaded, and all processes looked at. */
bool privileges_suffice(uint64_t effective);

/* Keeps these capabilities only, for all that this process will start, too. Before there are threads. 0 or -errno. */
int privileges_drop(void);

/*
 * From now on every thread makes the system calls that a sensor which has started needs, and no others: not to execute
 * programs, to trace processes, to load BPF programs and modules, to mount, to set the clock. What is refused fails with
 * ENOSYS, and the kernel logs it. 0 or -errno.
 */
int privileges_filter(void);

#endif
