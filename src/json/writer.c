/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each object of the schema becomes a plan: a list of steps, each a literal (everything between two values: commas,
 * keys, braces) and the value after it. Embedded objects are flattened into the plan, so that writing an event is one
 * loop without recursion, except for optional objects.
 */
#include "json/writer.h"

#include <stdlib.h>

#include "json/memo.h"

enum { STEPS_MAX = 64 };

struct plan;

struct step {
	uint32_t literal; /* offset and length in the plan's text */
	uint32_t literal_len;
	enum field_kind kind;
	bool joined; /* a list is one text, its parts between semicolons */
	uint32_t offset;
	const struct plan *object; /* of the kinds that point to one */
};

struct plan {
	struct step steps[STEPS_MAX];
	uint32_t count;
	struct buf text;
	uint32_t tail; /* where the literal after the last value begins */
};

/* Steps of the info's plan that are all of the event's origin, or none is. */
struct run {
	uint32_t first, end;
	bool kept; /* by the memo */
};

struct json_writer {
	struct plan *events[EVENT_COUNT];
	struct run runs[MEMO_PARTS_MAX];
	struct json_memo *memo;
	struct plan *info;
	struct plan *detection;
	struct plan *filter;
	struct plan **all; /* owns every plan */
	size_t count;
};

static struct plan *plan_new(struct json_writer *w, const struct object *object);

static bool may_be_omitted(enum field_kind kind)
{
	return kind == KIND_OPT_STR || kind == KIND_OPT_STRV || kind == KIND_OPT_U64 || kind == KIND_OPT_ID ||
	       kind == KIND_OPT_I32 || kind == KIND_MARK || kind == KIND_OPTIONAL;
}

/* A step whose literal is the text since the last one. */
static struct step *plan_add_step(struct json_writer *w, struct plan *p, const struct field *f, uint32_t base)
{
	if (p->count == STEPS_MAX)
		return NULL;
	struct step *s = &p->steps[p->count++];
	*s = (struct step){
		.literal = p->tail,
		.literal_len = (uint32_t)p->text.len - p->tail,
		.kind = f->kind,
		.offset = base + f->offset,
		.object = f->object ? plan_new(w, f->object()) : NULL,
	};
	p->tail = (uint32_t)p->text.len;
	return f->object && !s->object ? NULL : s;
}

/*
 * A field that may be left out brings its comma. When the first one is of that kind the object begins with "{,":
 * write_result() mends that.
 */
static bool plan_add_object(struct json_writer *w, struct plan *p, const struct object *object, uint32_t base)
{
	buf_add_char(&p->text, '{');
	for (const struct field *f = object->fields; f->name; f++) {
		if (may_be_omitted(f->kind)) {
			/* the key stands behind the step's literal, ended by NUL */
			if (!plan_add_step(w, p, f, base))
				return false;
			buf_printf(&p->text, ",\"%s\":", f->name);
			buf_add_char(&p->text, '\0');
			p->tail = (uint32_t)p->text.len;
			continue;
		}
		buf_printf(&p->text, f == object->fields ? "\"%s\":" : ",\"%s\":", f->name);
		if (f->kind == KIND_OBJECT ? !plan_add_object(w, p, f->object(), base + f->offset)
					   : !plan_add_step(w, p, f, base))
			return false;
	}
	buf_add_char(&p->text, '}');
	return !p->text.failed;
}

static struct plan *plan_new(struct json_writer *w, const struct object *object)
{
	struct plan *p = calloc(1, sizeof(*p));
	struct plan **all = realloc(w->all, (w->count + 1) * sizeof(struct plan *));

	if (all)
		w->all = all;
	if (!p || !all) {
		free(p);
		return NULL;
	}
	w->all[w->count++] = p;
	return plan_add_object(w, p, object, 0) ? p : NULL;
}

static bool is_of_origin(const struct step *s)
{
	const struct obj_info *info = NULL;
	size_t event = offsetof(struct obj_info, event);

	return s->offset != offsetof(struct obj_info, utc_time) &&
	       (s->offset < event || s->offset >= event + sizeof(info->event));
}

/* False when the schema has more of them than the memo has room for. */
static bool find_runs(struct json_writer *w)
{
	const struct plan *p = w->info;
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		bool kept = is_of_origin(&p->steps[i]);
		if (n == 0 || w->runs[n - 1].kept != kept) {
			if (n == MEMO_PARTS_MAX)
				return false;
			w->runs[n++] = (struct run){.first = i, .kept = kept};
		}
		w->runs[n - 1].end = i + 1;
	}
	return true;
}

