/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "bpf/base/config.h"
#include "probe/hooks.h"
#include "probe/internal.h"
#include "probe/object.h"
#include "probe/signature.h"

enum {
	REFUSALS_MAX = 32, /* programs that may be left out before we give up */
};

#define ACCESSES \
	(1ULL << EVENT_read | 1ULL << EVENT_read_config | 1ULL << EVENT_write | 1ULL << EVENT_write_config)

#define URING                                                                                               \
	(ACCESSES | NAMES | 1ULL << EVENT_write_close | 1ULL << EVENT_file_create | 1ULL << EVENT_connect | \
	 1ULL << EVENT_send_data | 1ULL << EVENT_dns_query)
#define NAMES (1ULL << EVENT_file_unlink | 1ULL << EVENT_file_rename)

/* libbpf names a refused program in its messages only; this remembers the last one. */
static __thread char refused[NAME_MAX_LEN];
static __thread bool verbose;

static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[512];
	va_list copy;

	va_copy(copy, args);
	vsnprintf(text, sizeof(text), format, copy);
	va_end(copy);
	if (strstr(text, "BPF program load failed"))
		sscanf(text, "libbpf: prog '%63[^']'", refused);
	return verbose && level != LIBBPF_DEBUG ? vfprintf(stderr, format, args) : 0;
}

/* The modern build needs more than this helper, but what else it needs is older. */
static bool kernel_is_modern(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_task_pt_regs, NULL) == 1;
}

bool load_wants(const struct probe *p, uint64_t events)
{
	return (events & p->options.wanted & ~p->trampoline) != 0;
}

bool load_wants_hook(const struct probe *p, const struct hook *hook)
{
	uint64_t events = hook->events & p->options.wanted;

	if (hook->traits & TRAMPOLINE_KINDS)
		return events & p->trampoline && *p->targets[hook - hooks];
	return hook->traits & BY_TRACEPOINT ? load_wants(p, events) : events != 0;
}

/* The entries of a hook are called like it, with a number: see turns.h of the kernel side. */
static bool is_entry_of(const char *name, const char *hook)
{
	size_t len = strlen(hook);

	return strncmp(name, hook, len) == 0 && name[len] == '_' && name[len + 1] >= '0' &&
	       name[len + 1] < '0' + TURN_ENTRIES && name[len + 2] == '\0';
}

static bool is_of(const char *name, const char *hook)
{
	return strcmp(name, hook) == 0 || is_entry_of(name, hook);
}

const struct hook *load_find_hook(const char *program)
{
	for (size_t i = 0; i < hook_count; i++)
		if (is_of(program, hooks[i].program))
			return &hooks[i];
	return NULL;
}

static bool program_wanted(const struct probe *p, const char *name)
{
	for (size_t i = 0; i < hook_count; i++) {
		if (strcmp(hooks[i].program, name) == 0)
			return load_wants_hook(p, &hooks[i]);
		if (is_entry_of(name, hooks[i].program))
			return p->modern && load_wants_hook(p, &hooks[i]);
	}
	for (size_t i = 0; i < hook_syscall_count; i++)
		if (strcmp(hook_syscalls[i].program, name) == 0 && load_wants(p, hook_syscalls[i].events) &&
		    (hook_syscalls[i].native != NO_SYSCALL || hook_syscalls[i].compat != NO_SYSCALL))
			return true;
	if (strcmp(name, "exit_pending") == 0)
		return !p->pending_alone && load_wants(p, 1ULL << EVENT_write_close);
	if (strcmp(name, "on_pending") == 0)
		return p->pending_alone;
	return strcmp(name, "seed_tasks") == 0 || strncmp(name, "learn", strlen("learn")) == 0;
}

void load_skip_program(struct probe *p, const char *name)
{
	buf_printf(&p->skipped, p->skipped.len ? " %s" : "%s", name);
}

bool load_was_refused(const struct probe *p, const char *name)
{
	return words_contain(probe_skipped(p), ' ', name);
}

struct bpf_map *load_find_map(const struct probe *p, const char *name)
{
	return bpf_object__find_map_by_name(p->object, name);
}

/* Two thirds, as in Kunai; the first event of a second that is left out is told, so it is never 0. */
static uint64_t files_limit_of_task(uint64_t limit)
{
	return limit / 3 * 2 + limit % 3 * 2 / 3 + (limit == 1);
}

static int set_config(struct probe *p)
{
	struct bpf_map *map = load_find_map(p, ".rodata.config");
	uint64_t secret;
	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		return -errno;
	const struct bpf_config config = {
		.wanted = p->options.wanted,
		.trampoline = p->trampoline,
		.mutable = p->options.mutable & p->options.wanted,
		.send_min_len = p->options.send_min_len,
		.self_tgid = (uint32_t)getpid(),
		.max_args = p->options.max_args,
		.possible_cpus = p->cpus,
		.wakeup_process = p->options.ring_process / 4,
		.wakeup_other = p->options.ring_other / 4,
		.uring_request = p->uring_request,
		.uring_told = p->uring_told,
		.id_mapped = p->id_mapped,
		.secret = secret,
		.files_limit = p->options.files_limit,
		.files_limit_task = files_limit_of_task(p->options.files_limit),
	};

	return map ? bpf_map__set_initial_value(map, &config, sizeof(config)) : -ENOENT;
}

static int set_accesses(struct probe *p)
{
	struct bpf_map *map = load_find_map(p, ".rodata.calls");
	uint16_t accesses[2 * CALL_NUMBERS] = {0};

	for (size_t i = 0; i < hook_access_count; i++) {
		const struct hook_access *a = &hook_accesses[i];
		if (a->native != NO_SYSCALL)
			accesses[a->native] = a->how;
		if (a->compat != NO_SYSCALL)
			accesses[CALL_NUMBERS + a->compat] = a->how;
	}
	return map ? bpf_map__set_initial_value(map, accesses, sizeof(accesses)) : -ENOENT;
}

