/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What install and uninstall share: questions, directories, files that are there as a whole or not at all. */
#ifndef KUNAI_CMD_SETUP_H
#define KUNAI_CMD_SETUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

/* "question [y/N] ". Only y and Y are yes. Where there is no terminal nobody is asked: no. */
bool setup_ask(const char *question);

/* The directory and what is missing above it. Returns 0 or -errno. */
int setup_make_directories(const char *path, mode_t mode);
/* Those above a file. */
int setup_make_parents(const char *path, mode_t mode);

/* Each replaces the file at once. Return 0 or -errno. */
int setup_write_file(const char *path, const struct buf *text, mode_t mode);
int setup_copy_file(const char *from, const char *path, mode_t mode);

/* A directory and all below it, on one file system, never through a link. -EPERM for one that is too near to the root. */
int setup_remove_directory(const char *path);

#endif
