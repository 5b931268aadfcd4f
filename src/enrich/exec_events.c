/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Process events: they keep the process table. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"
#include "enrich/argv.h"
#include "enrich/internal.h"

enum { PROC_TEXT_MAX = 131072 };

void enrich_join_namespace(struct enricher *e, struct process *p, uint64_t mnt_ns)
{
	if (!mnt_ns || p->mnt_ns == mnt_ns || p->exited_at)
		return;
	if (p->mnt_ns)
		mount_ns_leave(e->namespaces, p->mnt_ns, p->key.tgid, p->key.start, e->now);
	p->mnt_ns = 0;
	if (mount_ns_join(e->namespaces, mnt_ns, p->key.tgid, p->key.start, e->now) == 0)
		p->mnt_ns = mnt_ns;
}

/* "/system.slice/x.service" from components, leaf first; cgroup names are the administrator's bytes. */
static struct str cgroup_path(const struct event *event, struct slot slot)
{
	const struct wire_path wire = {.components = slot, .mode = 1};

	return path_decode(event, &wire).text;
}

static struct str nodename_text(const struct event *event, struct slot slot)
{
	struct str s = event_slot(event, slot);

	if (s.len && s.p[s.len - 1] == '\0')
		s.len--;
	return utf8_repair(event->arena, s);
}

/* In the cgroup that it was in; ancestors come and go, and count where the cgroup says nothing. */
static bool keeps_container(const struct process *p, struct strv ancestors)
{
	if (!p->container)
		return false;
	return p->container_by_cgroup || (!p->container->type && !container_has_ancestor(ancestors));
}

/* The same cgroup is the same container, unless the walk up could not reach its name. */
static void set_cgroup(struct enricher *e, struct process *p, struct str cgroup)
{
	struct str exes[PROCESS_ANCESTORS_MAX];
	struct container_identity identity;
	const struct strv ancestors = {exes, process_ancestor_exes(p, exes)};
	bool stays = str_eq(p->cgroup, cgroup);

	process_set_text(p, &p->cgroup, cgroup);
	if (stays && keeps_container(p, ancestors))
		return;
	bool is_cut = str_starts_with(p->cgroup, STR("/.../"));
	container_identify(p->cgroup, ancestors, &identity);
	if (is_cut && !identity.id.len && p->container)
		return;
	struct container *c = container_get(e->containers, &identity, p->cgroup);
	container_release(p->container);
	p->container = c;
	p->container_by_cgroup = identity.by_cgroup;
}

/*
 * What was passed to exec. The kernel's object is the rule; without it, the name as passed, after the working
 * directory when it is relative, with links unresolved.
 */
static struct path script_path(const struct event *event, const struct wire_execve *wire,
			       bool *ret_unverified)
{
	if (wire->script.components.len || !(wire->script.flags & PATH_USER)) {
		*ret_unverified = false;
		return path_decode(event, &wire->script);
	}
	*ret_unverified = true;
	struct str name = event_slot(event, wire->filename);
	if (name.len && name.p[name.len - 1] == '\0')
		name.len--;
	struct path path = {.raw = name};
	if (!name.len || name.p[0] != '/') {
		struct path cwd = path_decode(event, &wire->cwd_path);
		if (name.len > 2 && name.p[0] == '.' && name.p[1] == '/')
			name = (struct str){name.p + 2, name.len - 2};
		path.raw = arena_printf(event->arena, "%.*s%s%.*s", STR_ARG(cwd.raw),
					str_ends_with(cwd.raw, STR("/")) ? "" : "/", STR_ARG(name));
	}
	path.text = utf8_repair(event->arena, path.raw);
	return path;
}

struct path enrich_script_path(const struct event *event, bool *ret_unverified)
{
	return script_path(event, event_wire(event), ret_unverified);
}

struct container_lookup *enrich_look_up_container(struct enricher *e, const struct event *event,
						  struct slot cgroup)
{
	struct container_identity identity;
	struct str path = cgroup_path(event, cgroup);

	container_identify(path, (struct strv){0}, &identity);
	return container_look_up(e->containers, &identity, path);
}

void enrich_prefetch_exec(struct enricher *e, const struct event *event, struct prefetch *ret)
{
	const struct wire_execve *wire = event_wire(event);
	struct path image = path_decode(event, &wire->image);
	bool unverified;

	if (event->wire->task.mnt_ns != e->host_mnt_ns)
		ret->container = enrich_look_up_container(e, event, wire->cgroup);
	container_lookup_hurry(ret->container);
	if (e->exec_files)
		exec_files_read(e->exec_files, event->wire->time);
	/* the namespace must be known before its first file is asked for */
	mount_ns_refresh(e->namespaces, wire_mnt_ns(&event->wire->task), event->wire->task.tgid,
			 event->wire->time);
	if (event->type == EVENT_execve) {
		enrich_submit_file(e, event, &image, true, &ret->files[PREFETCH_EXE]);
	} else {
		struct path script = script_path(event, wire, &unverified);
		enrich_submit_file(e, event, &script, false, &ret->files[PREFETCH_EXE]);
		enrich_submit_file(e, event, &image, true, &ret->files[PREFETCH_INTERPRETER]);
	}
	if (e->exec_files)
		exec_files_forget(e->exec_files, event->wire->task.tgid);
}

