/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/enricher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/utc_clock.h"
#include "base/utf8.h"
#include "enrich/host.h"
#include "enrich/internal.h"

static void random_bytes(struct enricher *e, void *ret, size_t len)
{
	if (e->random_used + len > sizeof(e->random)) {
		/* up to 256 bytes the kernel never returns fewer; a request is never interrupted for long */
		for (size_t at = 0; at < sizeof(e->random); at += 256)
			while (getrandom(e->random + at, 256, 0) != 256)
				;
		e->random_used = 0;
	}
	memcpy(ret, e->random + e->random_used, len);
	e->random_used += len;
}

struct enricher *enricher_new(const char *host_uuid, uint32_t workers)
{
	struct enricher *e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;

	e->random_used = sizeof(e->random);
	random_bytes(e, &e->salt, sizeof(e->salt));
	random_bytes(e, &e->names_seed, sizeof(e->names_seed));
	uuid_parse(host_uuid, e->host_uuid.bytes);
	e->self_tgid = (uint32_t)getpid();
	prog_asker_init(&e->progs, -1);
	dns_names_init(&e->names, &dns_names_global, e->names_seed);
	int err = community_id_init(&e->community_id);
	if (!err) {
		e->container_lookups = container_lookups_new("/", 0);
		e->containers = e->container_lookups ? container_table_new(e->container_lookups) : NULL;
		e->namespaces = e->containers ? mount_ns_new("/proc") : NULL;
		e->peeker = e->namespaces ? file_peeker_new(e->namespaces) : NULL;
		e->users = e->peeker ? users_new(e->namespaces, e->peeker) : NULL;
		e->hasher = e->users ? hasher_new(workers) : NULL;
		err = e->hasher ? 0 : -errno;
	}
	if (err) {
		enricher_free(e);
		errno = -err;
		return NULL;
	}
	host_read_name(e->namespaces, e->host_name);
	e->host_mnt_ns = (uint32_t)mount_ns_host(e->namespaces);
	return e;
}

void enricher_free(struct enricher *e)
{
	if (!e)
		return;
	bool all_back = hasher_free(e->hasher);
	exec_files_free(e->exec_files);
	exec_files_free(e->closed_files);
	names_forget(&e->path_names);
	all_back &= file_scans_free(e->scans);
	if (e->users)
		users_free(e->users);
	all_back &= file_peeker_free(e->peeker);
	process_table_fini(&e->processes);
	container_table_free(e->containers);
	container_lookups_free(e->container_lookups);
	if (e->namespaces && all_back)
		mount_ns_free(e->namespaces);
	dns_names_fini(&e->names);
	community_id_fini(&e->community_id);
	arena_fini(&e->prefetch_arena);
	free(e);
}

void enricher_set_prog_helper(struct enricher *e, int fd)
{
	prog_asker_init(&e->progs, fd);
}

int enricher_seed(struct enricher *e, const void *record, size_t len)
{
	struct event event;
	int err = event_decode(record, len, &e->prefetch_arena, &event);

	if (!err && event.type != EVENT_seed)
		err = -EBADMSG;
	if (!err)
		enrich_seed(e, &event);
	arena_reset(&e->prefetch_arena);
	return err;
}

struct process *enrich_process(struct enricher *e, const struct event *event)
{
	return process_find(&e->processes, &event->wire->task);
}

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

