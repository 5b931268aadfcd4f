/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bpf/base/config.h"
#include "probe/hooks.h"
#include "probe/learn.h"
#include "probe/object.h"

enum {
	ENTRIES = 5,
	ENTRIES_NESTED = 3, /* of a task, of a softirq that interrupts it, of an interrupt of that */
	REFUSALS_MAX = 32,  /* programs that may be left out before we give up */
	NAME_MAX_LEN = 64,
	/* as in bpf/base/maps.h */
	SMALL_SLOTS = 4,
	LARGE_SLOTS = 2,
	CPU_SLOTS = SMALL_SLOTS + LARGE_SLOTS,
	SLOT_CLAIMED = 1,
	CLAIM_SPINS = 1000000,
};

/* The positions of a ring, as the kernel and libbpf keep them in its first pages. */
struct ring_positions {
	const volatile uint64_t *consumer, *producer;
};

enum { RINGS = 2 };

struct probe {
	struct ring_positions positions[RINGS];
	bool blocked;
	struct bpf_object *object;
	struct ring_buffer *rings;
	struct bpf_link **links;
	size_t link_count;
	uint32_t cpus;
	const volatile uint64_t *slots;
	size_t slots_size;
	const struct wire_counters *counters;
	size_t counters_size;
	struct kernel_facts facts;
	bool modern;
	struct probe_options options;
	struct buf skipped;
	probe_record_fn fn;
	void *context;
};

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

static bool hook_wanted(const struct probe *p, uint64_t events)
{
	return (events & p->options.wanted) != 0;
}

/* The entries of a hook are called like it, with a number: see turns.h of the kernel side. */
static bool is_entry_of(const char *name, const char *hook)
{
	size_t len = strlen(hook);

	return strncmp(name, hook, len) == 0 && name[len] == '_' && name[len + 1] >= '0' &&
	       name[len + 1] < '0' + ENTRIES && name[len + 2] == '\0';
}

static bool program_wanted(const struct probe *p, const char *name)
{
	for (size_t i = 0; i < hook_tracepoint_count; i++) {
		if (strcmp(hook_tracepoints[i].program, name) == 0)
			return hook_wanted(p, hook_tracepoints[i].events);
		if (is_entry_of(name, hook_tracepoints[i].program))
			return p->modern && hook_wanted(p, hook_tracepoints[i].events);
	}
	for (size_t i = 0; i < hook_syscall_count; i++)
		if (strcmp(hook_syscalls[i].program, name) == 0 && hook_wanted(p, hook_syscalls[i].events))
			return true;
	if (strcmp(name, "exit_pending") == 0)
		return hook_wanted(p, 1ULL << EVENT_write_close);
	return strcmp(name, "seed_tasks") == 0 || strncmp(name, "learn", strlen("learn")) == 0;
}

static void skip_program(struct probe *p, const char *name)
{
	buf_printf(&p->skipped, p->skipped.len ? " %s" : "%s", name);
}

