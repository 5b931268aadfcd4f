/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json/memo.h"

#include <stdlib.h>

#include "event/copy.h"
#include "event/same.h"

struct entry {
	struct obj_info info;
	struct str parts[MEMO_PARTS_MAX];
	_Alignas(8) char bytes[]; /* what info points to, then the parts */
};

struct slot_of_task {
	uint64_t mark; /* of the origin that was seen last */
	struct entry *entry;
};

struct json_memo {
	struct slot_of_task slots[MEMO_SLOTS];
};

struct json_memo *json_memo_new(void)
{
	return calloc(1, sizeof(struct json_memo));
}

void json_memo_clear(struct json_memo *m)
{
	for (size_t i = 0; i < MEMO_SLOTS; i++) {
		free(m->slots[i].entry);
		m->slots[i] = (struct slot_of_task){0};
	}
}

void json_memo_free(struct json_memo *m)
{
	if (m)
		json_memo_clear(m);
	free(m);
}

static struct slot_of_task *slot_of(struct json_memo *m, const struct obj_info *info)
{
	return &m->slots[(uint32_t)info->task.pid % MEMO_SLOTS];
}

/* Tells images and states of a task apart, not more. */
static uint64_t mark_of(const struct obj_info *info)
{
	const struct obj_task *task = &info->task;
	uint64_t name = 0, start;

	memcpy(&name, task->name.p ? task->name.p : "", task->name.len < 8 ? task->name.len : 8);
	memcpy(&start, task->guuid.bytes, sizeof(start));
	return (start ^ task->flags << 32 ^ (uint32_t)task->pid) * UINT64_C(0x9e3779b97f4a7c15) ^ name;
}

const struct str *json_memo_find(struct json_memo *m, const struct obj_info *info)
{
	const struct entry *e = slot_of(m, info)->entry;

	return e && event_origin_same(&e->info, info) ? e->parts : NULL;
}

static struct entry *make_entry(const struct obj_info *info, const struct str parts[MEMO_PARTS_MAX])
{
	struct obj_info origin = {.host = info->host, .task = info->task, .parent_task = info->parent_task};
	size_t values = event_info_size(&origin), size = sizeof(struct entry) + values;

	for (int i = 0; i < MEMO_PARTS_MAX; i++)
		size += parts[i].len;
	struct entry *e = size <= MEMO_ENTRY_MAX ? malloc(size) : NULL;
	if (!e)
		return NULL;
	e->info = event_info_copy(&origin, e->bytes);
	char *at = e->bytes + values;
	for (int i = 0; i < MEMO_PARTS_MAX; i++) {
		if (parts[i].len)
			memcpy(at, parts[i].p, parts[i].len);
		e->parts[i] = (struct str){at, parts[i].len};
		at += parts[i].len;
	}
	return e;
}

void json_memo_keep(struct json_memo *m, const struct obj_info *info, const struct str parts[MEMO_PARTS_MAX])
{
	struct slot_of_task *slot = slot_of(m, info);
	uint64_t mark = mark_of(info);
	bool again = slot->mark == mark && !slot->entry;

	free(slot->entry);
	slot->entry = again ? make_entry(info, parts) : NULL;
	slot->mark = mark;
}
