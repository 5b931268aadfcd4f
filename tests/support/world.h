/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An enricher that sees a small made-up machine instead of this one: a directory of the shape of /proc with two mount
 * namespaces, their /etc/passwd and some files. The world owns the enricher and the directory. Where a real
 * enricher takes random numbers it has fixed ones.
 */
#ifndef KUNAI_TESTS_WORLD_H
#define KUNAI_TESTS_WORLD_H

#include "enrich/enricher.h"

/* Inode numbers that no kernel gives to a namespace: they begin at 0xf0000000. */
enum { WORLD_HOST_NS = 100, WORLD_BOX_NS = 200, WORLD_BOX_PID = 200 };

struct world {
	char dir[64];
	struct enricher *enricher;
};

/* Aborts when it cannot. The namespace of the host holds pid 1, the other one WORLD_BOX_PID. */
void world_init(struct world *w);
void world_fini(struct world *w);

/* Forgets all processes, names and namespaces, which is much cheaper than a new enricher; hashes stay. */
void world_clear(struct world *w);

/* The uuids of the next events count up from here. */
void world_set_random(struct world *w, uint32_t seed);

/* Which process the sensor itself is. */
void world_set_self(struct world *w, uint32_t tgid);

/* What the kernel would tell of a file of the host: inode, size, mtime and ctime. */
void world_stat(const struct world *w, const char *path, struct wire_path *ret);

#endif