void enrich_renew_uuid(struct enricher *e, struct event *event)
{
	random_bytes(e, event->info.event.uuid.bytes, sizeof(event->info.event.uuid.bytes));
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

/* What the type of event has of its own. */
static void complete(struct enricher *e, struct event *event, struct process *p,
		     const struct prefetch *prefetch)
{
	switch (event->type) {
	case EVENT_throttle:
		enrich_throttle(event);
		break;
	case EVENT_denied:
		enrich_denied(event);
		break;
	case EVENT_connect:
		enrich_connect(e, event, p);
		break;
	case EVENT_send_data:
		enrich_send_data(e, event, p);
		break;
	case EVENT_bpf_socket_filter:
		enrich_bpf_socket_filter(event, prefetch);
		break;
	case EVENT_bpf_prog_load:
		enrich_bpf_prog_load(event, prefetch);
		break;
	case EVENT_init_module:
		enrich_init_module(event, prefetch);
		break;
	case EVENT_write_close:
		enrich_write_close(e, event, prefetch);
		break;
	case EVENT_kill:
		enrich_kill(e, event);
		break;
	case EVENT_ptrace:
		enrich_ptrace(e, event);
		break;
	case EVENT_prctl:
		enrich_prctl(event);
		break;
	case EVENT_mmap_exec:
		enrich_mmap_exec(event, prefetch);
		break;
	case EVENT_mprotect_exec:
		enrich_mprotect_exec(event);
		break;
	case EVENT_write:
	case EVENT_write_config:
		enrich_write(e, event, prefetch);
		break;
	case EVENT_file_unlink:
		enrich_file_unlink(e, event, prefetch);
		break;
	case EVENT_io_uring_sqe:
		enrich_io_uring_sqe(e, event, p);
		break;
	default:
		break;
	}
}

/* Some are for the tables alone; some become several. */
static void tell(struct enricher *e, struct event *event, struct process *p, const struct prefetch *prefetch,
		 enricher_emit_fn emit, void *context)
{
	switch (event->type) {
	case EVENT_process_end:
	case EVENT_cgroup_move:
	case EVENT_seed:
		break;
	case EVENT_dns_query:
		enrich_dns_query(e, event, p, emit, context);
		break;
	case EVENT_file_rename:
		enrich_file_rename(e, event, prefetch, emit, context);
		break;
	default:
		complete(e, event, p, prefetch);
		emit(context, event);
	}
}

void enricher_apply(struct enricher *e, struct event *event, const struct prefetch *prefetch,
		    enricher_emit_fn emit, void *context)
{
	struct process *p;

	if (event->wire->time > e->now)
		e->now = event->wire->time;
	enrich_restore_namespaces(e, event);
	/* what changes the table comes before what is read from it */
	if (event->type == EVENT_execve || event->type == EVENT_execve_script)
		enrich_exec(e, event, prefetch);
	else if (event->type == EVENT_clone)
		enrich_clone(e, event);
	else if (event->type == EVENT_cgroup_move)
		enrich_cgroup_move(e, event);
	p = enrich_process(e, event);
	if (p) {
		enrich_join_namespace(e, p, wire_mnt_ns(&event->wire->task));
		enrich_note_namespace(p, &event->wire->task);
	}
	fill_info(e, event, p);
	fill_common(event, p);

	tell(e, event, p, prefetch, emit, context);
	enrich_exit(e, event);
}

/* The sensor's own task, from its entry in the table. */
void enricher_fill_own(struct enricher *e, struct event *event)
{
	static const struct wire_header none;
	struct process *p, *next;
	struct wire_header *head = arena_zalloc(event->arena, sizeof(*head));
	if (!head) {
		event->wire = &none;
		return;
	}
	HASH_ITER(hh, e->processes.entries, p, next)
	{
		if (p->key.tgid != e->self_tgid || p->exited_at)
			continue;
		head->task = p->task;
		if (p->parent)
			head->parent = p->parent->task;
		break;
	}
	event->wire = head;
	event_fill_tasks(event);
	fill_info(e, event, p);
	fill_common(event, p);
}

int enricher_fd(const struct enricher *e)
{
	return hasher_event_fd(e->hasher);
}

int enricher_prog_fd(const struct enricher *e)
{
	return e->progs.fd;
}

void enricher_collect(struct enricher *e)
{
	hasher_collect(e->hasher);
	prog_asker_collect(&e->progs, e->now);
}

int enricher_hold_executed(struct enricher *e)
{
	e->exec_files = exec_files_new(EXEC_FILES_EXECUTED);
	return e->exec_files ? 0 : -errno;
}

int enricher_expect_scans(struct enricher *e, uint64_t events)
{
	bool closed = events >> EVENT_write_close & 1;

	e->scan_events = events;
	if (closed && !e->closed_files)
		e->closed_files = exec_files_new(EXEC_FILES_CLOSED);
	if (closed)
		return e->closed_files ? 0 : -errno;
	exec_files_free(e->closed_files);
	e->closed_files = NULL;
	return 0;
}

int enricher_start_scans(struct enricher *e, const struct content_engine *engine, uint32_t matchers,
			 uint32_t timeout_s)
{
	e->scans = file_scans_new(engine, matchers, timeout_s);
	return e->scans ? 0 : -errno;
}

bool enricher_next_scan(struct enricher *e, struct arena *arena, struct event *ret)
{
	if (!e->scans || !file_scans_next(e->scans, arena, ret))
		return false;
	enrich_renew_uuid(e, ret);
	return true;
}

int enricher_scans_fd(const struct enricher *e)
{
	return e->scans ? file_scans_fd(e->scans) : -1;
}

int enricher_mounts_fd(const struct enricher *e)
{
	return e->exec_files ? exec_files_mounts_fd(e->exec_files) : -1;
}

void enricher_mounts_changed(struct enricher *e)
{
	exec_files_mounts_changed(e->exec_files);
}

void enricher_end_reading(struct enricher *e, uint64_t now)
{
	names_forget(&e->path_names);
	if (e->exec_files)
		exec_files_read(e->exec_files, now);
	if (!e->closed_files)
		return;
	exec_files_expire(e->closed_files, now);
	exec_files_read(e->closed_files, now);
}

void enricher_tick(struct enricher *e, uint64_t now)
{
	process_expire(&e->processes, now);
	mount_ns_expire(e->namespaces, now);
	prog_asker_collect(&e->progs, now);
	hasher_watch(e->hasher, now);
	if (e->scans)
		file_scans_watch(e->scans, now);
}

static void fill_own_exe(struct event *event, struct obj_hashes *ret)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	const struct file_hashes *h = hasher_file_now(fd);

	ret->path = utf8_repair(event->arena,
				arena_str(event->arena, (struct str){path, n > 0 ? (uint32_t)n : 0}));
	ret->magic = arena_str(event->arena, str_of(h->magic));
	ret->md5 = arena_str(event->arena, str_of(h->md5));
	ret->sha1 = arena_str(event->arena, str_of(h->sha1));
	ret->sha256 = arena_str(event->arena, str_of(h->sha256));
	ret->sha512 = arena_str(event->arena, str_of(h->sha512));
	ret->size = h->size;
	ret->error = h->error ? arena_str(event->arena, str_of(h->error)) : (struct str){0};
	file_hashes_release(h);
	if (fd >= 0)
		close(fd);
}

