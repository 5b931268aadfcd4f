/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who and where: what events of every type say of host, task and parent, and most of the process's program. */
#include "base/utf8.h"
#include "enrich/internal.h"

/* Little-endian start time, salt, tgid: what Kunai's consumers know as guuid. */
static void fill_guuid(const struct enricher *e, const struct process_key *key, kind_UUID *ret)
{
	memcpy(ret->bytes, &key->start, 8);
	memcpy(ret->bytes + 8, &e->salt, 4);
	memcpy(ret->bytes + 12, &key->tgid, 4);
}

static struct str user_name(struct enricher *e, const struct event *event, const struct wire_task *task,
			    uint32_t inner_uid)
{
	if (inner_uid == UINT32_MAX)
		return STR("?");
	struct str name = users_user_name(e->users, wire_mnt_ns(task), task->tgid, inner_uid, e->now);

	return utf8_repair(event->arena, arena_str(event->arena, name));
}

static struct str group_name(struct enricher *e, const struct event *event, const struct wire_task *task,
			     uint32_t inner_gid)
{
	if (inner_gid == UINT32_MAX)
		return STR("?");
	struct str name = users_group_name(e->users, wire_mnt_ns(task), task->tgid, inner_gid, e->now);

	return utf8_repair(event->arena, arena_str(event->arena, name));
}

/* Most often those of the task, where the same files name them. */
static void fill_parent_names(struct enricher *e, struct event *event, const struct wire_task *parent)
{
	const struct wire_task *task = &event->wire->task;
	struct obj_task *ret = &event->info.parent_task;
	bool same_files = wire_mnt_ns(parent) == wire_mnt_ns(task);

	ret->user = same_files && parent->inner_uid == task->inner_uid
			    ? event->info.task.user
			    : user_name(e, event, parent, parent->inner_uid);
	ret->group = same_files && parent->inner_gid == task->inner_gid
			     ? event->info.task.group
			     : group_name(e, event, parent, parent->inner_gid);
}

/* What is said of the task alone. A login is one to the host. */
static void fill_context_names(struct enricher *e, const struct event *event, struct obj_task *ret)
{
	const struct wire_task *task = &event->wire->task;

	if (ret->euid)
		ret->euser = user_name(e, event, task, task->inner_euid);
	if (ret->egid)
		ret->egroup = group_name(e, event, task, task->inner_egid);
	if (!ret->loginuid)
		return;
	struct str name = users_user_name(e->users, mount_ns_host(e->namespaces), 1, task->loginuid, e->now);
	ret->loginuser = utf8_repair(event->arena, arena_str(event->arena, name));
}

/* The parent as it was: of a process that another one has taken over, the one that created it. */
static void fill_original_parent(struct event *event, struct process *p)
{
	struct obj_task *parent = &event->info.parent_task;
	const struct wire_task *original = p->parent ? &p->parent->task : NULL;
	struct process_key now = process_key_of(&event->wire->parent);

	if (memcmp(&now, &p->parent_key, sizeof(now)) == 0)
		return;
	event->info.task.zombie = p->reparented = true;
	if (!original)
		return;
	parent->name =
		(struct str){original->comm, (uint32_t)strnlen(original->comm, sizeof(original->comm))};
	parent->name = utf8_repair(event->arena, parent->name);
	parent->pid = (int32_t)original->pid;
	parent->tgid = (int32_t)original->tgid;
	parent->uid = original->uid;
	parent->gid = original->gid;
	parent->flags = original->flags;
	struct obj_namespaces *ns = original->mnt_ns ? arena_alloc(event->arena, sizeof(*ns)) : NULL;
	if (ns)
		ns->mnt = original->mnt_ns;
	parent->namespaces = ns;
}