struct json_writer *json_writer_new(void)
{
	struct json_writer *w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->info = plan_new(w, object_info());
	w->detection = plan_new(w, object_detection());
	w->filter = plan_new(w, object_filtering());
	w->memo = json_memo_new();
	bool ok = w->info && w->detection && w->filter && w->memo && find_runs(w);
	for (int i = 0; i < EVENT_COUNT && ok; i++) {
		if (event_schemas[i].data)
			ok = (w->events[i] = plan_new(w, event_schemas[i].data())) != NULL;
	}
	if (!ok) {
		json_writer_free(w);
		return NULL;
	}
	return w;
}

void json_writer_join_lists(struct json_writer *w, enum event_type type)
{
	struct plan *p = w->events[type];

	for (uint32_t i = 0; i < p->count; i++)
		p->steps[i].joined = p->steps[i].kind == KIND_STRV;
}

void json_writer_free(struct json_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->count; i++) {
		buf_fini(&w->all[i]->text);
		free(w->all[i]);
	}
	free(w->all);
	json_memo_free(w->memo);
	free(w);
}

void json_writer_forget(struct json_writer *w)
{
	json_memo_clear(w->memo);
}

/* Eight digits in the order of memory, of a little-endian machine as all that we are built for. */
static uint64_t hex_digits(const uint8_t bytes[4])
{
	uint64_t pairs =
		bytes[0] | (uint64_t)bytes[1] << 16 | (uint64_t)bytes[2] << 32 | (uint64_t)bytes[3] << 48;
	uint64_t digits = (pairs >> 4 & 0x000f000f000f000f) | (pairs & 0x000f000f000f000f) << 8;
	uint64_t letters = (digits + 0x0606060606060606) >> 4 & 0x0101010101010101;

	return digits + 0x3030303030303030 + letters * ('a' - '0' - 10);
}

static void write_uuid(struct buf *out, const kind_UUID *uuid)
{
	static const struct {
		uint8_t from, to, len;
	} groups[] = {{0, 1, 8}, {8, 10, 4}, {12, 15, 4}, {16, 20, 4}, {20, 25, 12}};
	char text[] = "\"00000000-0000-0000-0000-000000000000\"";
	uint64_t digits[4];

	for (int i = 0; i < 4; i++)
		digits[i] = hex_digits(uuid->bytes + 4 * i);
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		memcpy(text + groups[i].to, (char *)digits + groups[i].from, groups[i].len);
	buf_add(out, text, sizeof(text) - 1);
}

static void write_strv(struct buf *out, const struct strv *v)
{
	buf_add_char(out, '[');
	for (uint32_t i = 0; i < v->n; i++) {
		if (i)
			buf_add_char(out, ',');
		json_write_str(out, v->v[i]);
	}
	buf_add_char(out, ']');
}

static void write_joined(struct buf *out, const struct strv *v)
{
	struct buf text = {0};

	for (uint32_t i = 0; i < v->n; i++)
		buf_printf(&text, "%s%.*s", i ? ";" : "", STR_ARG(v->v[i]));
	if (text.failed)
		out->failed = true;
	else
		json_write_str(out, buf_str(&text));
	buf_fini(&text);
}

static void plan_write(const struct plan *p, const char *base, struct buf *out);

static void write_value(const struct step *s, const void *at, struct buf *out)
{
	switch (s->kind) {
	case KIND_STR_OR_NULL:
		if (!((const struct str *)at)->p) {
			buf_add_str(out, STR("null"));
			break;
		}
		/* fall through */
	case KIND_STR:
	case KIND_OPT_STR:
		json_write_str(out, *(const struct str *)at);
		break;
	case KIND_PATH:
		json_write_str(out, ((const struct path *)at)->text);
		break;
	case KIND_STRV:
	case KIND_OPT_STRV:
		if (s->joined)
			write_joined(out, at);
		else
			write_strv(out, at);
		break;
	case KIND_U64:
	case KIND_OPT_U64:
		buf_add_u64(out, *(const uint64_t *)at);
		break;
	case KIND_OPT_ID:
		buf_add_u64(out, *(const uint64_t *)at - 1);
		break;
	case KIND_OPT_I32:
		buf_add_i64(out, (int32_t) * (const uint64_t *)at);
		break;
	case KIND_U64_OR_NULL:
		if (*(const uint64_t *)at)
			buf_add_u64(out, *(const uint64_t *)at);
		else
			buf_add_str(out, STR("null"));
		break;
	case KIND_HEX:
		buf_add_char(out, '"');
		buf_add_hex(out, *(const uint64_t *)at);
		buf_add_char(out, '"');
		break;
	case KIND_TIME:
		buf_add_char(out, '"');
		json_write_time(out, *(const uint64_t *)at);
		buf_add_char(out, '"');
		break;
	case KIND_U32:
		buf_add_u64(out, *(const uint32_t *)at);
		break;
	case KIND_I32:
		buf_add_i64(out, *(const int32_t *)at);
		break;
	case KIND_BOOL:
	case KIND_MARK:
		buf_add_str(out, *(const bool *)at ? STR("true") : STR("false"));
		break;
	case KIND_F32:
		json_write_f32(out, *(const float *)at);
		break;
	case KIND_F64:
		json_write_f64(out, *(const double *)at);
		break;
	case KIND_UUID:
		write_uuid(out, at);
		break;
	case KIND_OPTIONAL:
	case KIND_OBJECT_OR_NULL: {
		const void *object = *(const void *const *)at;
		if (object)
			plan_write(s->object, object, out);
		else
			buf_add_str(out, STR("null"));
		break;
	}
	case KIND_OBJECT:
		break; /* flattened */
	}
}

