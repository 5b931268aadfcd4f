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

void enrich_renew_uuid(struct enricher *e, struct event *event)
{
	random_bytes(e, event->info.event.uuid.bytes, sizeof(event->info.event.uuid.bytes));
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
	enrich_fill_info(e, event, p);

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
	enrich_fill_info(e, event, p);
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