static bool was_refused(const struct probe *p, const char *name)
{
	size_t len = strlen(name);
	const char *at = p->skipped.len ? p->skipped.p : NULL;

	for (; at && (at = strstr(at, name)); at += len)
		if ((at == p->skipped.p || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

static struct bpf_map *map_of(const struct probe *p, const char *name)
{
	return bpf_object__find_map_by_name(p->object, name);
}

static int set_config(struct probe *p)
{
	struct bpf_map *map = map_of(p, ".rodata.config");
	const struct bpf_config config = {
		.wanted = p->options.wanted,
		.send_min_len = p->options.send_min_len,
		.self_tgid = (uint32_t)getpid(),
		.max_args = p->options.max_args,
		.possible_cpus = p->cpus,
		.wakeup_bytes = p->options.ring_other / 4,
	};

	return map ? bpf_map__set_initial_value(map, &config, sizeof(config)) : -ENOENT;
}

static int set_map_sizes(struct probe *p)
{
	struct bpf_map *large = map_of(p, "scratch_large");
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
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct bpf_map *map = map_of(p, sizes[i].name);
		int err = map ? bpf_map__set_max_entries(map, sizes[i].entries) : -ENOENT;
		if (err)
			return err;
	}
	return bpf_map__set_value_size(large, bpf_map__value_size(large) + p->options.max_args);
}

static int open_object(struct probe *p, bool modern)
{
	struct bpf_program *program;

	p->object =
		modern ? bpf_object__open_mem(bpf_object_tracepoint_start, EMBEDDED_SIZE(tracepoint), NULL)
		       : bpf_object__open_mem(bpf_object_tracepoint_legacy_start,
					      EMBEDDED_SIZE(tracepoint_legacy), NULL);
	if (!p->object)
		return -errno;
	bpf_object__for_each_program(program, p->object)
	{
		const char *name = bpf_program__name(program);
		bpf_program__set_autoload(program, program_wanted(p, name) && !was_refused(p, name));
		/* this asks the kernel's BTF, which the object loads once and keeps */
		if (strncmp(name, "on_exit_mmap", strlen("on_exit_mmap")) == 0 &&
		    bpf_program__autoload(program) &&
		    bpf_program__set_attach_target(program, 0, "exit_mmap") < 0)
			bpf_program__set_autoload(program, false); /* before 6.1 */
	}
	int err = set_config(p);
	return err ? err : set_map_sizes(p);
}

/* Loads; a program that the kernel refuses is left out and the rest is tried again. */
static int load_object(struct probe *p, bool modern)
{
	p->modern = modern;
	for (int i = 0; i < REFUSALS_MAX; i++) {
		int err = open_object(p, modern);
		if (err)
			return err;
		refused[0] = '\0';
		err = bpf_object__load(p->object);
		if (!err || !refused[0])
			return err;
		skip_program(p, refused);
		bpf_object__close(p->object);
		p->object = NULL;
	}
	return -ENOEXEC;
}

static int set_entry(struct probe *p, const char *array, int key, const char *program_name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(p->object, program_name);
	if (key == NO_SYSCALL || !program || !bpf_program__autoload(program))
		return 0;
	uint32_t index = (uint32_t)key;
	int fd = bpf_program__fd(program);
	return bpf_map_update_elem(bpf_map__fd(map_of(p, array)), &index, &fd, BPF_ANY);
}

static int fill_dispatch_tables(struct probe *p)
{
	int err = set_entry(p, "pending_work", 0, "exit_pending");

	for (size_t i = 0; i < hook_syscall_count && !err; i++) {
		const struct hook_syscall *hook = &hook_syscalls[i];
		if (!hook_wanted(p, hook->events))
			continue;
		err = set_entry(p, "native_calls", hook->native, hook->program);
		if (!err)
			err = set_entry(p, "compat_calls", hook->compat, hook->program);
	}
	return err;
}

/* The pages of a BPF_F_MMAPABLE array, read only. */
static const void *map_memory(const struct probe *p, const char *name, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, bpf_map__fd(map_of(p, name)), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static size_t page_round(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

static int on_record(void *context, void *record, size_t len)
{
	struct probe *p = context;

	return p->fn(p->context, record, len);
}

static int map_positions(const struct probe *p, const char *name, struct ring_positions *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = bpf_map__fd(map_of(p, name));
	void *consumer = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	void *producer = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);

	ret->consumer = consumer == MAP_FAILED ? NULL : consumer;
	ret->producer = producer == MAP_FAILED ? NULL : producer;
	return ret->consumer && ret->producer ? 0 : -errno;
}

static int open_readers(struct probe *p)
{
	p->rings = ring_buffer__new(bpf_map__fd(map_of(p, "ring_process")), on_record, p, NULL);
	if (!p->rings)
		return -errno;
	int err = ring_buffer__add(p->rings, bpf_map__fd(map_of(p, "ring_other")), on_record, p);
	if (!err)
		err = map_positions(p, "ring_process", &p->positions[0]);
	if (!err)
		err = map_positions(p, "ring_other", &p->positions[1]);
	if (err)
		return err;

	p->slots_size = page_round(sizeof(uint64_t) * p->cpus * CPU_SLOTS);
	p->slots = map_memory(p, "slots", p->slots_size);
	p->counters_size = page_round(sizeof(struct wire_counters) * p->cpus * EVENT_COUNT);
	p->counters = map_memory(p, "counters", p->counters_size);
	return p->slots && p->counters ? 0 : -errno;
}

static void raise_memlock(void)
{
	/* Before 5.11 maps are charged to this limit; afterwards it does not matter. */
	struct rlimit infinity = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &infinity);
}

int probe_open(const struct probe_options *options, struct probe **ret, struct buf *ret_message)
{
	struct probe *p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;

	p->options = *options;
	verbose = options->verbose;
	libbpf_set_print(on_libbpf_message);
	raise_memlock();
	int cpus = libbpf_num_possible_cpus();
	int err = cpus < 0 ? cpus : 0;
	if (err)
		goto fail;
	p->cpus = (uint32_t)cpus;

	err = load_object(p, kernel_is_modern());
	if (err) {
		buf_printf(ret_message, "cannot load the BPF programs: %s", strerror(-err));
		goto fail;
	}
	err = learn_kernel_facts(p->object, &p->facts);
	if (err) {
		buf_printf(ret_message, "the kernel refuses to attach BPF tracing programs: %s",
			   strerror(-err));
		goto fail;
	}
	err = fill_dispatch_tables(p);
	if (!err)
		err = open_readers(p);
	if (err) {
		buf_printf(ret_message, "cannot set up the BPF maps: %s", strerror(-err));
		goto fail;
	}
	*ret = p;
	return 0;
fail:
	probe_close(p);
	return err;
}

static bool attach_program(struct probe *p, struct bpf_program *program)
{
	struct bpf_link *link = program ? bpf_program__attach(program) : NULL;

	if (link)
		p->links[p->link_count++] = link;
	return link;
}

static struct bpf_program *entry_of(const struct probe *p, const struct hook_tracepoint *hook, int entry)
{
	char name[NAME_MAX_LEN];

	snprintf(name, sizeof(name), "%s_%d", hook->program, entry);
	return bpf_object__find_program_by_name(p->object, name);
}

/* Kernels of the legacy build run a program in the midst of itself. */
static bool takes_turns(const struct probe *p, const struct hook_tracepoint *hook)
{
	return p->modern && (p->facts.preemptible || hook->traits & INTERRUPTS);
}

/* In their order, which is the one in which the kernel runs them. */
static bool attach_entries(struct probe *p, const struct hook_tracepoint *hook)
{
	char array[NAME_MAX_LEN];

	snprintf(array, sizeof(array), "%s_body", hook->program);
	if (set_entry(p, array, 0, hook->program) < 0)
		return false;
	int entries = p->facts.preemptible ? ENTRIES : ENTRIES_NESTED;
	for (int i = 0; i < entries; i++)
		if (!attach_program(p, entry_of(p, hook, i)))
			return false;
	return true;
}

/* Without the hooks of process life no event has ancestors, and without the others there are few events. */
static int check_essential(const struct probe *p, struct buf *ret_message)
{
	for (size_t i = 0; i < hook_tracepoint_count && !p->options.force; i++) {
		const struct hook_tracepoint *hook = &hook_tracepoints[i];
		if (!(hook->traits & ESSENTIAL) || !was_refused(p, hook->program))
			continue;
		buf_printf(ret_message,
			   "the kernel refuses the program %s on the tracepoint %s: `kunai -d run` shows "
			   "why, and "
			   "--force-load goes on without it",
			   hook->program, hook->tracepoint);
		return -ENOEXEC;
	}
	return 0;
}

int probe_attach(struct probe *p, struct buf *ret_message)
{
	p->links = calloc(hook_tracepoint_count * ENTRIES, sizeof(*p->links));
	if (!p->links)
		return -ENOMEM;
	for (size_t i = 0; i < hook_tracepoint_count; i++) {
		const struct hook_tracepoint *hook = &hook_tracepoints[i];
		struct bpf_program *program = bpf_object__find_program_by_name(p->object, hook->program);
		if (!program || !bpf_program__autoload(program))
			continue;
		/* every call would pay for it: only where nothing else sees a file close */
		if (strcmp(hook->program, "on_sys_enter") == 0 && !p->facts.close_is_final)
			continue;
		if (!(takes_turns(p, hook) ? attach_entries(p, hook) : attach_program(p, program)))
			skip_program(p, hook->program);
	}
	return check_essential(p, ret_message);
}

void probe_detach(struct probe *p)
{
	for (size_t i = 0; i < p->link_count; i++)
		bpf_link__destroy(p->links[i]);
	p->link_count = 0;
}

static void unmap_positions(struct probe *p)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (int i = 0; i < RINGS; i++) {
		if (p->positions[i].consumer)
			munmap((void *)p->positions[i].consumer, page);
		if (p->positions[i].producer)
			munmap((void *)p->positions[i].producer, page);
	}
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
	probe_detach(p);
	free(p->links);
	ring_buffer__free(p->rings);
	unmap_positions(p);
	if (p->slots)
		munmap((void *)p->slots, p->slots_size);
	if (p->counters)
		munmap((void *)p->counters, p->counters_size);
	bpf_object__close(p->object);
	buf_fini(&p->skipped);
	free(p);
}

const char *probe_facts(const struct probe *p)
{
	static const char *const texts[2][2] = {
		{"close waits, tracepoints are not preempted", "close waits, tracepoints are preempted"},
		{"close is final, tracepoints are not preempted",
		 "close is final, tracepoints are preempted"},
	};

	return texts[p->facts.close_is_final][p->facts.preemptible];
}

const char *probe_skipped(const struct probe *p)
{
	return p->skipped.len ? p->skipped.p : "";
}

/* Splits what the iterator wrote into records. */
static int snapshot_records(struct buf *bytes, probe_record_fn fn, void *context)
{
	size_t at = 0;

	while (bytes->len - at >= sizeof(struct wire_header)) {
		struct wire_header head;
		memcpy(&head, bytes->p + at, sizeof(head));
		if (head.length < sizeof(head) || head.length > bytes->len - at)
			break;
		int err = fn(context, bytes->p + at, head.length);
		if (err < 0)
			return err;
		at += head.length;
	}
	memmove(bytes->p, bytes->p + at, bytes->len - at);
	bytes->len -= at;
	return 0;
}

int probe_snapshot(struct probe *p, probe_record_fn fn, void *context)
{
	enum { READ_SIZE = 64 * 1024 };
	struct bpf_program *program = bpf_object__find_program_by_name(p->object, "seed_tasks");
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	if (!link)
		return -errno;

	struct buf bytes = {0};
	int err = 0;
	int fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		err = -errno;
	while (!err) {
		ssize_t n =
			buf_reserve(&bytes, READ_SIZE) ? read(fd, bytes.p + bytes.len, READ_SIZE) : -ENOMEM;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0) {
			err = n < 0 ? -errno : 0;
			break;
		}
		bytes.len += (size_t)n;
		err = snapshot_records(&bytes, fn, context);
	}
	if (fd >= 0)
		close(fd);
	buf_fini(&bytes);
	bpf_link__destroy(link);
	return err;
}

