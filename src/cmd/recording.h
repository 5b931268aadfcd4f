/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A log of events, read one by one. What cannot be read is logged with file and line, counted, and passed over. */
#ifndef KUNAI_CMD_RECORDING_H
#define KUNAI_CMD_RECORDING_H

#include "base/arena.h"
#include "event/event.h"

struct json_stream;

struct recording {
	const char *path;
	struct json_stream *stream;
	struct arena arena;
	uint64_t bad; /* values that were passed over */
};

/* path: "-" is standard input; plain or gzip. Returns 0 or -errno. */
int recording_open(struct recording *ret, const char *path);
void recording_close(struct recording *r);

/*
 * Returns 1 with the next event and the JSON it was read from, both valid until the next call; 0 at the end; -EIO, after
 * saying so, when the file cannot be read on; -ENOMEM.
 */
int recording_next(struct recording *r, struct event *ret_event, struct str *ret_json);

#endif
