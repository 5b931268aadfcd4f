/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A function for each object of the schema, so that a new field cannot be forgotten. */
#include "event/same.h"

static bool same_str(const struct str *a, const struct str *b)
{
	return a->len == b->len && !a->p == !b->p &&
	       (a->p == b->p || a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

static bool same_strv(const struct strv *a, const struct strv *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!same_str(&a->v[i], &b->v[i]))
			return false;
	return true;
}

/* Of the kinds that hold no pointer. No padding is compared: they are numbers or arrays of bytes. */
#define same_bytes(a, b) (memcmp((a), (b), sizeof(*(a))) == 0)

#define same_STR             same_str
#define same_STR_OR_NULL     same_str
#define same_OPT_STR         same_str
#define same_OPT_STRV        same_strv
#define same_STRV            same_strv
#define same_U64             same_bytes
#define same_OPT_U64         same_bytes
#define same_OPT_ID          same_bytes
#define same_U32             same_bytes
#define same_I32             same_bytes
#define same_HEX             same_bytes
#define same_TIME            same_bytes
#define same_F64             same_bytes
#define same_UUID            same_bytes
#define same_BOOL(a, b)      (*(a) == *(b))
#define same_MARK(a, b)      (*(a) == *(b))
#define same_object(T, x, y) ((x) == (y) || ((x) && (y) && same_obj_##T((x), (y))))

#define FIELD(name, kind, doc)          &&same_##kind(&a->name, &b->name)
#define EXTRA(name, kind, doc)          &&same_##kind(&a->name, &b->name)
#define OBJECT(name, type, doc)         &&same_obj_##type(&a->name, &b->name)
#define OPTIONAL(name, type, doc)       &&same_object(type, a->name, b->name)
#define EXTRA_OBJECT(name, type, doc)   &&same_object(type, a->name, b->name)
#define OBJECT_OR_NULL(name, type, doc) &&same_object(type, a->name, b->name)
#define TYPE(type)                                                              \
	static inline bool __attribute__((unused))                              \
	same_obj_##type(const struct obj_##type *a, const struct obj_##type *b) \
	{                                                                       \
		return true
#define END(type) \
	;         \
	}
#include "schema/types.def"
#include "schema/undef.h"

bool event_origin_same(const struct obj_info *a, const struct obj_info *b)
{
	return same_obj_task(&a->task, &b->task) && same_obj_task(&a->parent_task, &b->parent_task) &&
	       same_obj_host(&a->host, &b->host);
}
