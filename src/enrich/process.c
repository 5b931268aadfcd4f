/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

/* Out of memory: the element's table stays NULL. Before uthash.h, which the header includes. */
#define HASH_NONFATAL_OOM 1
#include "enrich/process.h"
#include <utlist.h>

/* At most PROCESS_TEXT_MAX bytes that end with a whole character. */
static uint32_t text_length(struct str value)
{
	uint32_t len = PROCESS_TEXT_MAX;

	if (value.len <= len)
		return value.len;
	while (len > 0 && ((unsigned char)value.p[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* The command line of the process that is dead for longest, among those with a long one of its own. */
static bool shed_oldest(struct process_table *t)
{
	struct process *p = t->heavy;

	if (!p)
		return false;
	DL_DELETE2(t->heavy, p, prev_heavy, next_heavy);
	p->heavy = false;
	if (text_is_shared(p->command_line))
		return true; /* its room is given back by those who share it */
	text_release(&t->texts, &p->command_line);
	t->losses.texts_evicted++;
	return true;
}

static bool make_room(struct process_table *t, uint32_t len)
{
	size_t max = len > PROCESS_TEXT_SHORT ? PROCESS_BYTES_LONG : PROCESS_BYTES_MAX;

	while (t->texts.bytes + text_size(len) > max)
		if (!shed_oldest(t))
			return false;
	return true;
}

void process_set_text(struct process *p, struct str *text, struct str value)
{
	struct process_table *t = p->table;
	struct str copy = {0};

	if (value.p && text->p && str_eq(*text, value))
		return;
	value.len = text_length(value);
	if (value.p && make_room(t, value.len))
		copy = text_new(&t->texts, value);
	t->losses.texts_refused += value.p && !copy.p;
	text_release(&t->texts, text);
	*text = copy;
}

static void share_text(struct process *p, struct str *text, struct str value)
{
	struct str shared = text_share(value);

	text_release(&p->table->texts, text);
	*text = shared;
}

void process_inherit(struct process *p, const struct process *creator)
{
	share_text(p, &p->exe, creator->image);
	share_text(p, &p->image, creator->image);
	share_text(p, &p->command_line, creator->command_line);
	share_text(p, &p->cgroup, creator->cgroup);
	container_release(p->container);
	p->container = container_share(creator->container);
	p->container_by_cgroup = creator->container_by_cgroup;
	process_changed(p);
}

static void process_free(struct process *p)
{
	struct str *const texts[] = {&p->exe,    &p->image,    &p->command_line,
				     &p->cgroup, &p->nodename, &p->lineage};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		text_release(&p->table->texts, texts[i]);
	if (p->heavy)
		DL_DELETE2(p->table->heavy, p, prev_heavy, next_heavy);
	container_release(p->container);
	if (p->names_ready)
		dns_names_fini(&p->names);
	free(p);
}

void process_table_fini(struct process_table *t)
{
	struct process *p, *next;

	HASH_ITER(hh, t->entries, p, next)
	{
		HASH_DEL(t->entries, p);
		process_free(p);
	}
	buf_fini(&t->lineage);
	*t = (struct process_table){0};
}

struct process_key process_key_of(const struct wire_task *task)
{
	return (struct process_key){.start = task->start, .tgid = task->tgid};
}

static struct process *find_key(const struct process_table *t, const struct process_key *key)
{
	struct process *p;

	HASH_FIND(hh, t->entries, key, sizeof(*key), p);
	return p;
}

struct process *process_find(const struct process_table *t, const struct wire_task *task)
{
	struct process_key key = process_key_of(task);

	return find_key(t, &key);
}

void process_changed(struct process *p)
{
	text_release(&p->table->texts, &p->lineage);
	if (p->children)
		p->table->version++; /* of all the lineages: to look for those below would cost more than to make them */
}

/* A parent is older than its children: whatever a record says, there is no way round in a circle. */
static bool is_older(const struct process_key *a, const struct process_key *b)
{
	return a->start != b->start ? a->start < b->start : a->tgid < b->tgid;
}

static void link_parent(struct process_table *t, struct process *p)
{
	struct process *parent = find_key(t, &p->parent_key);

	if (!parent || !is_older(&parent->key, &p->key))
		return;
	p->parent = parent;
	DL_APPEND2(parent->children, p, prev_sibling, next_sibling);
	process_changed(p);
}

/* Takes it out of the table; its children, if any, lose their lineage. Returns its parent. */
static struct process *forget(struct process_table *t, struct process *p)
{
	struct process *parent = p->parent, *child, *next;

	process_changed(p);
	DL_FOREACH_SAFE2(p->children, child, next, next_sibling)
	{
		child->parent = NULL;
		child->prev_sibling = child->next_sibling = NULL;
	}
	if (parent)
		DL_DELETE2(parent->children, p, prev_sibling, next_sibling);
	if (p->expired)
		DL_DELETE2(t->kept, p, prev_exited, next_exited);
	else if (p->exited_at)
		DL_DELETE2(t->exited, p, prev_exited, next_exited);
	HASH_DEL(t->entries, p);
	process_free(p);
	return parent;
}

static bool has_room(struct process_table *t)
{
	if (HASH_COUNT(t->entries) < PROCESS_MAX)
		return true;
	struct process *oldest = t->kept ? t->kept : t->exited;
	if (!oldest)
		return false;
	forget(t, oldest);
	t->losses.evicted++;
	return true;
}

struct process *process_get(struct process_table *t, const struct wire_task *task,
			    const struct wire_task *parent)
{
	struct process *p = process_find(t, task);
	if (p)
		return p;
	if (!has_room(t) || !(p = calloc(1, sizeof(*p))))
		goto refused;
	p->table = t;
	p->key = process_key_of(task);
	p->parent_key = process_key_of(parent);
	p->task = *task;
	HASH_ADD(hh, t->entries, key, sizeof(p->key), p);
	if (!p->hh.tbl) {
		free(p);
		goto refused;
	}
	link_parent(t, p);
	return p;
refused:
	t->losses.refused++;
	return NULL;
}

void process_link_parents(struct process_table *t)
{
	struct process *p, *next;

	HASH_ITER(hh, t->entries, p, next)
	{
		if (!p->parent)
			link_parent(t, p);
	}
}

void process_adopt(struct process_table *t, struct process *p, const struct wire_task *parent)
{
	if (p->parent_key.tgid || p->parent_key.start || !parent->tgid)
		return;
	p->parent_key = process_key_of(parent);
	link_parent(t, p);
}

static bool is_origin(const struct process *p)
{
	return p->key.tgid <= 1 || p->task.flags & PF_KTHREAD;
}

/* ret_last is the oldest one known, p itself if there is none. */
static uint32_t ancestor_exes(const struct process *p, struct str ret[PROCESS_ANCESTORS_MAX],
			      const struct process **ret_last)
{
	uint32_t n = 0;

	*ret_last = p;
	for (const struct process *a = p->parent; a && n < PROCESS_ANCESTORS_MAX; a = a->parent) {
		/* the swapper is nobody's executable */
		if (a->key.tgid != 0)
			ret[n++] = a->exe.p ? a->exe : STR("?");
		*ret_last = a;
	}
	return n;
}

uint32_t process_ancestor_exes(const struct process *p, struct str ret[PROCESS_ANCESTORS_MAX])
{
	const struct process *last;

	return ancestor_exes(p, ret, &last);
}

/* Oldest first, with a mark where the beginning is not known. */
static struct str make_lineage(struct process_table *t, const struct process *p)
{
	struct str exes[PROCESS_ANCESTORS_MAX];
	const struct process *last;
	uint32_t n = ancestor_exes(p, exes, &last);

	buf_reset(&t->lineage);
	if (!is_origin(last))
		buf_add_char(&t->lineage, '?');
	while (n > 0) {
		if (t->lineage.len)
			buf_add_char(&t->lineage, '|');
		buf_add_str(&t->lineage, exes[--n]);
	}
	struct str text = buf_str(&t->lineage);
	text.len = text_length(text);
	return text;
}

struct str process_ancestors(struct process *p)
{
	struct process_table *t = p->table;
	struct process *parent = p->parent;

	if (!parent)
		return is_origin(p) ? STR("") : STR("?");
	if (parent->lineage.p && parent->lineage_version == t->version)
		return parent->lineage;
	struct str text = make_lineage(t, p);
	text_release(&t->texts, &parent->lineage);
	if (t->texts.bytes + text_size(text.len) <= PROCESS_BYTES_LINEAGES)
		parent->lineage = text_new(&t->texts, text);
	parent->lineage_version = t->version;
	return parent->lineage.p ? parent->lineage : text;
}

void process_exit(struct process_table *t, struct process *p, uint64_t now)
{
	if (p->exited_at)
		return;
	p->exited_at = now ? now : 1;
	if (p->names_ready)
		dns_names_fini(&p->names);
	p->names_ready = false;
	DL_APPEND2(t->exited, p, prev_exited, next_exited);
	p->heavy = p->command_line.len > PROCESS_TEXT_SHORT;
	if (p->heavy)
		DL_APPEND2(t->heavy, p, prev_heavy, next_heavy);
}

void process_expire(struct process_table *t, uint64_t now)
{
	struct process *p;

	while ((p = t->exited) && p->exited_at + PROCESS_LINGER_NS < now) {
		DL_DELETE2(t->exited, p, prev_exited, next_exited);
		DL_APPEND2(t->kept, p, prev_exited, next_exited);
		p->expired = true;
		/* children keep it, and the last of them takes it along */
		while (p && p->expired && !p->children)
			p = forget(t, p);
	}
}
