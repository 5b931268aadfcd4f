/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files for a thread that may not open them. What reads what others wrote need not be able to do anything else: it gives up
 * its capabilities, and the thread that waits for it opens each file in its stead.
 */
#ifndef KUNAI_BASE_OPENER_H
#define KUNAI_BASE_OPENER_H

/* Calls work in a new thread of this name, and opens files for it until it returns. 0, or -errno of the thread's start. */
int opener_run(const char *name, void (*work)(void *context), void *context);

/* As open(2), closed on exec, and no terminal becomes ours. In a thread of opener_run() its caller opens. -errno. */
int opener_open(const char *path, int flags);

#endif
