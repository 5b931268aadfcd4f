/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/text.h"

#include <stdlib.h>

struct text {
	uint32_t references;
	char bytes[];
};

static struct text *text_of(struct str s)
{
	return (struct text *)(s.p - offsetof(struct text, bytes));
}

size_t text_size(uint32_t len)
{
	return sizeof(struct text) + len + 1;
}

struct str text_new(struct text_store *store, struct str value)
{
	struct text *t = value.p ? malloc(text_size(value.len)) : NULL;
	if (!t)
		return (struct str){0};

	t->references = 1;
	memcpy(t->bytes, value.p, value.len);
	t->bytes[value.len] = '\0';
	store->bytes += text_size(value.len);
	return (struct str){t->bytes, value.len};
}

struct str text_share(struct str text)
{
	if (text.p)
		text_of(text)->references++;
	return text;
}

bool text_is_shared(struct str text)
{
	return text.p && text_of(text)->references > 1;
}

void text_release(struct text_store *store, struct str *text)
{
	if (text->p && --text_of(*text)->references == 0) {
		store->bytes -= text_size(text->len);
		free(text_of(*text));
	}
	*text = (struct str){0};
}
