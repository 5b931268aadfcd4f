/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where lines go: a kind of sink, its state, a bounded queue and a thread that empties it. One that is behind holds up
 * nobody: what its queue has no room for is dropped and counted. A sink owns its state.
 */
#ifndef KUNAI_SINK_SINK_H
#define KUNAI_SINK_SINK_H

#include <poll.h>

#include "sink/queue.h"

enum {
	SINK_FDS_MAX = 40,
	SINK_END_MS = 3000, /* after the end is asked for, what has not been written by then is dropped */
	SINK_FINISH_MS = 1000,
	SINK_WAIT_MS = 1000, /* for a reader that is behind, between two looks */
	SINK_RETRY_MS = 500, /* between two tries of a sink that does not work */
};

/* Of one call. */
struct sink_progress {
	size_t done;      /* bytes that are done for, up to the end of a line */
	uint64_t dropped; /* lines among them that will never be written */
};

struct sink_end {
	int cancel; /* readable when it has been asked for */
	_Atomic bool asked;
	_Atomic uint64_t deadline; /* monotonic ms, once it has been asked for */
};

struct sink_kind {
	/*
	 * Writes whole lines. 0: all is done for. -EPIPE: nobody will ever read more. Another -errno: the rest may be tried
	 * again in a while. May wait, but not beyond the end.
	 */
	int (*write)(void *state, const char *lines, size_t len, const struct sink_end *end,
		     struct sink_progress *progress);
	/* What to wait for beside lines, and what then. Both or none. -EPIPE as above. */
	unsigned int (*fds)(void *state, struct pollfd *ret, unsigned int max);
	int (*serve)(void *state, const struct pollfd *fds, unsigned int count);
	/* The last call, or NULL: waits for slow readers, timeout_ms at most. Returns the lines that some did not get. */
	uint64_t (*finish)(void *state, int timeout_ms);
	/* The file is to be opened again: from any thread, and then in the sink's, without a line to write. Or both NULL. */
	void (*reopen)(void *state);
	void (*tend)(void *state);
	void (*free)(void *state);
};

struct sink {
	const struct sink_kind *kind;
	void *state;
	char *name; /* for people */
	struct queue queue;
	pthread_t thread;
	bool begun;
	struct sink_end end;
	int on_closed;            /* borrowed: written to when the sink closes */
	_Atomic bool closed;      /* nobody will read more */
	_Atomic uint64_t in_hand; /* lines that have left the queue, and are not done for */
	_Atomic uint64_t written; /* lines */
	_Atomic uint64_t dropped; /* lines */
	_Atomic int error;        /* errno of the last try, 0 when it went well */
	_Atomic int drop_error;   /* errno of the last line that was dropped */
};

/* Takes the state over, also on failure; name is copied. Signals must be blocked. Returns 0 or -errno. */
int sink_start(const struct sink_kind *kind, void *state, const char *name, int on_closed, struct sink **ret);

/* For kinds: waits, not for ever, until fd may take more. -ECANCELED: it did not, and there is no time left. Or -errno. */
int sink_wait_writable(const struct sink_end *end, int fd);

/* Never waits. */
void sink_put(struct sink *s, struct chunk *c);

/* Asks for the end: what is in the queue is still written, for SINK_END_MS. now: do not even try. */
void sink_end(struct sink *s, bool now);
/* Waits for it. The counters stay. */
void sink_join(struct sink *s);
void sink_free(struct sink *s);

#endif
