/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/template.h"

#include <errno.h>

static struct step *add_step(struct template *t, enum step_kind kind)
{
	if (t->count == TEMPLATE_STEPS_MAX)
		return NULL;
	struct step *step = &t->steps[t->count++];
	*step = (struct step){.kind = kind};
	return step;
}

/* ".data.exe.path" */
static int find_field(enum event_type type, const char *path, size_t len, struct field_ref *ret)
{
	struct str segments[FIELD_DEPTH_MAX];
	uint32_t count = 0;
	const char *end = path + len;

	while (path < end && *path == '.' && count < FIELD_DEPTH_MAX) {
		const char *dot = memchr(path + 1, '.', (size_t)(end - path) - 1);
		size_t n = (size_t)((dot ? dot : end) - path) - 1;
		segments[count++] = (struct str){path + 1, (uint32_t)n};
		path += n + 1;
	}
	return path == end ? field_find(type, segments, count, ret) : -EINVAL;
}

/* What stands in braces. */
static int parse_field(struct template *t, enum event_type type, const char *text, size_t len)
{
	enum step_kind kind = *text == '?' ? STEP_IF_TRUE : *text == '!' ? STEP_IF_FALSE : STEP_VALUE;
	struct step *step = add_step(t, kind);
	const char *bar = memchr(text, '|', len);

	if (!step)
		return -E2BIG;
	if ((kind == STEP_VALUE) == (bar != NULL))
		return -EINVAL;
	if (kind == STEP_VALUE)
		return find_field(type, text, len, &step->field);
	step->literal = (struct str){bar + 1, (uint32_t)(text + len - bar - 1)};
	return find_field(type, text + 1, (size_t)(bar - text) - 1, &step->field);
}

static int parse_literal(struct template *t, const char *text, size_t *ret_len)
{
	struct step *step = add_step(t, STEP_LITERAL);

	if (!step)
		return -E2BIG;
	*ret_len = strcspn(text, "{[]");
	step->literal = (struct str){text, (uint32_t)*ret_len};
	return 0;
}

int template_parse(enum event_type type, const char *text, struct template *ret)
{
	struct template t = {0};

	while (*text) {
		size_t len = 1;
		int err = 0;
		if (*text == '{') {
			const char *end = strchr(text, '}');
			len = end ? (size_t)(end - text) + 1 : 0;
			err = len > 2 ? parse_field(&t, type, text + 1, len - 2) : -EINVAL;
		} else if (*text == '[' || *text == ']') {
			err = add_step(&t, *text == '[' ? STEP_BEGIN : STEP_END) ? 0 : -E2BIG;
		} else {
			err = parse_literal(&t, text, &len);
		}
		if (err)
			return err;
		text += len;
	}
	*ret = t;
	return 0;
}

static bool is_known(const struct value *v)
{
	switch (v->kind) {
	case VALUE_STR:
		return v->s.len && !str_eq(v->s, STR("?"));
	case VALUE_STRV:
		return v->v.n > 0;
	case VALUE_UINT:
		return v->u != 0;
	case VALUE_BOOL:
		return v->b;
	default:
		return v->kind != VALUE_NONE;
	}
}

/* Length of a character, and whether a terminal may have it. The text is valid UTF-8. */
static uint32_t look_at(const unsigned char *p, uint32_t left, bool *ret_fit)
{
	*ret_fit = p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] < 0x80)
		return 1;
	uint32_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (len > left)
		len = left;
	if (p[0] == 0xc2 && len == 2)
		*ret_fit = p[1] >= 0xa0; /* U+0080 to U+009F */
	if (p[0] == 0xe2 && len == 3)
		/* U+200E and F, U+2028 to E, U+2066 to 9 */
		*ret_fit =
			!(p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae))) &&
			!(p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
	return len;
}

void template_write_text(struct buf *out, struct str text)
{
	bool fit;

	for (uint32_t i = 0; i < text.len;) {
		const unsigned char *p = (const unsigned char *)text.p + i;
		if (i >= TEMPLATE_VALUE_MAX) {
			buf_add_str(out, STR("..."));
			return;
		}
		uint32_t len = look_at(p, text.len - i, &fit);
		if (fit)
			buf_add(out, p, len);
		else
			for (uint32_t n = 0; n < len; n++)
				buf_printf(out, "\\x%02x", p[n]);
		i += len;
	}
}

static void write_value(const struct value *v, enum field_kind kind, struct buf *out)
{
	switch (v->kind) {
	case VALUE_STR:
		template_write_text(out, v->s);
		break;
	case VALUE_STRV:
		for (uint32_t i = 0; i < v->v.n && i < 64; i++) {
			if (i)
				buf_add_str(out, STR(", "));
			template_write_text(out, v->v.v[i]);
		}
		break;
	case VALUE_UINT:
		if (kind == KIND_HEX)
			buf_add_hex(out, v->u);
		else
			buf_add_u64(out, v->u);
		break;
	case VALUE_INT:
		buf_add_i64(out, v->i);
		break;
	case VALUE_FLOAT:
		buf_printf(out, "%.2f", v->f);
		break;
	case VALUE_BOOL:
		buf_add_str(out, v->b ? STR("yes") : STR("no"));
		break;
	default:
		buf_add_char(out, '-');
	}
}

/* Behind the part that begins at i, unless it is to be shown. */
static uint32_t skip_part(const struct template *t, const struct event *e, uint32_t i)
{
	char text[FIELD_TEXT_SIZE];

	for (uint32_t n = i; n < t->count && t->steps[n].kind != STEP_END; n++) {
		if (t->steps[n].kind != STEP_VALUE)
			continue;
		struct value v = field_get(e, &t->steps[n].field, text);
		if (is_known(&v))
			return i;
		break;
	}
	while (i < t->count && t->steps[i].kind != STEP_END)
		i++;
	return i;
}

void template_write(const struct template *t, const struct event *e, struct buf *out)
{
	char text[FIELD_TEXT_SIZE];

	for (uint32_t i = 0; i < t->count; i++) {
		const struct step *step = &t->steps[i];
		struct value v = {0};
		switch (step->kind) {
		case STEP_LITERAL:
			buf_add_str(out, step->literal);
			break;
		case STEP_VALUE:
			v = field_get(e, &step->field, text);
			write_value(&v, step->field.kind, out);
			break;
		case STEP_IF_TRUE:
		case STEP_IF_FALSE:
			v = field_get(e, &step->field, text);
			if (v.kind == VALUE_BOOL && v.b == (step->kind == STEP_IF_TRUE))
				buf_add_str(out, step->literal);
			break;
		case STEP_BEGIN:
			i = skip_part(t, e, i);
			break;
		case STEP_END:
			break;
		}
	}
}