int probe_fd(const struct probe *p)
{
	return ring_buffer__epoll_fd(p->rings);
}

int probe_read(struct probe *p, probe_record_fn fn, void *context)
{
	uint64_t there[RINGS];

	for (int i = 0; i < RINGS; i++)
		there[i] = __atomic_load_n(p->positions[i].producer, __ATOMIC_ACQUIRE);
	p->fn = fn;
	p->context = context;
	int n = ring_buffer__consume(p->rings);
	p->blocked = false;
	for (int i = 0; i < RINGS; i++)
		p->blocked =
			p->blocked || __atomic_load_n(p->positions[i].consumer, __ATOMIC_ACQUIRE) < there[i];
	return n;
}

bool probe_is_blocked(const struct probe *p)
{
	return p->blocked;
}

uint64_t probe_oldest_busy(const struct probe *p)
{
	uint64_t oldest = UINT64_MAX;

	for (size_t i = 0; i < p->cpus * CPU_SLOTS; i++) {
		uint64_t busy = __atomic_load_n(&p->slots[i], __ATOMIC_ACQUIRE);
		/* claimed, and about to take the time: a few instructions, unless it was preempted right there */
		for (int spin = 0; busy == SLOT_CLAIMED && spin < CLAIM_SPINS; spin++)
			busy = __atomic_load_n(&p->slots[i], __ATOMIC_ACQUIRE);
		if (busy && busy < oldest)
			oldest = busy;
	}
	return oldest;
}

