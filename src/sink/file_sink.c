/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "sink/kinds.h"

static int write_lines(void *state, const char *lines, size_t len, const struct sink_end *end,
		       struct sink_progress *progress)
{
	(void)end;
	return rotating_write(state, lines, len, &progress->done);
}

static void reopen(void *state)
{
	rotating_reopen(state);
}

static void tend(void *state)
{
	rotating_tend(state);
}

static void free_file(void *state)
{
	rotating_close(state);
	free(state);
}

const struct sink_kind file_sink = {.write = write_lines, .reopen = reopen, .tend = tend, .free = free_file};

int file_sink_new(const struct rotating_options *options, void **ret_state)
{
	struct rotating *file = malloc(sizeof(*file));
	int err = file ? rotating_open(file, options) : -ENOMEM;

	if (err) {
		free(file);
		return err;
	}
	*ret_state = file;
	return 0;
}

const struct rotating *file_sink_file(const void *state)
{
	return state;
}
