/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where lines go: bytes in, whole lines out. A sink owns its descriptor unless it is a standard stream. */
#ifndef KUNAI_SINK_SINK_H
#define KUNAI_SINK_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink {
	int fd;
	int cancel; /* readable when the writer is asked to end, -1 for none: a stuck reader is not waited for then */
	bool owned;
	bool waits;        /* may block: a pipe, a terminal */
	bool closed;       /* a pipe whose reader has gone */
	uint64_t dropped;  /* lines that could not be written */
	int last_error;    /* errno of the last drop */
	bool partial_line; /* the last write stopped within a line */
};

/* standard: 1 stdout, 2 stderr, otherwise the file at path, created with mode 0600. Returns 0 or -errno. */
int sink_open(struct sink *ret, int standard, const char *path);
void sink_close(struct sink *s);

/* Writes whole lines, waiting for a slow reader. What cannot be written is dropped and counted; never fails. */
void sink_write(struct sink *s, const char *lines, size_t len);

#endif
