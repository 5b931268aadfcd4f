/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/schema.h"

#include <stddef.h>

/* One function a list, so that the rows can name their own struct `self`. */
#define ROW(name_, kind_, extra_, object_, doc_) \
	{.name = #name_,                         \
	 .kind = kind_,                          \
	 .extra = extra_,                        \
	 .offset = offsetof(self, name_),        \
	 .object = object_,                      \
	 .doc = doc_},

#define KERNEL(name, kind, doc)         ROW(name, KIND_##kind, false, NULL, doc)
#define KERNEL_EXTRA(name, kind, doc)   ROW(name, KIND_##kind, true, NULL, doc)
#define FIELD(name, kind, doc)          ROW(name, KIND_##kind, false, NULL, doc)
#define EXTRA(name, kind, doc)          ROW(name, KIND_##kind, true, NULL, doc)
#define OBJECT(name, type, doc)         ROW(name, KIND_OBJECT, false, object_##type, doc)
#define OPTIONAL(name, type, doc)       ROW(name, KIND_OPTIONAL, false, object_##type, doc)
#define EXTRA_OBJECT(name, type, doc)   ROW(name, KIND_OPTIONAL, true, object_##type, doc)
#define OBJECT_OR_NULL(name, type, doc) ROW(name, KIND_OBJECT_OR_NULL, false, object_##type, doc)
#define TYPE(type)                                \
	const struct object *object_##type(void); \
	const struct object *object_##type(void)  \
	{                                         \
		typedef struct obj_##type self;   \
		static const struct field fields[] = {
#define END(type)                                                         \
	{                                                                 \
	}                                                                 \
	}                                                                 \
	;                                                                 \
	static const struct object object = {fields, NULL, sizeof(self)}; \
	return &object;                                                   \
	}
#include "schema/types.def"

#define COMMON_ROW(name_, kind_, object_, doc_)  \
	{.name = #name_,                         \
	 .kind = kind_,                          \
	 .offset = offsetof(self, common.name_), \
	 .object = object_,                      \
	 .doc = doc_},
#define COMMON                                                                                          \
	COMMON_ROW(ancestors, KIND_STR, NULL, "executables of the ancestors joined by |, oldest first") \
	COMMON_ROW(command_line, KIND_STR, NULL, "the process's arguments; ? if unknown")               \
	COMMON_ROW(exe, KIND_OBJECT, object_image, "the process's executable")
#define DATA(event, doc_)                                                 \
	static const struct object *data_##event(void)                    \
	{                                                                 \
		static const char doc[] = doc_;                           \
		typedef struct data_##event self __attribute__((unused)); \
		static const struct field fields[] = {
#undef END
#define END(event)                                                       \
	{                                                                \
	}                                                                \
	}                                                                \
	;                                                                \
	static const struct object object = {fields, doc, sizeof(self)}; \
	return &object;                                                  \
	}
#include "schema/fields.def"
#include "schema/undef.h"

#define WIRE_KIND_OF_U64     WIRE_NUMBER
#define WIRE_KIND_OF_U32     WIRE_NUMBER
#define WIRE_KIND_OF_HEX     WIRE_NUMBER
#define WIRE_KIND_OF_BOOL    WIRE_NUMBER
#define WIRE_KIND_OF_MARK    WIRE_NUMBER
#define WIRE_KIND_OF_OPT_U64 WIRE_NUMBER
#define WIRE_KIND_OF_OPT_I32 WIRE_NUMBER
#define WIRE_KIND_OF_BYTES   WIRE_BYTES
#define WIRE_KIND_OF_PATH    WIRE_PATH
#define WIRE_KIND_OF_SOCK    WIRE_SOCK
#define WIRE_KIND_OF_TASK    WIRE_TASK

#define WIRE(name_, kind_, doc) \
	{.name = #name_, .kind = WIRE_KIND_OF_##kind_, .offset = offsetof(wire, name_)},
#define KERNEL(name_, kind_, doc)         \
	{.name = #name_,                  \
	 .kind = WIRE_KIND_OF_##kind_,    \
	 .offset = offsetof(wire, name_), \
	 .printed = true,                 \
	 .field_kind = KIND_##kind_,      \
	 .field_offset = offsetof(self, name_)},
#define KERNEL_EXTRA KERNEL
#define DATA(event, doc)                                                  \
	static const struct wire_field *wire_fields_##event(void)         \
	{                                                                 \
		typedef struct wire_##event wire __attribute__((unused)); \
		typedef struct data_##event self __attribute__((unused)); \
		static const struct wire_field fields[] = {
#define END(event)     \
	{              \
	}              \
	}              \
	;              \
	return fields; \
	}
#include "schema/fields.def"
#include "schema/undef.h"

/* A list has the common fields when it says COMMON: counted here. */
#define COMMON .has_common = true,
#define DATA(event, doc_)                                            \
	[EVENT_##event] = {.data = data_##event,                     \
			   .wire = wire_fields_##event,              \
			   .wire_size = sizeof(struct wire_##event), \
			   .doc = doc_,
#define END(event) \
	}          \
	,

const struct event_schema event_schemas[EVENT_COUNT] = {
#include "schema/fields.def"
#include "schema/undef.h"
};
