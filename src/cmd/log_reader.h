/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines of an output file and of what was rotated before it, oldest first. Owns what it has open. */
#ifndef KUNAI_CMD_LOG_READER_H
#define KUNAI_CMD_LOG_READER_H

#include <stdint.h>

#include "base/buf.h"
#include "sink/archives.h"

enum { LOG_LINE_MAX = 16 << 20 }; /* bytes; a longer one is passed over */

/* A line without its newline and the NUL bytes that unclean stops leave around it; never empty. False: no more, please. */
typedef bool (*log_line_fn)(void *context, struct str line);

struct log_reader {
	const char *path; /* borrowed */
	log_line_fn line;
	void *context;
	bool done;           /* the callback wants no more */
	uint64_t since;      /* ns since the epoch: archives that are older are not read */
	uint64_t last_index; /* the newest archive there was when the file was opened */
	uint64_t unreadable; /* archives of which not everything was read */
	uint64_t too_long;   /* lines */
	int fd;              /* the file */
	struct buf partial;  /* of a line */
	bool skipping;       /* the rest of a line that is too long */
};

/* Returns 0; -EINVAL when path is no regular file; or -errno. */
int log_reader_open(struct log_reader *ret, const char *path, uint64_t since, log_line_fn line,
		    void *context);
void log_reader_close(struct log_reader *r);

/* All there is now. Returns 0 or -errno. */
int log_reader_read(struct log_reader *r);

/* What has come since, through rotations. Returns the number of bytes that were read, or -errno. */
int64_t log_reader_follow(struct log_reader *r);

#endif