/* RFC 3339 with as few of 0, 3, 6 or 9 digits as the time needs. */
static struct str boot_time_text(struct arena *a, uint64_t ns)
{
	char seconds[32];
	struct tm tm;
	time_t time = (time_t)(ns / 1000000000);
	uint32_t rest = (uint32_t)(ns % 1000000000);

	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", gmtime_r(&time, &tm));
	if (rest == 0)
		return arena_printf(a, "%sZ", seconds);
	if (rest % 1000000 == 0)
		return arena_printf(a, "%s.%03uZ", seconds, rest / 1000000);
	if (rest % 1000 == 0)
		return arena_printf(a, "%s.%06uZ", seconds, rest / 1000);
	return arena_printf(a, "%s.%09uZ", seconds, rest);
}

void enricher_fill_start(struct enricher *e, struct event *event)
{
	struct obj_system *system = &event->data.start.system;
	struct host_info host;

	enricher_fill_own(e, event);
	fill_own_exe(event, &event->data.start.kunai.exe);
	system->sysname = system->release = system->version = system->machine = system->domainname = STR("?");
	if (host_read(e->namespaces, &host) < 0)
		return;
	system->uptime = host.uptime;
	system->boot_time = boot_time_text(event->arena, host.boot_time_ns);
	system->sysname = arena_str(event->arena, str_of(host.system.sysname));
	system->release = arena_str(event->arena, str_of(host.system.release));
	system->version = arena_str(event->arena, str_of(host.system.version));
	system->machine = arena_str(event->arena, str_of(host.system.machine));
	system->domainname =
		utf8_repair(event->arena, arena_str(event->arena, str_of(host.system.domainname)));
}

void enricher_read_stats(const struct enricher *e, struct enricher_stats *ret)
{
	*ret = e->stats;
	ret->process_losses = e->processes.losses;
	ret->process_bytes = e->processes.texts.bytes;
	ret->processes = HASH_COUNT(e->processes.entries);
	hasher_read_stats(e->hasher, &ret->hasher);
	if (e->exec_files)
		exec_files_read_stats(e->exec_files, &ret->executed);
	if (e->closed_files)
		exec_files_read_stats(e->closed_files, &ret->closed);
	ret->progs_refused = e->progs.refused;
	ret->progs_unknown = e->progs.unknown;
	container_lookups_read_stats(e->container_lookups, &ret->containers);
	if (e->scans)
		file_scans_read_stats(e->scans, &ret->scans);
	ret->unanswered = ret->hasher.stuck + ret->scans.stuck + file_peek_stuck(e->peeker);
}
