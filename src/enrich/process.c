/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/process.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/buf.h"

static void text_free(struct str *text)
{
	free((char *)text->p);
	*text = (struct str){0};
}

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

void process_set_text(struct str *text, struct str value)
{
	uint32_t len = text_length(value);
	char *copy = value.p ? malloc((size_t)len + 1) : NULL;

	text_free(text);
	if (!copy)
		return;
	memcpy(copy, value.p, len);
	copy[len] = '\0';
	*text = (struct str){copy, len};
}

static void process_free(struct process *p)
{
	text_free(&p->exe);
	text_free(&p->image);
	text_free(&p->command_line);
	text_free(&p->cgroup);
	text_free(&p->nodename);
	text_free(&p->ancestors);
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
	t->exited = NULL;
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
}

struct process *process_get(struct process_table *t, const struct wire_task *task,
			    const struct wire_task *parent)
{
	struct process *p = process_find(t, task);
	if (p)
		return p;
	if (HASH_COUNT(t->entries) >= PROCESS_MAX || !(p = calloc(1, sizeof(*p)))) {
		t->refused++;
		return NULL;
	}
	p->key = process_key_of(task);
	p->parent_key = process_key_of(parent);
	p->task = *task;
	HASH_ADD(hh, t->entries, key, sizeof(p->key), p);
	link_parent(t, p);
	return p;
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

void process_changed(struct process *p)
{
	/* Depth first without recursion: a chain of processes can be as long as an attacker likes. */
	struct process *at = p;

	for (;;) {
		text_free(&at->ancestors);
		if (at->children) {
			at = at->children;
			continue;
		}
		while (at != p && !at->next_sibling)
			at = at->parent;
		if (at == p)
			return;
		at = at->next_sibling;
	}
}

void process_adopt(struct process_table *t, struct process *p, const struct wire_task *parent)
{
	if (p->parent_key.tgid || p->parent_key.start || !parent->tgid)
		return;
	p->parent_key = process_key_of(parent);
	link_parent(t, p);
	process_changed(p);
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

struct str process_ancestors(struct process *p)
{
	struct str exes[PROCESS_ANCESTORS_MAX];
	const struct process *last;
	struct buf text = {0};

	if (p->ancestors.p)
		return p->ancestors;
	uint32_t n = ancestor_exes(p, exes, &last);
	if (!is_origin(last))
		buf_add_char(&text, '?');
	while (n > 0) {
		if (text.len)
			buf_add_char(&text, '|');
		buf_add_str(&text, exes[--n]);
	}
	process_set_text(&p->ancestors, buf_str(&text));
	buf_fini(&text);
	return p->ancestors.p ? p->ancestors : STR("");
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
}

/* One that is not among the exited ones any more and has no children. Returns its parent. */
static struct process *forget(struct process_table *t, struct process *p)
{
	struct process *parent = p->parent;

	if (parent)
		DL_DELETE2(parent->children, p, prev_sibling, next_sibling);
	HASH_DEL(t->entries, p);
	process_free(p);
	return parent;
}

void process_expire(struct process_table *t, uint64_t now)
{
	struct process *p;

	while ((p = t->exited) && p->exited_at + PROCESS_LINGER_NS < now) {
		DL_DELETE2(t->exited, p, prev_exited, next_exited);
		p->expired = true;
		/* children keep it, and the last of them takes it along */
		while (p && p->expired && !p->children)
			p = forget(t, p);
	}
}
