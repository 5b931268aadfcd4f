/* SPDX-License-Identifier: GPL-3.0-or-later */
/* {{name}} in the operands of rules. The table owns nothing: names and texts live in the loader's arena. */
#ifndef KUNAI_DETECT_TEMPLATE_H
#define KUNAI_DETECT_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"

enum {
	TEMPLATES_MAX = 65536,
	TEMPLATE_DEPTH_MAX = 16,  /* templates in templates */
	TEMPLATE_USES_MAX = 4096, /* placeholders that are replaced in one text */
};

struct template
{
	struct str name;
	struct str text;
};

struct templates {
	struct template *v;
	uint32_t count;
	uint32_t capacity;
};

void templates_fini(struct templates *t);

/* Returns 0, -ENOMEM, -EEXIST for a name that is there, -E2BIG. */
int templates_add(struct templates *t, struct str name, struct str text);

/*
 * The text with every {{name}} of a known template replaced; the text itself when there is none. An unknown one stays
 * as it is, and its name is put into ret_unknown. Returns 0, -ENOMEM, or -E2BIG when the result is longer than max or
 * templates use each other in a circle.
 */
int templates_expand(const struct templates *t, struct str text, uint32_t max, struct arena *a,
		     struct str *ret, struct str *ret_unknown);

/* The known name nearest to a mistyped one; absent when none is near. */
struct str templates_nearest(const struct templates *t, struct str name);

#endif
