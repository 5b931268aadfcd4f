/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/field.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

static bool is_object(enum field_kind kind)
{
	return kind == KIND_OBJECT || kind == KIND_OPTIONAL || kind == KIND_OBJECT_OR_NULL;
}

static const struct field *find_in(const struct object *object, struct str name)
{
	if (str_eq(name, STR("ty")))
		name = STR("type");
	for (const struct field *f = object->fields; f->name; f++) {
		if (str_eq(str_of(f->name), name))
			return f;
	}
	return NULL;
}

/* What ".data" and ".info" are. */
static const struct object *find_root(enum event_type type, struct str name, struct field_ref *ret)
{
	*ret = (struct field_ref){.kind = KIND_OBJECT};
	if (str_eq(name, STR("info"))) {
		ret->offset[0] = offsetof(struct event, info);
		return object_info();
	}
	if (str_eq(name, STR("data")) && event_schemas[type].data) {
		ret->offset[0] = offsetof(struct event, data);
		return event_schemas[type].data();
	}
	return NULL;
}

/* True when the object that the reference is at can be entered. */
static bool enter(struct field_ref *ref)
{
	if (!is_object(ref->kind))
		return false;
	if (ref->kind == KIND_OBJECT)
		return true;
	if (ref->hops == FIELD_HOPS_MAX)
		return false;
	ref->offset[++ref->hops] = 0;
	return true;
}

int field_find(enum event_type type, const struct str *segments, uint32_t count, struct field_ref *ret)
{
	struct field_ref ref;
	const struct object *object = count ? find_root(type, segments[0], &ref) : NULL;

	if (!object)
		return -ENOENT;
	for (uint32_t i = 1; i < count; i++) {
		const struct field *f = object && enter(&ref) ? find_in(object, segments[i]) : NULL;
		if (!f)
			return -ENOENT;
		ref.offset[ref.hops] = (uint16_t)(ref.offset[ref.hops] + f->offset);
		ref.kind = f->kind;
		object = f->object ? f->object() : NULL;
	}
	*ret = ref;
	return 0;
}

static struct value value_of_str(struct str s)
{
	return s.p ? (struct value){.kind = VALUE_STR, .s = s} : (struct value){.kind = VALUE_NONE};
}

static struct value value_of_u64(uint64_t u)
{
	return (struct value){.kind = VALUE_UINT, .u = u};
}

static struct value value_of_i64(int64_t i)
{
	return i < 0 ? (struct value){.kind = VALUE_INT, .i = i} : value_of_u64((uint64_t)i);
}

static struct value value_of_f64(double f)
{
	return (struct value){.kind = VALUE_FLOAT, .f = f};
}

static struct value value_of_uuid(const kind_UUID *uuid, char text[FIELD_TEXT_SIZE])
{
	uint32_t n = 0;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[n++] = '-';
		text[n++] = "0123456789abcdef"[uuid->bytes[i] >> 4];
		text[n++] = "0123456789abcdef"[uuid->bytes[i] & 15];
	}
	return (struct value){.kind = VALUE_STR, .s = {text, n}};
}

/* A string that no path leads to is empty, not absent: only the kinds that say so are null. */
static struct value value_of_text(struct str s)
{
	return (struct value){.kind = VALUE_STR, .s = s.p ? s : STR("")};
}

static struct value value_at(const void *at, enum field_kind kind, char text[FIELD_TEXT_SIZE])
{
	const struct value none = {.kind = VALUE_NONE}, some = {.kind = VALUE_SOME};

