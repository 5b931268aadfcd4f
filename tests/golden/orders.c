/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/golden/orders.h"

#include <stdlib.h>

#include "event/copy.h"
#include "json/writer.h"

enum { EVENTS_MAX = 1024, SHUFFLES = 100 };

struct kept {
	enum event_type type;
	struct obj_info info;
	void *memory;    /* of info */
	struct buf line; /* by a writer that knew nothing */
};

static struct orders {
	struct kept events[EVENTS_MAX];
	uint32_t count;
	struct json_writer *writer, *fresh;
	struct arena arena;
	struct buf got, want;
	struct orders_result result;
} o;

void orders_add(const struct event *e)
{
	if (o.count == EVENTS_MAX)
		abort();
	struct kept *k = &o.events[o.count++];
	k->type = e->type;
	k->memory = malloc(event_info_size(&e->info) + 1);
	if (!k->memory)
		abort();
	k->info = event_info_copy(&e->info, k->memory);
}

static void write_line(struct json_writer *w, const struct kept *k, struct buf *ret)
{
	struct event e;

	event_make(&e, k->type, &o.arena);
	e.info = k->info;
	buf_reset(ret);
	json_write_event(w, &e, ret);
}

static void write_fresh(const struct kept *k, struct buf *ret)
{
	json_writer_forget(o.fresh);
	write_line(o.fresh, k, ret);
}

static void check(uint32_t i)
{
	write_line(o.writer, &o.events[i], &o.got);
	o.result.written++;
	o.result.wrong += !str_eq(buf_str(&o.got), buf_str(&o.events[i].line));
}

static void check_orders(void)
{
	for (uint32_t i = 0; i < o.count; i++)
		check(i);
	for (uint32_t i = o.count; i-- > 0;)
		check(i);
	for (uint32_t i = 0; i < 5 * o.count; i++)
		check(i / 5);
	srandom(7);
	for (uint32_t i = 0; i < SHUFFLES * o.count; i++)
		check((uint32_t)random() % o.count);
}

/* The original is what the writer has kept. */
static void check_change(const struct kept *original, const struct kept *changed)
{
	for (int i = 0; i < 3; i++)
		write_line(o.writer, original, &o.got);
	write_line(o.writer, changed, &o.got);
	write_fresh(changed, &o.want);
	o.result.changed++;
	o.result.stale += !str_eq(buf_str(&o.got), buf_str(&o.want));
	o.result.unseen += str_eq(buf_str(&o.got), buf_str(&original->line));
}

static size_t kind_size(enum field_kind kind)
{
	switch (kind) {
	case KIND_STR:
	case KIND_STR_OR_NULL:
	case KIND_OPT_STR:
		return sizeof(struct str);
	case KIND_UUID:
		return sizeof(kind_UUID);
	case KIND_U32:
	case KIND_I32:
		return sizeof(uint32_t);
	case KIND_BOOL:
	case KIND_MARK:
		return sizeof(bool);
	case KIND_U64:
	case KIND_OPT_U64:
	case KIND_OPT_ID:
	case KIND_HEX:
	case KIND_TIME:
		return sizeof(uint64_t);
	default:
		abort(); /* no info has one yet */
	}
}

/* A text gets another last character, or one where it has none; a number another last bit. */
static void change_value(enum field_kind kind, void *at, char text[4096])
{
	struct str *s = at;

	if (kind != KIND_STR && kind != KIND_STR_OR_NULL && kind != KIND_OPT_STR) {
		*(uint8_t *)at ^= 1;
		return;
	}
	if (!s->len) {
		*s = STR("x");
		return;
	}
	if (s->len > 4096)
		abort();
	memcpy(text, s->p, s->len);
	text[s->len - 1] = text[s->len - 1] == 'x' ? 'y' : 'x';
	s->p = text;
}

/* Each field of the object at this place, which is in c or behind one of its pointers. */
static void change_each(const struct kept *original, struct kept *c, const struct object *object, void *at)
{
	char before[16], text[4096];

	for (const struct field *f = object->fields; f->name; f++) {
		void *field = (char *)at + f->offset;
		if (f->kind == KIND_OBJECT) {
			change_each(original, c, f->object(), field);
			continue;
		}
		if (f->kind == KIND_OPTIONAL || f->kind == KIND_OBJECT_OR_NULL) {
			void **pointer = field, *pointed = *pointer;
			if (!pointed)
				continue;
			*pointer = NULL;
			check_change(original, c);
			*pointer = malloc(f->object()->size);
			memcpy(*pointer, pointed, f->object()->size);
			change_each(original, c, f->object(), *pointer);
			free(*pointer);
			*pointer = pointed;
			continue;
		}
		memcpy(before, field, kind_size(f->kind));
		change_value(f->kind, field, text);
		check_change(original, c);
		memcpy(field, before, kind_size(f->kind));
	}
}

static void check_changes(void)
{
	for (uint32_t i = 0; i < o.count; i++) {
		struct kept changed = o.events[i];
		change_each(&o.events[i], &changed, object_info(), &changed.info);
	}
}

struct orders_result orders_check(void)
{
	o.writer = json_writer_new();
	o.fresh = json_writer_new();
	for (uint32_t i = 0; i < o.count; i++)
		write_fresh(&o.events[i], &o.events[i].line);
	check_orders();
	check_changes();
	for (uint32_t i = 0; i < o.count; i++) {
		free(o.events[i].memory);
		buf_fini(&o.events[i].line);
	}
	json_writer_free(o.writer);
	json_writer_free(o.fresh);
	arena_fini(&o.arena);
	buf_fini(&o.got);
	buf_fini(&o.want);
	return o.result;
}
