/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the threads that read files and the engine that matches their contents say to each other. Plain values; findings
 * own their names until findings_fini().
 */
#ifndef KUNAI_EVENT_CONTENT_SCAN_H
#define KUNAI_EVENT_CONTENT_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"

enum { FINDINGS_ERROR_SIZE = 160 }; /* with NUL */

/* A file, or its beginning. All is borrowed. */
struct content {
	const void *bytes;
	size_t len;
	const char *path;
	const char *magic;
	uint32_t owner; /* user id */
	uint32_t timeout_s;
};

struct findings {
	char *names; /* of the rules, each ended by NUL */
	size_t size; /* of all names */
	uint32_t count;
	bool timed_out;
	char error[FINDINGS_ERROR_SIZE]; /* "" for none */
};

static inline void findings_fini(struct findings *f)
{
	free(f->names);
	*f = (struct findings){0};
}

/* Rules are shared by references that any thread may take; a matcher is one thread's. */
struct content_engine {
	void *(*share)(void *rules);
	void (*release)(void *rules);
	void *(*matcher_new)(void *rules); /* NULL with errno */
	void (*matcher_free)(void *matcher);
	/* Whatever happens is in the findings, whose error may be set before: then a new one replaces it. */
	void (*match)(void *matcher, const struct content *content, struct findings *ret);
};

#endif
