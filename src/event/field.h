/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields by the paths that rules use, ".data.exe.path", read from an event without JSON. Values borrow the event. */
#ifndef KUNAI_EVENT_FIELD_H
#define KUNAI_EVENT_FIELD_H

#include "event/event.h"

enum {
	FIELD_HOPS_MAX = 4,   /* objects behind pointers on the way to a field */
	FIELD_DEPTH_MAX = 16, /* segments of a path */
	FIELD_TEXT_SIZE = 36, /* bytes of a value that exists as text only when it is asked for: a UUID */
	FIELD_PATH_MAX = 256, /* bytes of a path */
};

enum value_kind {
	VALUE_NONE, /* null, or a key that is left out */
	VALUE_SOME, /* an object */
	VALUE_BOOL,
	VALUE_UINT,
	VALUE_INT, /* negative */
	VALUE_FLOAT,
	VALUE_STR,
	VALUE_STRV,
};

struct value {
	enum value_kind kind;
	union {
		bool b;
		uint64_t u;
		int64_t i;
		double f;
		struct str s;
		struct strv v;
	};
};

/* Where a field of one type of event is. */
struct field_ref {
	uint16_t offset[FIELD_HOPS_MAX + 1]; /* in struct event, then in the object behind each pointer */
	uint8_t hops;
	enum field_kind kind;
};

/*
 * The field that segments name ("data", "exe", "path"). `ty` is another spelling of `type`, as in Kunai's rules.
 * Returns 0, or -ENOENT when events of the type have no such field.
 */
int field_find(enum event_type type, const struct str *segments, uint32_t count, struct field_ref *ret);

/* text holds a value that had to be written for the purpose. */
struct value field_get(const struct event *e, const struct field_ref *ref, char text[FIELD_TEXT_SIZE]);

/* A set of the kinds of value that a field can have: bits 1 << VALUE_*. */
uint32_t field_value_kinds(const struct field_ref *ref);

/* Calls visit for the path of every field of a type, its objects included. The path is valid during the call. */
void field_each(enum event_type type, void (*visit)(void *context, struct str path), void *context);

#endif
