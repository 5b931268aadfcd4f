/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where an output's file or socket is to be. */
#ifndef KUNAI_SINK_DIRECTORY_H
#define KUNAI_SINK_DIRECTORY_H

/* Makes the last directory of the path, for the owner only, as Kunai does. Returns 0 or -errno. */
int directory_make(const char *path);

#endif
