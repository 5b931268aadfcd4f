/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/container_table.h"

#include <stdlib.h>

#include "base/buf.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
	struct container container; /* first: what others see of it */
	struct container_table *table;
	uint32_t references;
	UT_hash_handle hh;
	uint32_t key_len;
	char key[]; /* type, NUL, runtime, NUL, id */
};

struct container_table {
	struct entry *entries;
};

enum { KEY_MAX = 512 };

struct container_table *container_table_new(void)
{
	return calloc(1, sizeof(struct container_table));
}

void container_table_free(struct container_table *t)
{
	free(t);
}

/* systemd writes "-" in the middle of a unit's name as \x2d. Returns the length of what fits. */
static uint32_t unescape(struct str from, char *to, uint32_t max)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < from.len && n < max; i++) {
		unsigned code = 0;
		char digits[3] = {0};
		if (from.p[i] == '\\' && i + 3 < from.len && from.p[i + 1] == 'x') {
			memcpy(digits, from.p + i + 2, 2);
			code = (unsigned)strtoul(digits, NULL, 16);
		}
		to[n++] = code ? (char)code : from.p[i];
		i += code ? 3 : 0;
	}
	return n;
}

/* Returns the length, 0 when there is nothing to say. */
static uint32_t make_key(const struct container_identity *identity, char key[KEY_MAX], uint32_t *ret_id)
{
	struct str type = str_of(identity->type), runtime = str_of(identity->runtime);
	uint32_t n = 0;

	if (!identity->type && !identity->id.len)
		return 0;
	memcpy(key, type.p ? type.p : "", type.len);
	n += type.len;
	key[n++] = '\0';
	memcpy(key + n, runtime.p ? runtime.p : "", runtime.len);
	n += runtime.len;
	key[n++] = '\0';
	*ret_id = n;
	if (identity->escaped)
		return n + unescape(identity->id, key + n, KEY_MAX - n);
	uint32_t len = identity->id.len < KEY_MAX - n ? identity->id.len : KEY_MAX - n;
	memcpy(key + n, identity->id.p ? identity->id.p : "", len);
	return n + len;
}

struct container *container_get(struct container_table *t, const struct container_identity *identity)
{
	char key[KEY_MAX];
	uint32_t id;
	uint32_t len = make_key(identity, key, &id);
	struct entry *e;

	if (len == 0)
		return NULL;
	HASH_FIND(hh, t->entries, key, len, e);
	if (e)
		return container_share(&e->container);
	e = calloc(1, sizeof(*e) + len);
	if (!e)
		return NULL;
	memcpy(e->key, key, len);
	e->table = t;
	e->references = 1;
	e->key_len = len;
	e->container.type = identity->type;
	e->container.runtime = identity->runtime;
	if (len > id)
		e->container.id = (struct str){e->key + id, len - id};
	HASH_ADD_KEYPTR(hh, t->entries, e->key, e->key_len, e);
	if (e->hh.tbl)
		return &e->container;
	free(e);
	return NULL;
}

struct container *container_share(struct container *c)
{
	if (c)
		((struct entry *)c)->references++;
	return c;
}

void container_release(struct container *c)
{
	struct entry *e = (struct entry *)c;

	if (!e || --e->references > 0)
		return;
	HASH_DEL(e->table->entries, e);
	free(e);
}

uint32_t container_count(const struct container_table *t)
{
	return HASH_COUNT(t->entries);
}
