/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/template.h"

#include <errno.h>
#include <stdlib.h>

#include "base/chars.h"
#include "base/nearest.h"

void templates_fini(struct templates *t)
{
	free(t->v);
	*t = (struct templates){0};
}

static const struct template *find(const struct templates *t, struct str name)
{
	for (uint32_t i = 0; i < t->count; i++) {
		if (str_eq(t->v[i].name, name))
			return &t->v[i];
	}
	return NULL;
}

int templates_add(struct templates *t, struct str name, struct str text)
{
	if (find(t, name))
		return -EEXIST;
	if (t->count == TEMPLATES_MAX)
		return -E2BIG;
	if (t->count == t->capacity) {
		uint32_t capacity = t->capacity ? t->capacity * 2 : 16;
		struct template *v = realloc(t->v, capacity * sizeof(*v));
		if (!v)
			return -ENOMEM;
		t->v = v;
		t->capacity = capacity;
	}
	t->v[t->count++] = (struct template){name, text};
	return 0;
}

/* "{{name}}" at the beginning of the text. */
static bool is_placeholder(struct str text, struct str *ret_name)
{
	uint32_t n = 2;

	if (!str_starts_with(text, STR("{{")))
		return false;
	while (n < text.len && text.p[n] != '{' && text.p[n] != '}')
		n++;
	*ret_name = (struct str){text.p + 2, n - 2};
	return n > 2 && str_starts_with(chars_skip(text, n), STR("}}"));
}

struct expander {
	const struct templates *templates;
	uint32_t max;  /* bytes of the result */
	uint32_t left; /* placeholders: empty templates could be nested without making the result longer */
	struct buf out;
	struct str unknown;
};

static int expand(struct expander *e, struct str text, int depth)
{
	while (text.len) {
		const char *brace = memchr(text.p, '{', text.len);
		uint32_t plain = brace ? (uint32_t)(brace - text.p) : text.len;
		struct str name;

		buf_add(&e->out, text.p, plain);
		text = chars_skip(text, plain);
		if (e->out.failed)
			return -ENOMEM;
		if (e->out.len > e->max)
			return -E2BIG;
		if (!text.len)
			break;
		const struct template *known = NULL;
		if (is_placeholder(text, &name)) {
			known = find(e->templates, name);
			if (!known && !e->unknown.p)
				e->unknown = name;
		}
		if (!known) {
			buf_add_char(&e->out, '{');
			text = chars_skip(text, 1);
			continue;
		}
		if (depth == TEMPLATE_DEPTH_MAX || e->left-- == 0)
			return -E2BIG;
		int err = expand(e, known->text, depth + 1);
		if (err)
			return err;
		text = chars_skip(text, name.len + 4);
	}
	return 0;
}

int templates_expand(const struct templates *t, struct str text, uint32_t max, struct arena *a,
		     struct str *ret, struct str *ret_unknown)
{
	struct expander e = {.templates = t, .max = max, .left = TEMPLATE_USES_MAX};
	int err = 0;

	*ret = text;
	if (!memmem(text.p, text.len, "{{", 2))
		goto out;
	err = expand(&e, text, 0);
	if (!err)
		*ret = arena_str(a, buf_str(&e.out));
	if (!err && !ret->p)
		err = -ENOMEM;
out:
	*ret_unknown = e.unknown;
	buf_fini(&e.out);
	return err;
}

struct str templates_nearest(const struct templates *t, struct str name)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (uint32_t i = 0; i < t->count; i++)
		nearest_offer(&nearest, t->v[i].name);
	return nearest.best;
}
