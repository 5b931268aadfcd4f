/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A log as a stream of JSON texts: lines, or objects laid out over several lines, plain or compressed by gzip. */
#ifndef KUNAI_JSON_STREAM_H
#define KUNAI_JSON_STREAM_H

#include "base/buf.h"

enum { JSON_TEXT_MAX = 16 << 20 }; /* bytes of one value; a longer one is passed over */

struct json_stream;

/* One value, or what stands in its place. Borrowed until the next call. */
struct json_text {
	struct str text;
	uint64_t line; /* where it begins, from 1 */
	bool broken;   /* no object: text that belongs to none, or one that never ends */
};

/* path: "-" is standard input. Takes ownership of nothing. -errno as open(2). */
int json_stream_open(const char *path, struct json_stream **ret);
void json_stream_close(struct json_stream *s);

/*
 * Returns 1 with the next value, 0 at the end, -EIO when the file cannot be read on (a damaged gzip file), -ENOMEM.
 * After something broken the next value is looked for at the beginning of a line.
 */
int json_stream_next(struct json_stream *s, struct json_text *ret);

/* Bytes read so far, after decompression. */
uint64_t json_stream_bytes(const struct json_stream *s);

#endif
