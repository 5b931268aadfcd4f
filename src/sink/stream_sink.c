/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "sink/kinds.h"
#include "sink/stream.h"

static int write_lines(void *state, const char *lines, size_t len, const struct sink_end *end,
		       struct sink_progress *progress)
{
	struct stream *stream = state;
	uint64_t dropped = stream->dropped;

	stream->cancel = end->cancel;
	stream_write(stream, lines, len);
	progress->done = len;
	progress->dropped = stream->dropped - dropped;
	return stream->closed ? -EPIPE : 0;
}

/* The kernel tells of a pipe's lost reader unasked. */
static unsigned int list_fds(void *state, struct pollfd *ret, unsigned int max)
{
	const struct stream *stream = state;

	(void)max;
	ret[0] = (struct pollfd){.fd = stream->fd};
	return 1;
}

static int serve(void *state, const struct pollfd *fds, unsigned int count)
{
	(void)state, (void)count;
	return fds[0].revents & (POLLERR | POLLHUP | POLLNVAL) ? -EPIPE : 0;
}

static void free_stream(void *state)
{
	stream_close(state);
	free(state);
}

const struct sink_kind stream_sink = {
	.write = write_lines, .fds = list_fds, .serve = serve, .free = free_stream};

int stream_sink_new(int standard, const char *path, void **ret_state)
{
	struct stream *stream = malloc(sizeof(*stream));
	int err = stream ? stream_open(stream, standard, path) : -ENOMEM;

	if (err) {
		free(stream);
		return err;
	}
	*ret_state = stream;
	return 0;
}