static void describe_container(struct event *event, const struct container *from, struct obj_container *ret)
{
	ret->type = str_of(from->type);
	ret->runtime = str_of(from->runtime);
	ret->id = utf8_repair(event->arena, from->id);
	const struct container_names *names = container_lookup_names(from->lookup);
	if (!names)
		return;
	if (!from->runtime)
		ret->runtime = str_of(names->runtime);
	if (!from->id.len)
		ret->id = utf8_repair(event->arena, container_lookup_id(from->lookup));
	ret->container_name = str_of(names->name);
	ret->pod = str_of(names->pod);
	ret->namespace = str_of(names->namespace);
	ret->image = str_of(names->image);
}

static void fill_host(struct enricher *e, struct event *event, const struct process *p, uint32_t mnt_ns)
{
	event->info.host.uuid = e->host_uuid;
	event->info.host.name = str_of(e->host_name);
	if (!mnt_ns || mnt_ns == e->host_mnt_ns)
		return;
	struct obj_container *c = arena_zalloc(event->arena, sizeof(*c));
	if (!c)
		return;
	c->name = p && p->nodename.len ? p->nodename : STR("?");
	if (p && p->container)
		describe_container(event, p->container, c);
	event->info.host.container = c;
}

static bool is_process(const struct process *p, const struct process_key *key)
{
	return p->key.start == key->start && p->key.tgid == key->tgid;
}

/* Most often the one that it is linked to. */
static struct process *find_parent(struct enricher *e, const struct event *event, const struct process *p)
{
	struct process_key key = process_key_of(&event->wire->parent);

	if (p && p->parent && is_process(p->parent, &key))
		return p->parent;
	return process_find(&e->processes, &event->wire->parent);
}

static void fill_info(struct enricher *e, struct event *event, struct process *p)
{
	const struct wire_task *task = &event->wire->task;
	struct process_key key = process_key_of(task);
	struct process_key parent_key = process_key_of(&event->wire->parent);
	struct process *parent = find_parent(e, event, p);
	const struct wire_task *parent_task = &event->wire->parent;

	enrich_renew_uuid(e, event);
	if (p) {
		process_adopt(&e->processes, p, &event->wire->parent);
		fill_original_parent(event, p);
		/* one that was never known cannot be shown: then it stays the one that has it now */
		if (event->info.task.zombie && p->parent) {
			parent_key = p->parent_key;
			parent = p->parent;
			parent_task = &parent->task;
		}
	}
	event->info.parent_task.zombie = parent && parent->reparented;
	fill_guuid(e, &key, &event->info.task.guuid);
	fill_guuid(e, &parent_key, &event->info.parent_task.guuid);
	event->info.task.user = user_name(e, event, task, task->inner_uid);
	event->info.task.group = group_name(e, event, task, task->inner_gid);
	fill_parent_names(e, event, parent_task);
	fill_context_names(e, event, &event->info.task);
	fill_host(e, event, p, task->mnt_ns);
}

static void fill_common(struct event *event, struct process *p)
{
	struct data_common *common = event_common(event);

	if (!common)
		return;
	*common = (struct data_common){STR(""), STR("?"), {STR("?")}};
	if (event->wire->task.flags & PF_KTHREAD)
		common->exe.path = STR("kernel");
	if (!p)
		return;
	common->ancestors = process_ancestors(p);
	if (p->command_line.p)
		common->command_line = p->command_line;
	if (p->exe.p)
		common->exe.path = p->exe;
}

void enrich_fill_info(struct enricher *e, struct event *event, struct process *p)
{
	fill_info(e, event, p);
	fill_common(event, p);
}

void enrich_fill_target(struct enricher *e, struct event *event, const struct wire_task *task,
			struct obj_target *ret)
{
	const struct process *p = process_find(&e->processes, task);
	struct process_key key = process_key_of(task);

	event_fill_task(event, task, &ret->task);
	fill_guuid(e, &key, &ret->task.guuid);
	ret->task.user = user_name(e, event, task, task->inner_uid);
	ret->task.group = group_name(e, event, task, task->inner_gid);
	ret->command_line = p && p->command_line.p ? p->command_line : STR("?");
	ret->exe.path = p && p->exe.p ? p->exe : task->flags & PF_KTHREAD ? STR("kernel") : STR("?");
}