/* As the kernel has them: overlayfs and btrfs show others than they use. */
static void fill_inode(const struct event *event, struct obj_hashes *ret, const struct path *path)
{
	if (!path->wire || !path->wire->inode)
		return;
	ret->dev = arena_printf(event->arena, "%u:%u", (uint32_t)(path->wire->device >> 20),
				(uint32_t)path->wire->device & 0xfffff);
	ret->inode = path->wire->inode;
}

void enrich_exec(struct enricher *e, struct event *event, const struct prefetch *prefetch)
{
	const struct wire_execve *wire = event_wire(event);
	struct data_execve *data = &event->data.execve; /* execve_script has the same fields */
	struct path image = path_decode(event, &wire->image);
	struct path cwd = path_decode(event, &wire->cwd_path);
	struct path exe = image;

	if (event->type == EVENT_execve_script)
		exe = script_path(event, wire, &data->exe_unverified);
	data->command_line = argv_join(event->arena, event_slot(event, wire->args));
	if (wire->args.len < wire->args_length)
		data->command_line_size = wire->args_length;
	if (wire->cwd_path.mode)
		data->cwd = cwd.text;

	enrich_fill_hashes(&data->exe, exe.text, &prefetch->files[PREFETCH_EXE]);
	fill_inode(event, &data->exe, &exe);
	if (event->type == EVENT_execve_script) {
		struct obj_hashes *interpreter = arena_zalloc(event->arena, sizeof(*interpreter));
		if (interpreter) {
			enrich_fill_hashes(interpreter, image.text, &prefetch->files[PREFETCH_INTERPRETER]);
			fill_inode(event, interpreter, &image);
		}
		data->interpreter = interpreter;
	}

	struct process *p = process_get(&e->processes, &event->wire->task, &event->wire->parent);
	data->ancestors = STR("");
	data->parent_exe = STR("?");
	data->parent_command_line = STR("?");
	if (!p)
		return;
	process_adopt(&e->processes, p, &event->wire->parent);
	p->task = event->wire->task;
	process_set_text(p, &p->exe, exe.text);
	process_set_text(p, &p->image, image.text);
	process_set_text(p, &p->command_line, data->command_line);
	process_set_text(p, &p->nodename, nodename_text(event, wire->nodename));
	process_changed(p);
	enrich_join_namespace(e, p, wire_mnt_ns(&event->wire->task));
	if (event->wire->task.mnt_ns != e->host_mnt_ns)
		users_expect_change(e->users, wire_mnt_ns(&event->wire->task));
	set_cgroup(e, p, cgroup_path(event, wire->cgroup));
	data->ancestors = process_ancestors(p);
	if (p->parent) {
		data->parent_exe = p->parent->exe.p ? p->parent->exe : STR("?");
		data->parent_command_line = p->parent->command_line.p ? p->parent->command_line : STR("?");
	}
}

void enrich_clone(struct enricher *e, struct event *event)
{
	const struct wire_clone *wire = event_wire(event);
	const struct wire_task creator_task = {.start = wire->creator_start,
					       .tgid = (uint32_t)wire->creator_tgid};
	struct process *p = process_find(&e->processes, &event->wire->task);

	if (p || event->wire->task.pid != event->wire->task.tgid)
		return; /* a thread, or seen by the snapshot already */
	p = process_get(&e->processes, &event->wire->task, &event->wire->parent);
	if (!p)
		return;
	/* not before: room may have been made for it */
	const struct process *creator = process_find(&e->processes, &creator_task);
	if (creator && creator != p)
		process_inherit(p, creator);
	set_cgroup(e, p, wire->cgroup.off ? cgroup_path(event, wire->cgroup) : p->cgroup);
	process_set_text(p, &p->nodename, nodename_text(event, wire->nodename));
	enrich_join_namespace(e, p, wire_mnt_ns(&event->wire->task));
}

void enrich_cgroup_move(struct enricher *e, const struct event *event)
{
	const struct wire_cgroup_move *wire = event_wire(event);
	struct process *p = process_find(&e->processes, &event->wire->task);

	if (p)
		set_cgroup(e, p, cgroup_path(event, wire->cgroup));
}

