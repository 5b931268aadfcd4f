/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/base/config.h"
#include "probe/hooks.h"
#include "probe/internal.h"

enum {
	ENTRIES_NESTED = 3, /* of a task, of a softirq that interrupts it, of an interrupt of that */
};

static int set_entry(struct probe *p, const char *array, int key, const char *program_name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(p->object, program_name);
	if (key == NO_SYSCALL || !program || !bpf_program__autoload(program))
		return 0;
	uint32_t index = (uint32_t)key;
	int fd = bpf_program__fd(program);
	return bpf_map_update_elem(bpf_map__fd(load_find_map(p, array)), &index, &fd, BPF_ANY);
}

int attach_fill_tables(struct probe *p)
{
	int err = set_entry(p, "pending_work", 0, "exit_pending");

	for (size_t i = 0; i < hook_syscall_count && !err; i++) {
		const struct hook_syscall *hook = &hook_syscalls[i];
		if (!load_wants(p, hook->events))
			continue;
		err = set_entry(p, "native_calls", hook->native, hook->program);
		if (!err)
			err = set_entry(p, "compat_calls", hook->compat, hook->program);
	}
	return err;
}

static bool attach_program(struct probe *p, struct bpf_program *program)
{
	struct bpf_link *link = program ? bpf_program__attach(program) : NULL;

	if (link)
		p->links[p->link_count++] = link;
	return link;
}

static struct bpf_program *entry_of(const struct probe *p, const struct hook *hook, int entry)
{
	char name[NAME_MAX_LEN];

	snprintf(name, sizeof(name), "%s_%d", hook->program, entry);
	return bpf_object__find_program_by_name(p->object, name);
}

/* Kernels of the legacy build run a program in the midst of itself. */
static bool takes_turns(const struct probe *p, const struct hook *hook)
{
	return p->modern && (p->facts.preemptible || hook->traits & INTERRUPTS);
}

static int entry_count(const struct probe *p, const struct hook *hook)
{
	if (hook->traits & TRAMPOLINE_KINDS)
		return TRAMPOLINE_TURN_ENTRIES;
	return p->facts.preemptible ? TURN_ENTRIES : ENTRIES_NESTED;
}

/* So that the kernel runs them in their order: a tracepoint those first that came first, a trampoline those that came
 * last (bpf_trampoline_link_prog). */
static bool attach_entries(struct probe *p, const struct hook *hook)
{
	char array[NAME_MAX_LEN];
	int n = entry_count(p, hook);

	snprintf(array, sizeof(array), "%s_body", hook->program);
	if (set_entry(p, array, 0, hook->program) < 0)
		return false;
	for (int i = 0; i < n; i++)
		if (!attach_program(p, entry_of(p, hook, hook->traits & TRAMPOLINE_KINDS ? n - 1 - i : i)))
			return false;
	return true;
}

static bool attach_hook(struct probe *p, const struct hook *hook)
{
	return takes_turns(p, hook)
		       ? attach_entries(p, hook)
		       : attach_program(p, bpf_object__find_program_by_name(p->object, hook->program));
}

int attach_trampolines(struct probe *p)
{
	uint64_t tried = p->trampoline;

	for (size_t i = 0; i < hook_count; i++)
		if (hooks[i].traits & TRAMPOLINE_KINDS && load_wants_hook(p, &hooks[i]) &&
		    !attach_hook(p, &hooks[i]))
			tier_refuse(p, &hooks[i], "it cannot be attached to");
	return p->trampoline == tried ? 0 : -EAGAIN;
}

/* Without the hooks of process life no event has ancestors, and without the others there are few events. */
static int check_essential(const struct probe *p, struct buf *ret_message)
{
	for (size_t i = 0; i < hook_count && !p->options.force; i++) {
		const struct hook *hook = &hooks[i];
		if (!(hook->traits & ESSENTIAL) || !load_was_refused(p, hook->program))
			continue;
		buf_printf(ret_message,
			   "the kernel refuses the program %s on the tracepoint %s: `kunai -d run` shows "
			   "why, and "
			   "--force-load goes on without it",
			   hook->program, hook->name);
		return -ENOEXEC;
	}
	return 0;
}

/*
 * Whatever has been filled by now: the kernel's programs go on writing, but no system call changes it any more, not even with
 * a descriptor of ours. Rings and variables are mapped for writing, which excludes it.
 */
static void freeze_maps(const struct probe *p)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, p->object) if (bpf_map__type(map) != BPF_MAP_TYPE_RINGBUF &&
						     !bpf_map__is_internal(map) && bpf_map__fd(map) >= 0)
		bpf_map_freeze(bpf_map__fd(map));
}

int probe_attach(struct probe *p, struct buf *ret_message)
{
	if (p->pending_alone && !attach_program(p, bpf_object__find_program_by_name(p->object, "on_pending")))
		load_skip_program(p, "on_pending");
	for (size_t i = 0; i < hook_count; i++) {
		const struct hook *hook = &hooks[i];
		struct bpf_program *program = bpf_object__find_program_by_name(p->object, hook->program);
		if (!program || !bpf_program__autoload(program) || hook->traits & TRAMPOLINE_KINDS)
			continue;
		/* every call would pay for it: only where nothing else sees a file close */
		if (strcmp(hook->program, "on_sys_enter") == 0 && !p->facts.close_is_final)
			continue;
		if (!attach_hook(p, hook))
			load_skip_program(p, hook->program);
	}
	/* while a hook had some of its entries only, what they missed was from before the start */
	for (size_t i = 0; i < hook_count; i++)
		p->missed_before[i] = probe_missed(p, i);
	freeze_maps(p);
	return check_essential(p, ret_message);
}

void probe_detach(struct probe *p)
{
	for (size_t i = 0; i < p->link_count; i++)
		bpf_link__destroy(p->links[i]);
	p->link_count = 0;
}

unsigned int probe_count_detached(const struct probe *p)
{
	unsigned int gone = 0;

	for (size_t i = 0; i < p->link_count; i++) {
		struct bpf_link_info info = {0};
		uint32_t size = sizeof(info);
		gone += bpf_obj_get_info_by_fd(bpf_link__fd(p->links[i]), &info, &size) < 0;
	}
	return gone;
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
	const struct hook *row = &hooks[hook];
	uint64_t rescued = 0;

	/* every event comes to the first entry, or is missed by it */
	uint64_t missed = takes_turns(p, row)
				  ? program_misses(entry_of(p, row, 0))
				  : program_misses(bpf_object__find_program_by_name(p->object, row->program));
	bpf_map_lookup_elem(bpf_map__fd(load_find_map(p, "rescued")), &key, &rescued);
	rescued += p->missed_before[hook];
	return missed > rescued ? missed - rescued : 0;
}
