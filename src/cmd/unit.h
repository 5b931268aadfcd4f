/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The systemd unit, and the program that manages units. */
#ifndef KUNAI_CMD_UNIT_H
#define KUNAI_CMD_UNIT_H

#include <stdbool.h>

#include "base/buf.h"

#define UNIT_DEFAULT_PATH "/lib/systemd/system/00-kunai.service"

struct unit_options {
	const char *binary;
	const char *config;
	bool harden;
};

/* Returns 0, or -EINVAL for a path that no unit file can hold. */
int unit_write(const struct unit_options *options, struct buf *out);

/* Whether systemd manages this system, as sd_booted(3) asks; not so in a chroot, where an image is made. */
bool unit_manager_runs(void);

/*
 * Runs `systemctl VERB [UNIT]` without a shell; path: of the unit file, or NULL. Returns 0; -EIO when it fails, after it
 * has said why; or -errno when there is none.
 */
int unit_control(const char *verb, const char *path);

#endif