/* Whether a field that may be left out is. */
static bool is_omitted(const struct step *s, const void *at)
{
	switch (s->kind) {
	case KIND_OPT_STR:
		return !((const struct str *)at)->p;
	case KIND_OPT_STRV:
		return ((const struct strv *)at)->n == 0;
	case KIND_OPT_U64:
	case KIND_OPT_ID:
	case KIND_OPT_I32:
		return *(const uint64_t *)at == 0;
	case KIND_MARK:
		return !*(const bool *)at;
	case KIND_OPTIONAL:
		return !*(const void *const *)at;
	default:
		return false;
	}
}

static void steps_write(const struct plan *p, uint32_t first, uint32_t end, const char *base, struct buf *out)
{
	for (uint32_t i = first; i < end; i++) {
		const struct step *s = &p->steps[i];
		const void *at = base + s->offset;
		const char *literal = p->text.p + s->literal;
		buf_add(out, literal, s->literal_len);
		if (may_be_omitted(s->kind)) {
			if (is_omitted(s, at))
				continue;
			buf_add_str(out, str_of(literal + s->literal_len));
		}
		write_value(s, at, out);
	}
}

static void tail_write(const struct plan *p, struct buf *out)
{
	buf_add(out, p->text.p + p->tail, p->text.len - p->tail);
}

static void plan_write(const struct plan *p, const char *base, struct buf *out)
{
	steps_write(p, 0, p->count, base, out);
	tail_write(p, out);
}

/* The texts of its origin are copied where the memo has them. */
static void write_info(struct json_writer *w, const struct obj_info *info, struct buf *out)
{
	const struct str *known = json_memo_find(w->memo, info);
	size_t ends[MEMO_PARTS_MAX], begin = out->len;

	for (int i = 0; i < MEMO_PARTS_MAX; i++) {
		const struct run *r = &w->runs[i];
		if (known && r->kept)
			buf_add_str(out, known[i]);
		else
			steps_write(w->info, r->first, r->end, (const char *)info, out);
		ends[i] = out->len;
	}
	tail_write(w->info, out);
	if (known || out->failed)
		return;
	struct str parts[MEMO_PARTS_MAX] = {0};
	for (int i = 0; i < MEMO_PARTS_MAX; i++) {
		size_t at = i ? ends[i - 1] : begin;
		if (w->runs[i].kept)
			parts[i] = (struct str){out->p + at, (uint32_t)(ends[i] - at)};
	}
	json_memo_keep(w->memo, info, parts);
}

/* The key and what a rule set said, which may begin with a field that is left out. */
static void write_result(const struct plan *p, struct str key, const void *base, struct buf *out)
{
	if (!base)
		return;
	buf_add_str(out, key);
	size_t second = out->len + 1;
	plan_write(p, base, out);
	if (out->failed || out->p[second] != ',')
		return;
	memmove(out->p + second, out->p + second + 1, out->len - second - 1);
	out->len--;
}

void json_write_event(struct json_writer *w, const struct event *e, struct buf *out)
{
	buf_add_str(out, STR("{\"data\":"));
	plan_write(w->events[e->type], (const char *)&e->data, out);
	write_result(w->detection, STR(",\"detection\":"), e->detection, out);
	write_result(w->filter, STR(",\"filter\":"), e->filter, out);
	buf_add_str(out, STR(",\"info\":"));
	write_info(w, &e->info, out);
	buf_add_str(out, STR("}\n"));
}
