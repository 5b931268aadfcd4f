/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The field lists of schema/ as C: one struct an object, and a table of its fields for whoever works by name or in
 * JSON's order. All tables are constant.
 */
#ifndef KUNAI_EVENT_SCHEMA_H
#define KUNAI_EVENT_SCHEMA_H

#include "base/str.h"
#include "event/catalogue.h"
#include "schema/wire.h"

/* A path from the kernel: text is what is shown, raw what is opened (they differ where raw is not UTF-8). */
struct path {
	struct str text;
	struct str raw;
	const struct wire_path *wire; /* NULL when there is no such file */
};

/* The C type of each kind of field. */
typedef struct str kind_STR;
typedef struct str kind_STR_OR_NULL; /* p == NULL is null */
typedef struct str kind_OPT_STR;     /* p == NULL: no key */
typedef struct strv kind_STRV;
typedef struct strv kind_OPT_STRV; /* n == 0: no key */
typedef uint64_t kind_U64;
typedef uint64_t kind_OPT_U64;     /* 0: no key */
typedef uint64_t kind_OPT_ID;      /* the number and 1; 0: no key */
typedef uint64_t kind_OPT_I32;     /* 1 << 32 and the number's bits; 0: no key */
typedef uint64_t kind_U64_OR_NULL; /* 0 is null */
typedef uint64_t kind_HEX;
typedef uint64_t kind_TIME; /* ns since the epoch */
typedef uint32_t kind_U32;
typedef int32_t kind_I32;
typedef bool kind_BOOL;
typedef bool kind_MARK; /* false: no key */
typedef float kind_F32;
typedef double kind_F64;
typedef struct path kind_PATH;
typedef struct {
	uint8_t bytes[16];
} kind_UUID;

enum field_kind {
	KIND_STR,
	KIND_STR_OR_NULL,
	KIND_OPT_STR,
	KIND_STRV,
	KIND_OPT_STRV,
	KIND_U64,
	KIND_OPT_U64,
	KIND_OPT_ID,
	KIND_OPT_I32,
	KIND_U64_OR_NULL,
	KIND_HEX,
	KIND_TIME,
	KIND_U32,
	KIND_I32,
	KIND_BOOL,
	KIND_MARK,
	KIND_F32,
	KIND_F64,
	KIND_PATH,
	KIND_UUID,
	KIND_OBJECT,         /* embedded */
	KIND_OPTIONAL,       /* a pointer; NULL: no key */
	KIND_OBJECT_OR_NULL, /* a pointer; NULL is null */
};

#define KERNEL(name, kind, doc)         kind_##kind name;
#define KERNEL_EXTRA(name, kind, doc)   kind_##kind name;
#define FIELD(name, kind, doc)          kind_##kind name;
#define EXTRA(name, kind, doc)          kind_##kind name;
#define OBJECT(name, type, doc)         struct obj_##type name;
#define OPTIONAL(name, type, doc)       const struct obj_##type *name;
#define EXTRA_OBJECT(name, type, doc)   const struct obj_##type *name;
#define OBJECT_OR_NULL(name, type, doc) const struct obj_##type *name;

#define TYPE(type) struct obj_##type {
#define END(type) \
	}         \
	;
#include "schema/types.def"

struct data_common {
	struct str ancestors;
	struct str command_line;
	struct obj_image exe;
};

#define COMMON           struct data_common common;
#define DATA(event, doc) struct data_##event {
#include "schema/fields.def"
#include "schema/undef.h"

union event_data {
#define DATA(event, doc) struct data_##event event;
#include "schema/fields.def"
#include "schema/undef.h"
};

struct object;

struct field {
	const char *name; /* NULL ends a list */
	enum field_kind kind;
	bool extra; /* not in Kunai */
	uint16_t offset;
	const struct object *(*object)(void); /* of the kinds that hold one */
	const char *doc;
};

struct object {
	const struct field *fields;
	const char *doc;
	uint16_t size; /* bytes of its C struct */
};

/* What the kernel sends for an event. */
enum wire_kind { WIRE_NUMBER, WIRE_BYTES, WIRE_PATH, WIRE_SOCK, WIRE_TASK };

struct wire_field {
	const char *name; /* NULL ends a list */
	enum wire_kind kind;
	uint16_t offset;
	/* where it is printed as it is */
	bool printed;
	enum field_kind field_kind;
	uint16_t field_offset;
};

struct event_schema {
	const struct object *(*data)(void); /* NULL: not made by this version */
	const struct wire_field *(*wire)(void);
	uint16_t wire_size;
	bool has_common;
	const char *doc;
};

extern const struct event_schema event_schemas[EVENT_COUNT];

/* The objects behind "info", "detection" and "filter". */
const struct object *object_info(void);
const struct object *object_detection(void);
const struct object *object_filtering(void);

#endif
