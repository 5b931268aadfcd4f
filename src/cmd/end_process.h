/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of one process, and of no other that has got its number meanwhile. */
#ifndef KUNAI_CMD_END_PROCESS_H
#define KUNAI_CMD_END_PROCESS_H

#include <stdint.h>

/* Sends SIGKILL. start_ns: since boot, as the kernel's records have it. -ESRCH when it has ended, even if its number lives. */
int end_process(int tgid, uint64_t start_ns);

#endif
