/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An output file that is begun anew when it is large or old; see archives.h for what becomes of the old ones. It belongs to
 * one thread, but for the request to reopen it and the counters. Every line is in exactly one file, and whole.
 */
#ifndef KUNAI_SINK_ROTATING_H
#define KUNAI_SINK_ROTATING_H

#include "sink/archives.h"

struct rotating_options {
	const char *path;      /* copied */
	uint64_t rotate_size;  /* bytes; 0: never */
	uint64_t max_age;      /* ns; 0: never */
	uint64_t max_total;    /* bytes of the file and its archives; 0: no limit */
	uint64_t (*now)(void); /* ns since the epoch; NULL: the system's clock */
};

struct rotating {
	struct rotating_options options;
	char *path; /* without symbolic links */
	int fd;     /* -1: to be opened */
	uint64_t size;
	uint64_t born;       /* ns since the epoch */
	uint64_t checked;    /* when its name was looked up last */
	uint64_t retry;      /* a rotation that failed is not tried before */
	bool moved;          /* then, its name was another file's */
	bool partial_line;   /* a cut line could not be taken back */
	_Atomic bool reopen; /* wanted */
	_Atomic uint64_t rotations, rotation_failures;
	struct archives *archives;
};

/* The file is made with mode 0600, and its directory if need be. Returns 0 or -errno. */
int rotating_open(struct rotating *ret, const struct rotating_options *options);
void rotating_close(struct rotating *r);

/*
 * Writes whole lines. 0, or -errno: then *ret_done bytes, which end a line, are written, and the rest can be tried again.
 */
int rotating_write(struct rotating *r, const char *lines, size_t len, size_t *ret_done);

/* The file is to be opened again by its name: by rotating_tend(), or before the next line. From any thread. */
void rotating_reopen(struct rotating *r);

/* Opens it again if that was asked for. What fails is tried again, and told, with the next line. */
void rotating_tend(struct rotating *r);

#endif