	switch (kind) {
	case KIND_STR:
		return value_of_text(*(const struct str *)at);
	case KIND_PATH:
		return value_of_text(((const struct path *)at)->text);
	case KIND_STR_OR_NULL:
	case KIND_OPT_STR:
		return value_of_str(*(const struct str *)at);
	case KIND_STRV:
	case KIND_OPT_STRV:
		return (struct value){.kind = VALUE_STRV, .v = *(const struct strv *)at};
	case KIND_U64:
	case KIND_HEX:
		return value_of_u64(*(const uint64_t *)at);
	case KIND_OPT_U64:
	case KIND_U64_OR_NULL:
		return *(const uint64_t *)at ? value_of_u64(*(const uint64_t *)at) : none;
	case KIND_OPT_ID:
		return *(const uint64_t *)at ? value_of_u64(*(const uint64_t *)at - 1) : none;
	case KIND_OPT_I32:
		return *(const uint64_t *)at ? value_of_i64((int32_t) * (const uint64_t *)at) : none;
	case KIND_TIME:
		return value_of_u64(*(const uint64_t *)at / 1000000); /* ms, as Kunai's rules have it */
	case KIND_U32:
		return value_of_u64(*(const uint32_t *)at);
	case KIND_I32:
		return value_of_i64(*(const int32_t *)at);
	case KIND_BOOL:
		return (struct value){.kind = VALUE_BOOL, .b = *(const bool *)at};
	case KIND_MARK:
		return *(const bool *)at ? (struct value){.kind = VALUE_BOOL, .b = true} : none;
	case KIND_F32:
		return value_of_f64((double)*(const float *)at);
	case KIND_F64:
		return value_of_f64(*(const double *)at);
	case KIND_UUID:
		return value_of_uuid(at, text);
	case KIND_OBJECT:
		return some;
	case KIND_OPTIONAL:
	case KIND_OBJECT_OR_NULL:
		return *(const void *const *)at ? some : none;
	}
	return none;
}

struct value field_get(const struct event *e, const struct field_ref *ref, char text[FIELD_TEXT_SIZE])
{
	const char *at = (const char *)e + ref->offset[0];

	for (int i = 1; i <= ref->hops; i++) {
		at = *(const char *const *)at;
		if (!at)
			return (struct value){.kind = VALUE_NONE};
		at += ref->offset[i];
	}
	return value_at(at, ref->kind, text);
}

uint32_t field_value_kinds(const struct field_ref *ref)
{
	enum { NONE = 1 << VALUE_NONE, NUMBER = 1 << VALUE_UINT | 1 << VALUE_INT };
	static const uint32_t kinds[] = {
		[KIND_STR] = 1 << VALUE_STR,
		[KIND_STR_OR_NULL] = NONE | 1 << VALUE_STR,
		[KIND_OPT_STR] = NONE | 1 << VALUE_STR,
		[KIND_STRV] = 1 << VALUE_STRV,
		[KIND_OPT_STRV] = 1 << VALUE_STRV,
		[KIND_U64] = 1 << VALUE_UINT,
		[KIND_OPT_U64] = NONE | 1 << VALUE_UINT,
		[KIND_OPT_ID] = NONE | 1 << VALUE_UINT,
		[KIND_OPT_I32] = NONE | NUMBER,
		[KIND_U64_OR_NULL] = NONE | 1 << VALUE_UINT,
		[KIND_HEX] = 1 << VALUE_UINT,
		[KIND_TIME] = 1 << VALUE_UINT,
		[KIND_U32] = 1 << VALUE_UINT,
		[KIND_I32] = NUMBER,
		[KIND_BOOL] = 1 << VALUE_BOOL,
		[KIND_MARK] = NONE | 1 << VALUE_BOOL,
		[KIND_F32] = 1 << VALUE_FLOAT,
		[KIND_F64] = 1 << VALUE_FLOAT,
		[KIND_PATH] = 1 << VALUE_STR,
		[KIND_UUID] = 1 << VALUE_STR,
		[KIND_OBJECT] = 1 << VALUE_SOME,
		[KIND_OPTIONAL] = NONE | 1 << VALUE_SOME,
		[KIND_OBJECT_OR_NULL] = NONE | 1 << VALUE_SOME,
	};

	return kinds[ref->kind] | (ref->hops ? NONE : 0u);
}

struct visitor {
	void (*visit)(void *context, struct str path);
	void *context;
	char path[FIELD_PATH_MAX];
};

static void visit_object(struct visitor *v, const struct object *object, uint32_t len)
{
	for (const struct field *f = object->fields; f->name; f++) {
		int n = snprintf(v->path + len, sizeof(v->path) - len, ".%s", f->name);
		if (n < 0 || (size_t)n >= sizeof(v->path) - len)
			continue;
		v->visit(v->context, (struct str){v->path, len + (uint32_t)n});
		if (f->object)
			visit_object(v, f->object(), len + (uint32_t)n);
	}
}

void field_each(enum event_type type, void (*visit)(void *context, struct str path), void *context)
{
	struct visitor v = {.visit = visit, .context = context};

	if (event_schemas[type].data) {
		memcpy(v.path, ".data", 5);
		visit(context, STR(".data"));
		visit_object(&v, event_schemas[type].data(), 5);
	}
	memcpy(v.path, ".info", 5);
	visit(context, STR(".info"));
	visit_object(&v, object_info(), 5);
}
