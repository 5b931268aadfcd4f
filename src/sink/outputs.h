/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All sinks together. They own everything but the paths and standard streams. A single standard stream is written to
 * directly, and a slow reader of it holds the writer up; in all other cases each sink has a queue and a thread.
 */
#ifndef KUNAI_SINK_OUTPUTS_H
#define KUNAI_SINK_OUTPUTS_H

#include <poll.h>

#include "sink/rotating.h"
#include "sink/stream.h"

enum { OUTPUTS_MAX = 8 };

enum output_kind { OUTPUT_STANDARD, OUTPUT_FILE, OUTPUT_SOCKET, OUTPUT_SYSLOG, OUTPUT_JOURNAL };

struct output_spec {
	enum output_kind kind;
	int standard; /* 1 or 2 */
	bool text;    /* gets the lines for people, where there are such */
	const char *path;
	struct rotating_options file; /* its path is filled from path */
};

struct sink;

struct outputs {
	struct sink *sinks[OUTPUTS_MAX];
	bool text[OUTPUTS_MAX];
	unsigned int count;
	struct stream direct; /* when direct.fd >= 0, there are no sinks */
	int cancel;           /* direct: readable when the writer is asked to end, -1 for none */
	bool abandoned;       /* everything is to end at once */
	int on_closed;        /* readable when a sink has closed */
	uint64_t unqueued;    /* lines for which there was no memory */
};

/* *ret_failed: the one that could not be opened. Signals must be blocked. Returns 0 or -errno. */
int outputs_open(struct outputs *ret, const struct output_spec *specs, unsigned int count,
		 unsigned int *ret_failed);
void outputs_close(struct outputs *o);

/* Whole lines, never empty; the same events as text for those that want it, or NULL. Never fails. */
void outputs_write(struct outputs *o, const char *lines, size_t len, const char *text, size_t text_len);

/* Some sink wants text. */
bool outputs_want_text(const struct outputs *o);

/* Waits, for some seconds at most, until everything is written or dropped. Nothing can be written after it. */
void outputs_finish(struct outputs *o);

/* Nobody reads any sink any more, or everything is to end at once. */
bool outputs_are_closed(const struct outputs *o);
void outputs_abandon(struct outputs *o);

/* What to poll for; then outputs_check(). */
struct pollfd outputs_pollfd(const struct outputs *o);
void outputs_check(struct outputs *o, short revents);

/* Files are opened again by their names. */
void outputs_reopen(struct outputs *o);

/* Lines of the sink that has lost most. */
uint64_t outputs_dropped(const struct outputs *o);

struct output_stats {
	const char *name;                   /* borrowed */
	uint64_t written, dropped, waiting; /* lines */
	int error;                          /* errno while it does not work, else 0 */
	int drop_error;                     /* errno of the last line that was dropped */
	bool closed;
	uint64_t rotations, rotation_failures;
	struct archives_stats archives; /* of files */
};

/* How many there are to ask for. */
unsigned int outputs_count(const struct outputs *o);
void outputs_read_stats(const struct outputs *o, unsigned int i, struct output_stats *ret);

#endif