static uint64_t program_misses(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (!program || bpf_program__fd(program) < 0 ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) < 0)
		return 0;
	return info.recursion_misses;
}

uint64_t probe_missed(const struct probe *p, size_t hook)
{
	const uint32_t key = (uint32_t)hook;
	const struct hook_tracepoint *row = &hook_tracepoints[hook];
	uint64_t rescued = 0;

	/* every event comes to the first entry, or is missed by it */
	uint64_t missed = takes_turns(p, row)
				  ? program_misses(entry_of(p, row, 0))
				  : program_misses(bpf_object__find_program_by_name(p->object, row->program));
	bpf_map_lookup_elem(bpf_map__fd(map_of(p, "rescued")), &key, &rescued);
	return missed > rescued ? missed - rescued : 0;
}

void probe_counters(const struct probe *p, struct wire_counters ret[EVENT_COUNT])
{
	enum { COLUMNS = sizeof(struct wire_counters) / sizeof(uint64_t) };
	uint64_t *sums = (uint64_t *)ret;

	memset(ret, 0, sizeof(*ret) * EVENT_COUNT);
	for (size_t cpu = 0; cpu < p->cpus; cpu++) {
		const volatile uint64_t *row = (const volatile uint64_t *)(p->counters + cpu * EVENT_COUNT);
		for (size_t i = 0; i < EVENT_COUNT * COLUMNS; i++)
			sums[i] += row[i];
	}
}
