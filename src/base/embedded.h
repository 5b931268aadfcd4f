/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that the build packs into the program: src/embed.py. Those that are needed once are compressed, because the event
 * `start` has four digests of the whole program.
 */
#ifndef KUNAI_BASE_EMBEDDED_H
#define KUNAI_BASE_EMBEDDED_H

#include <stddef.h>

/* A symbol that embed.py was given; if it was packed, as an argument of embedded_unpack(). */
#define EMBEDDED(symbol)      extern const unsigned char symbol##_start[], symbol##_end[]
#define EMBEDDED_FILE(symbol) symbol##_start, (size_t)(symbol##_end - symbol##_start)

/* The file's bytes, to be freed. */
int embedded_unpack(const unsigned char *packed, size_t packed_size, unsigned char **ret_bytes,
		    size_t *ret_size);

#endif
