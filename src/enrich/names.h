/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Paths that only user memory named: looked up as soon as their record is read, so that links and ".." are resolved as
 * they were for the call. The lookup owns its text.
 */
#ifndef KUNAI_ENRICH_NAMES_H
#define KUNAI_ENRICH_NAMES_H

#include "enrich/mount_ns.h"
#include "event/event.h"

enum {
	NAMES_BYTES_MAX =
		16 << 20, /* all lookups that wait for their events; one more is not made: unverified */
	NAMES_DIRECTORIES_MAX = 8, /* held open in one reading of the rings */
};

/* A directory that names started from or lay in: the next event is often about the same one. */
struct name_directory {
	uint64_t mnt_ns;
	char *path; /* NULL: none */
	int fd;
	bool linked; /* links were on the way */
};

struct names {
	uint64_t bytes; /* of lookups that wait */
	uint32_t next;  /* directory to be replaced */
	struct name_directory directories[NAMES_DIRECTORIES_MAX];
};

struct name_lookup {
	char *path;    /* NULL: the event's own text is right, or nothing better is known */
	bool verified; /* it is right */
	uint32_t mode; /* of the file there; 0 unknown */
};

enum {
	NAME_FOLLOW = 1, /* the call followed a link at the end: truncate(2) */
	NAME_MODE = 2,   /* ask what is there now */
};

/* path is a path of the event with PATH_USER. Never waits for a disk where the kernel can avoid it. */
void name_look_up(struct mount_ns_table *t, struct names *names, const struct event *event,
		  const struct path *path, int how, struct name_lookup *ret);
void name_lookup_drop(struct names *names, struct name_lookup *lookup);

/* Closes the directories: what is read later is looked up anew. */
void names_forget(struct names *names);

/* Puts what was found into the event; false when it stays unverified. */
bool name_apply(const struct event *event, const struct name_lookup *lookup, struct path *path);

#endif
