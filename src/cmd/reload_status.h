/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the sensor tells `kunai reload` what became of it: a small file beside the pid file, replaced as a whole. Reloads have
 * numbers; one that begins after a number was read has a greater one, and sees every file as it was then or later.
 */
#ifndef KUNAI_CMD_RELOAD_STATUS_H
#define KUNAI_CMD_RELOAD_STATUS_H

#include "base/buf.h"

enum { RELOAD_STATUS_MAX = 64 << 10 }; /* bytes; what is told beyond them is left out */

struct reload_status {
	uint64_t begun;    /* how many reloads began */
	uint64_t finished; /* how many ended */
	bool failed;       /* the last one: the old rules stay */
	struct buf text;   /* what is to be told of it, in lines */
};

/* Return 0 or -errno. */
int reload_status_write(const struct reload_status *status);
int reload_status_read(struct reload_status *ret);
void reload_status_fini(struct reload_status *status);
void reload_status_remove(void);

#endif
