/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records as the kernel side writes them, for tests. A record is plain memory; made from the wire structs, so that it
 * stays valid when fields are appended. */
#ifndef KUNAI_TESTS_RECORD_H
#define KUNAI_TESTS_RECORD_H

#include "base/str.h"
#include "schema/wire.h"

enum { RECORD_MAX = 256 * 1024 };

struct record {
	_Alignas(8) unsigned char bytes[RECORD_MAX];
};

/* A header and a fixed part of zeros. */
void record_begin(struct record *r, enum event_type type);

static inline struct wire_header *record_head(struct record *r)
{
	return (struct wire_header *)r->bytes;
}

static inline void *record_fixed(struct record *r)
{
	return r->bytes + sizeof(struct wire_header);
}

static inline size_t record_length(const struct record *r)
{
	return ((const struct wire_header *)r->bytes)->length;
}

/* Appends bytes; aborts when the record is full. */
struct slot record_put(struct record *r, const void *bytes, size_t len);

/* "/usr/bin/ls" as components, leaf first; "/" has none. The file is a regular one. */
void record_put_path(struct record *r, struct wire_path *path, struct str text);

#endif