static int set_map_sizes(struct probe *p)
{
	struct bpf_map *large = load_find_map(p, "scratch_large");
	const struct {
		const char *name;
		uint32_t entries;
	} sizes[] = {
		{"ring_process", p->options.ring_process},
		{"ring_other", p->options.ring_other},
		{"scratch_small", p->cpus * SMALL_SLOTS},
		{"scratch_large", p->cpus * LARGE_SLOTS},
		{"slots", p->cpus * CPU_SLOTS},
		{"counters", p->cpus * EVENT_COUNT},
		{"file_rates", p->cpus},
		{"task_file_rates", p->options.files_limit ? RATED_TASKS : 1},
		{"held_records", p->options.wanted & NAMES ? HELD_RECORDS : 1},
		{"accesses", p->options.wanted & ACCESSES ? 1 << ACCESS_BUCKET_BITS : 1},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct bpf_map *map = load_find_map(p, sizes[i].name);
		int err = map ? bpf_map__set_max_entries(map, sizes[i].entries) : -ENOENT;
		if (err)
			return err;
	}
	return bpf_map__set_value_size(large, bpf_map__value_size(large) + p->options.max_args);
}

/* Asks the kernel's BTF, which the object loads once and keeps. */
static bool has_target(struct bpf_program *program, const char *tracepoint)
{
	return bpf_program__set_attach_target(program, 0, tracepoint) == 0;
}

/* Before 6.4. Which argument is the request: the first one since 6.0, the second one since 5.14; before, there is none. */
static bool learn_uring_request(struct probe *p)
{
	struct signature s;

	if (p->uring_request_known)
		return true;
	if (signature_read(p->btf, "io_uring_submit_sqe", &s) < 0 || (s.pointers < 2 && s.arguments != 2)) {
		load_skip_program(p, "on_uring_submit");
		return false;
	}
	p->uring_request = s.pointers > 1;
	p->uring_request_known = true;
	return true;
}

/* Whether the end of a request tells which one it was: since 5.18 (cef216fc32d7), two pointers come first. */
static void learn_uring_told(struct probe *p)
{
	struct signature s;

	if (!p->uring_told_known)
		p->uring_told = signature_read(p->btf, "io_uring_complete", &s) == 0 && s.pointers >= 2;
	p->uring_told_known = true;
}

/* Points a program to what this kernel calls the tracepoint; false when it has none. */
static bool choose_target(struct probe *p, struct bpf_program *program, const char *name)
{
	const struct hook *hook = load_find_hook(name);

	if (hook && hook->traits & TRAMPOLINE_KINDS)
		return has_target(program, p->targets[hook - hooks]);
	if (hook && hook->traits & OPTIONAL_TRACEPOINT)
		return has_target(program, hook->name);
	if (!is_of(name, "on_uring_submit"))
		return true;
	return has_target(program, "io_uring_submit_req") || /* since 6.4 */
	       (has_target(program, "io_uring_submit_sqe") && learn_uring_request(p));
}

static int open_object(struct probe *p, bool modern)
{
	struct bpf_program *program;

	int err = object_open_sensor(modern, &p->object);
	if (err)
		return err;
	bpf_object__for_each_program(program, p->object)
	{
		const char *name = bpf_program__name(program);
		bpf_program__set_autoload(program, program_wanted(p, name) && !load_was_refused(p, name));
		if (bpf_program__autoload(program))
			bpf_program__set_autoload(program, choose_target(p, program, name));
	}
	if (p->options.wanted & URING)
		learn_uring_told(p);
	err = set_config(p);
	if (!err)
		err = set_accesses(p);
	return err ? err : set_map_sizes(p);
}

static bool is_essential(const char *program)
{
	const struct hook *hook = load_find_hook(program);

	return hook && hook->traits & ESSENTIAL;
}

/* Before the next try. */
static void leave_out(struct probe *p, const char *program)
{
	const struct hook *hook = load_find_hook(program);

	if (strcmp(program, "exit_pending") == 0)
		p->pending_alone = true; /* see dispatch.h of the kernel side */
	else if (hook && hook->traits & TRAMPOLINE_KINDS)
		tier_refuse(p, hook, "the kernel refuses the program");
	else
		load_skip_program(p, program);
}

/*
 * Loads; a program that the kernel refuses is left out and the rest is tried again. Of the modern build no essential
 * one is left out: the legacy build may do better. (Linux 5.15 on arm64 has the helpers, but its compiler knows no
 * atomics that return a value; they came with 5.18, 1902472b4fa9.)
 */
static int load_object(struct probe *p, bool modern)
{
	p->modern = modern;
	buf_reset(&p->skipped);
	for (int i = 0; i < REFUSALS_MAX; i++) {
		int err = open_object(p, modern);
		if (err)
			return err;
		refused[0] = '\0';
		err = bpf_object__load(p->object);
		if (!err || !refused[0])
			return err;
		leave_out(p, refused);
		bpf_object__close(p->object);
		p->object = NULL;
		if (modern && is_essential(refused))
			return -EOPNOTSUPP;
	}
	return -ENOEXEC;
}

int load_programs(struct probe *p)
{
	verbose = p->options.verbose;
	libbpf_set_print(on_libbpf_message);
	int err = kernel_is_modern() ? load_object(p, true) : -EOPNOTSUPP;
	return err == -EOPNOTSUPP ? load_object(p, false) : err;
}
