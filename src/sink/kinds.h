/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kinds of sink. Each ..._new() makes a state for its kind, which owns it: 0 or -errno. */
#ifndef KUNAI_SINK_KINDS_H
#define KUNAI_SINK_KINDS_H

#include "sink/rotating.h"
#include "sink/sink.h"

/* A regular file, see rotating.h. */
extern const struct sink_kind file_sink;
int file_sink_new(const struct rotating_options *options, void **ret_state);
const struct rotating *file_sink_file(const void *state);

/* A standard stream (1 or 2), or what is no regular file: see stream.h. */
extern const struct sink_kind stream_sink;
int stream_sink_new(int standard, const char *path, void **ret_state);

enum {
	SOCKET_CLIENTS_MAX = 32,
	SOCKET_BACKLOG_MAX = 4 << 20, /* bytes that wait for a client; what comes then it does not get */
};

/*
 * A stream socket in the file system with mode 0600 that gives every line to each client that is root or our user. A
 * socket that nobody listens at is replaced, anything else is -EADDRINUSE.
 */
extern const struct sink_kind socket_sink;
int socket_sink_new(const char *path, void **ret_state);

/* RFC 5424 to a local socket, datagrams or, where that is one, a stream. It need not be there yet. */
extern const struct sink_kind syslog_sink;
int syslog_sink_new(const char *path, void **ret_state);

/* The journal's native protocol: a datagram a line, in a sealed memory file when it is large. */
extern const struct sink_kind journal_sink;
int journal_sink_new(const char *path, void **ret_state);

#endif
