/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stream of lines, to a pipe, a terminal or a file. A stream owns its descriptor unless that is a standard one. */
#ifndef KUNAI_SINK_STREAM_H
#define KUNAI_SINK_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream {
	int fd;
	int cancel; /* readable when the writer is asked to end, -1 for none: a stuck reader is not waited for then */
	bool owned;
	bool waits;        /* may block: a pipe, a terminal */
	bool closed;       /* a pipe whose reader has gone */
	uint64_t written;  /* lines */
	uint64_t dropped;  /* lines that could not be written */
	int last_error;    /* errno of the last drop */
	bool partial_line; /* the last write stopped within a line */
};

/* standard: 1 stdout, 2 stderr, otherwise the file at path, created with mode 0600. Returns 0 or -errno. */
int stream_open(struct stream *ret, int standard, const char *path);
void stream_close(struct stream *s);

/* Writes whole lines, waiting for a slow reader. What cannot be written is dropped and counted; never fails. */
void stream_write(struct stream *s, const char *lines, size_t len);

#endif
