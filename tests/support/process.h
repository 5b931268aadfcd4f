/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests ask of the process that they are. */
#ifndef KUNAI_TESTS_PROCESS_H
#define KUNAI_TESTS_PROCESS_H

#include <stdbool.h>

/* Open descriptors, and two more. */
int count_fds(void);

/* A tmpfs at a new directory, in a mount namespace of our own. False with errno; the directory is there then. */
bool mount_small(const char *path, const char *options);

/*
 * A FUSE file system, in a mount namespace of our own, whose server takes no request: whoever looks into it waits until the
 * returned descriptor is closed, and has an error then. -1 with errno: this machine has no FUSE.
 */
int mount_silent(const char *path);

#endif
