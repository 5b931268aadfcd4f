/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A temporary directory, one a program, for tests that need files: often of the shape of /proc, beside what its processes
 * see. Whatever fails aborts. Short names, because tests are full of them.
 */
#ifndef KUNAI_TESTS_TREE_H
#define KUNAI_TESTS_TREE_H

#include <stddef.h>
#include <stdint.h>

void tree_make(void);
void tree_remove(void);

/* Removes any directory with all that is in it. */
void tree_remove_at(const char *path);

/* A path in the directory; valid until the fourth call after this one. */
const char *at(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Replaces the file. */
void write_bytes(const char *path, const char *bytes, size_t len);
void write_file(const char *path, const char *text);
void link_to(const char *path, const char *target);

/* proc/PID with the mount namespace inum and the root at(root); proc is there. A process that is there is changed. */
void add_process(uint32_t pid, uint32_t inum, const char *root);

#endif