void enrich_exit(struct enricher *e, const struct event *event)
{
	bool last = event->type == EVENT_process_end;

	if (event->type == EVENT_exit)
		last = ((const struct wire_exit *)event_wire(event))->last;
	else if (event->type == EVENT_exit_group)
		last = ((const struct wire_exit_group *)event_wire(event))->last;
	struct process *p = last ? process_find(&e->processes, &event->wire->task) : NULL;
	if (!p)
		return;
	if (p->mnt_ns && !p->exited_at)
		mount_ns_leave(e->namespaces, p->mnt_ns, p->key.tgid, p->key.start, event->wire->time);
	p->mnt_ns = 0;
	process_exit(&e->processes, p, event->wire->time);
}

/* The start time in ns that /proc/<pid>/stat shows in clock ticks; 0 when the process is gone. */
static uint64_t proc_start(uint32_t pid)
{
	char path[32], text[1024];
	unsigned long long ticks;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* field 22; the second one is in parentheses and may hold anything */
	char *at = strrchr(text, ')');
	if (!at || sscanf(at + 1,
			  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
			  &ticks) != 1)
		return 0;
	return ticks * (1000000000ULL / (unsigned long)sysconf(_SC_CLK_TCK));
}

/* The argument area: only /proc has it for a process that runs already. */
static struct str proc_args(struct arena *a, const struct wire_task *task)
{
	const uint64_t tick = 1000000000ULL / (unsigned long)sysconf(_SC_CLK_TCK);
	char path[32];
	char *args = arena_alloc(a, PROC_TEXT_MAX);
	size_t len = 0;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", task->tgid);
	int fd = args ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return (struct str){0};
	for (ssize_t n; len < PROC_TEXT_MAX && (n = read(fd, args + len, PROC_TEXT_MAX - len)) > 0;)
		len += (size_t)n;
	close(fd);
	/* was it still this process? */
	if (proc_start(task->tgid) / tick != task->start / tick)
		return (struct str){0};
	return (struct str){args, (uint32_t)len};
}

static struct str proc_exe(struct arena *a, const struct wire_task *task)
{
	char path[32], target[4096];

	snprintf(path, sizeof(path), "/proc/%u/exe", task->tgid);
	ssize_t n = readlink(path, target, sizeof(target));
	if (n <= 0 || n == sizeof(target))
		return STR("?");
	return utf8_repair(a, arena_str(a, (struct str){target, (uint32_t)n}));
}

/* The host's mount namespace is that of pid 1, which the kernel tells: /proc/1 may be closed to us. */
static void note_init(struct enricher *e, const struct wire_task *task)
{
	if (task->tgid != 1 || !task->mnt_ns)
		return;
	mount_ns_set_host(e->namespaces, wire_mnt_ns(task));
	e->host_mnt_ns = task->mnt_ns;
}

/* A kernel may hide a process from the snapshot that its children tell of. */
static void seed_parent(struct enricher *e, const struct event *event)
{
	static const struct wire_task unknown;
	const struct wire_task *task = &event->wire->parent;
	struct process *p;

	if (task->tgid == 0 || process_find(&e->processes, task))
		return;
	p = process_get(&e->processes, task, &unknown);
	if (!p)
		return;
	struct str args = proc_args(event->arena, task);
	process_set_text(p, &p->command_line, args.p ? argv_join(event->arena, args) : STR("?"));
	process_set_text(p, &p->exe, proc_exe(event->arena, task));
	process_set_text(p, &p->image, p->exe);
	enrich_join_namespace(e, p, wire_mnt_ns(task));
}

void enrich_seed(struct enricher *e, const struct event *event)
{
	const struct wire_seed *wire = event_wire(event);
	const struct wire_task *task = &event->wire->task;
	struct process *p = process_get(&e->processes, task, &event->wire->parent);
	if (!p)
		return;
	note_init(e, task);
	note_init(e, &event->wire->parent);

	struct str exe = task->flags & PF_KTHREAD ? STR("kernel") : path_decode(event, &wire->image).text;
	process_set_text(p, &p->exe, exe);
	process_set_text(p, &p->image, exe);
	if (!(task->flags & PF_KTHREAD)) {
		struct str args = proc_args(event->arena, task);
		process_set_text(p, &p->command_line, args.p ? argv_join(event->arena, args) : STR("?"));
	} else {
		process_set_text(p, &p->command_line, STR(""));
	}
	process_set_text(p, &p->cgroup, cgroup_path(event, wire->cgroup));
	process_set_text(p, &p->nodename, nodename_text(event, wire->nodename));
	p->parent_key = process_key_of(&event->wire->parent); /* seed_parent() may have made it without */
	enrich_join_namespace(e, p, wire_mnt_ns(task));
	seed_parent(e, event);
}

void enricher_seed_done(struct enricher *e)
{
	struct process *p, *next;

	process_link_parents(&e->processes);
	HASH_ITER(hh, e->processes.entries, p, next)
	{
		set_cgroup(e, p, p->cgroup);
	}
}
