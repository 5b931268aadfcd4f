/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * do_exit() takes a task's namespaces before it runs its last task_works, in which io_uring lets go of the files of
 * requests: what is closed there is told of by a task without a mount namespace. That of its process is meant.
 */
#include <string.h>

#include "enrich/internal.h"

/* Of an id that the process has changed since, only the owner of the namespace could tell how it is seen inside. */
static uint32_t inner_id(uint32_t id, uint32_t known, uint32_t known_inner)
{
	if (id == known)
		return known_inner;
	return known == known_inner ? id : UINT32_MAX;
}

/* The mount namespace of one, and how it sees the ids of the other. */
static void take_namespace(struct wire_task *task, const struct wire_task *from)
{
	task->mnt_ns = from->mnt_ns;
	task->mnt_seq = from->mnt_seq;
	task->inner_uid = inner_id(task->uid, from->uid, from->inner_uid);
	task->inner_gid = inner_id(task->gid, from->gid, from->inner_gid);
	task->inner_euid = inner_id(task->euid, from->euid, from->inner_euid);
	task->inner_egid = inner_id(task->egid, from->egid, from->inner_egid);
}

static const struct process *find(const struct enricher *e, const struct wire_task *task)
{
	const struct process *p = task->mnt_ns ? NULL : process_find(&e->processes, task);

	return p && p->task.mnt_ns ? p : NULL;
}

const struct wire_header *enrich_with_namespaces(const struct enricher *e, const struct wire_header *head,
						 struct arena *arena)
{
	const struct process *task = find(e, &head->task), *parent = find(e, &head->parent);

	if (!task && !parent)
		return head;
	struct wire_header *copy = arena_alloc(arena, head->length);
	if (!copy)
		return head;
	memcpy(copy, head, head->length);
	if (task)
		take_namespace(&copy->task, &task->task);
	if (parent)
		take_namespace(&copy->parent, &parent->task);
	return copy;
}

void enrich_restore_namespaces(const struct enricher *e, struct event *event)
{
	const struct wire_header *head = enrich_with_namespaces(e, event->wire, event->arena);

	if (head == event->wire)
		return;
	event->wire = head;
	event_fill_tasks(event);
}

void enrich_note_namespace(struct process *p, const struct wire_task *task)
{
	if (task->mnt_ns && (p->task.mnt_ns != task->mnt_ns || p->task.mnt_seq != task->mnt_seq))
		take_namespace(&p->task, task);
}
