/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a record asks for as soon as it is read, and must not wait for its turn. */
#include <stddef.h>

#include "enrich/internal.h"

/* Keeps a namespace of short life reachable from the first record that names it. */
static void prefetch_join(struct enricher *e, const struct wire_header *head, struct prefetch *ret)
{
	const struct wire_task *task = &head->task;
	uint64_t ns = wire_mnt_ns(task);

	if (ns == 0 || task->mnt_ns == e->host_mnt_ns)
		return;
	if (mount_ns_join(e->namespaces, ns, task->tgid, 0, head->time) == 0) {
		ret->mnt_ns = ns;
		ret->tgid = task->tgid;
		/* the task may have ended already; its parent lives, often in the same namespace */
		if (wire_mnt_ns(&head->parent) == ns)
			mount_ns_refresh(e->namespaces, ns, head->parent.tgid, head->time);
	}
}

/* Nearly all written files are the kernel's objects: told apart before any decoding. */
static bool is_truncate(const struct wire_header *head, size_t len)
{
	const struct wire_path *path = (const void *)(head + 1);

	_Static_assert(offsetof(struct wire_write_close, path) == 0 &&
			       offsetof(struct wire_write, path) == 0 &&
			       offsetof(struct wire_write_config, path) == 0,
		       "the path comes first");
	return (head->type == EVENT_write_close || head->type == EVENT_write ||
		head->type == EVENT_write_config) &&
	       len >= sizeof(*head) + sizeof(*path) && path->flags & PATH_USER;
}

/* The first words of where a container begins its life. */
static bool is_cgroup_change(const struct wire_header *head, size_t len)
{
	const struct wire_clone *w = (const void *)(head + 1);

	return head->type == EVENT_cgroup_move ||
	       (head->type == EVENT_clone && len >= sizeof(*head) + sizeof(*w) && w->cgroup.off);
}

static void prefetch_container(struct enricher *e, const struct event *event, struct prefetch *ret)
{
	const struct wire_cgroup_move *move = event_wire(event);
	const struct wire_clone *clone = event_wire(event);

	ret->container =
		enrich_look_up_container(e, event, event->type == EVENT_clone ? clone->cgroup : move->cgroup);
}

static bool needs_prefetch(const struct wire_header *head, size_t len)
{
	return head->type == EVENT_execve || head->type == EVENT_execve_script ||
	       head->type == EVENT_mmap_exec || head->type == EVENT_init_module ||
	       head->type == EVENT_file_unlink || head->type == EVENT_file_rename ||
	       head->type == EVENT_bpf_prog_load || head->type == EVENT_bpf_socket_filter ||
	       is_truncate(head, len) || is_cgroup_change(head, len);
}

void enricher_prefetch(struct enricher *e, const void *record, size_t len, struct prefetch *ret)
{
	const struct wire_header *head = record;
	struct event event;

	*ret = (struct prefetch){0};
	if (len < sizeof(*head) || head->length != len)
		return;
	head = enrich_with_namespaces(e, head, &e->prefetch_arena);
	prefetch_join(e, head, ret);
	bool wants_scan = head->type < EVENT_COUNT && e->scan_events >> head->type & 1;
	if ((!needs_prefetch(head, len) && !wants_scan) ||
	    event_decode(head, len, &e->prefetch_arena, &event) < 0)
		goto out;
	if (head->type == EVENT_execve || head->type == EVENT_execve_script)
		enrich_prefetch_exec(e, &event, ret);
	else if (head->type == EVENT_mmap_exec)
		enrich_prefetch_mmap_exec(e, &event, ret);
	else if (head->type == EVENT_init_module)
		enrich_prefetch_init_module(e, &event, ret);
	else if (head->type == EVENT_bpf_prog_load || head->type == EVENT_bpf_socket_filter)
		enrich_prefetch_prog(e, &event, ret);
	else if (head->type == EVENT_cgroup_move || head->type == EVENT_clone)
		prefetch_container(e, &event, ret);
	else
		enrich_prefetch_names(e, &event, ret);
	if (wants_scan)
		enrich_hold_files(e, &event, ret);
out:
	arena_reset(&e->prefetch_arena);
}

bool prefetch_is_ready(const struct enricher *e, const struct prefetch *p)
{
	if (p->prog && !p->prog->done)
		return false;
	for (size_t i = 0; i < sizeof(p->files) / sizeof(*p->files); i++)
		if (p->files[i].ticket && !hash_ticket_result(p->files[i].ticket) &&
		    !hasher_has_lost(e->hasher, p->files[i].ticket))
			return false;
	return true;
}

void prefetch_drop(struct enricher *e, struct prefetch *p)
{
	if (p->mnt_ns)
		mount_ns_leave(e->namespaces, p->mnt_ns, p->tgid, 0, e->now);
	if (p->prog)
		prog_ticket_drop(p->prog);
	container_lookup_release(p->container);
	for (size_t i = 0; i < sizeof(p->files) / sizeof(*p->files); i++) {
		if (p->files[i].ticket)
			hash_ticket_drop(p->files[i].ticket);
		if (p->files[i].hashes)
			file_hashes_release(p->files[i].hashes);
		enrich_drop_held(e, &p->files[i]);
	}
	for (size_t i = 0; i < sizeof(p->names) / sizeof(*p->names); i++)
		name_lookup_drop(&e->path_names, &p->names[i]);
	*p = (struct prefetch){0};
}
