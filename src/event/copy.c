/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/copy.h"

/* Where the next bytes go; with at NULL they are only counted. */
struct block {
	char *at;
	size_t size;
};

static void *put(struct block *b, const void *bytes, size_t len)
{
	void *to = b->at ? b->at + b->size : NULL;

	if (to && len)
		memcpy(to, bytes, len);
	b->size += (len + 7) & ~(size_t)7;
	return to;
}

static void move_str(struct block *b, struct str *s)
{
	if (!s->p)
		return;
	const char *copy = put(b, s->p, s->len);
	if (copy)
		s->p = copy;
}

static void move_strv(struct block *b, struct strv *v)
{
	struct str *copy = put(b, v->v, v->n * sizeof(*v->v));

	for (uint32_t i = 0; i < v->n; i++) {
		struct str s = v->v[i];
		move_str(b, copy ? &copy[i] : &s);
	}
	if (copy)
		v->v = copy;
}

static void move_object(struct block *b, const struct object *object, void *at);

static void move_pointed(struct block *b, const struct object *object, void **pointer)
{
	if (!*pointer)
		return;
	void *copy = put(b, *pointer, object->size);
	/* what is only counted is not changed either */
	move_object(b, object, copy ? copy : *pointer);
	if (copy)
		*pointer = copy;
}

/* Moves all that the object at this place points to. */
static void move_object(struct block *b, const struct object *object, void *at)
{
	for (const struct field *f = object->fields; f->name; f++) {
		void *field = (char *)at + f->offset;
		switch (f->kind) {
		case KIND_STR:
		case KIND_STR_OR_NULL:
		case KIND_OPT_STR:
			move_str(b, field);
			break;
		case KIND_STRV:
		case KIND_OPT_STRV:
			move_strv(b, field);
			break;
		case KIND_PATH:
			move_str(b, &((struct path *)field)->text);
			move_str(b, &((struct path *)field)->raw);
			break;
		case KIND_OBJECT:
			move_object(b, f->object(), field);
			break;
		case KIND_OPTIONAL:
		case KIND_OBJECT_OR_NULL:
			move_pointed(b, f->object(), field);
			break;
		default:
			break;
		}
	}
}

size_t event_info_size(const struct obj_info *info)
{
	struct obj_info copy = *info;
	struct block block = {0};

	move_object(&block, object_info(), &copy);
	return block.size;
}

struct obj_info event_info_copy(const struct obj_info *info, void *memory)
{
	struct obj_info copy = *info;
	struct block block = {.at = memory};

	move_object(&block, object_info(), &copy);
	return copy;
}
