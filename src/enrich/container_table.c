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
	char key[]; /* type, NUL, runtime, NUL, id; or instead of that, /, the cgroup's path */
};

struct container_table {
	struct container_lookups *lookups;
	struct entry *entries;
};

enum { ID_MAX = 512, KEY_MAX = ID_MAX + CONTAINER_CGROUP_MAX };

struct container_table *container_table_new(struct container_lookups *lookups)
{
	struct container_table *t = calloc(1, sizeof(*t));

	if (t)
		t->lookups = lookups;
	return t;
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

/* No id begins with a slash. */
static uint32_t put_cgroup(char *to, struct str cgroup)
{
	if (!cgroup.len || cgroup.len > CONTAINER_CGROUP_MAX)
		return 0;
	memcpy(to, cgroup.p, cgroup.len);
	return cgroup.len;
}

/* Returns the length, 0 when there is nothing to say. */
static uint32_t make_key(const struct container_identity *identity, struct str cgroup, char key[KEY_MAX],
			 uint32_t *ret_id)
{
	struct str type = str_of(identity->type), runtime = str_of(identity->runtime);
	uint32_t n = 0;

	memcpy(key, type.p ? type.p : "", type.len);
	n += type.len;
	key[n++] = '\0';
	memcpy(key + n, runtime.p ? runtime.p : "", runtime.len);
	n += runtime.len;
	key[n++] = '\0';
	*ret_id = n;
	if (!identity->id.len)
		return n + put_cgroup(key + n, cgroup);
	if (identity->escaped)
		return n + unescape(identity->id, key + n, ID_MAX - n);
	uint32_t len = identity->id.len < ID_MAX - n ? identity->id.len : ID_MAX - n;
	memcpy(key + n, identity->id.p, len);
	return n + len;
}

struct container_lookup *container_look_up(struct container_table *t,
					   const struct container_identity *identity, struct str cgroup)
{
	/* lxc and the like have a name for an id, and no file that tells more */
	if (!t->lookups || (identity->id.len && !identity->oci))
		return NULL;
	return container_lookup_get(t->lookups, identity->id, cgroup);
}

struct container *container_get(struct container_table *t, const struct container_identity *identity,
				struct str cgroup)
{
	char key[KEY_MAX];
	uint32_t id;
	struct entry *e;

	if (!identity->type && !identity->id.len && (!t->lookups || !cgroup.len))
		return NULL;
	uint32_t len = make_key(identity, cgroup, key, &id);
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
	if (identity->id.len)
		e->container.id = (struct str){e->key + id, len - id};
	HASH_ADD_KEYPTR(hh, t->entries, e->key, e->key_len, e);
	if (!e->hh.tbl) {
		free(e);
		return NULL;
	}
	e->container.lookup = container_look_up(t, identity, cgroup);
	return &e->container;
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
	container_lookup_release(e->container.lookup);
	free(e);
}

uint32_t container_count(const struct container_table *t)
{
	return HASH_COUNT(t->entries);
}
