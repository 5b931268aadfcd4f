/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is guarded, from whom, and what becomes of an attempt.
 *
 * Before the verdict of a BPF program every other security module has agreed, and a program that refuses ends the round: so
 * none looks at the verdict before it.
 */
#ifndef KUNAI_BPF_HARDEN_GUARD_H
#define KUNAI_BPF_HARDEN_GUARD_H

#include "harden/shared.h"

enum { GUARDED_NAME_MAX = 256, GUARDED_CGROUPS = 256 };
enum { CGROUP_OWN = 1, CGROUP_ABOVE = 2 };

MAP(BPF_MAP_TYPE_ARRAY, 1, u32, struct guard_state, BPF_F_MMAPABLE, guard_state);
MAP(BPF_MAP_TYPE_HASH, GUARDED_TASKS, u32, u32, 0, guarded_tasks); /* key: thread group */
MAP(BPF_MAP_TYPE_HASH, GUARDED_FILES, struct guarded_file, u32, 0, guarded_files);
MAP(BPF_MAP_TYPE_HASH, GUARDED_IDS, u64, u32, 0, guarded_ids);
MAP(BPF_MAP_TYPE_HASH, GUARDED_CGROUPS, u64, u32, 0, guarded_cgroups); /* key: struct kernfs_node * */

static __always_inline struct guard_state *guard(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&guard_state, &zero);
}

static __always_inline bool is_guarded_tgid(u32 tgid)
{
	return tgid == config.self_tgid || bpf_map_lookup_elem(&guarded_tasks, &tgid);
}

static __always_inline bool is_guarded_task(struct task_struct *t)
{
	return is_guarded_tgid(BPF_CORE_READ(t, tgid));
}

/* The current task is the sensor or one of its helpers, which may do what it likes with itself. */
static __always_inline bool by_guarded(void)
{
	return is_guarded_tgid(bpf_get_current_pid_tgid() >> 32);
}

static __always_inline bool guard_holds(void)
{
	struct guard_state *state = guard();

	if (!state)
		return false;
	/* it may be renewed right now, and is then later than our clock */
	s64 age = bpf_ktime_get_ns() - *(volatile u64 *)&state->renewed;
	return age < (s64)state->lease;
}

/* What a hook returns for an attempt on the sensor. name: in kernel memory, or 0. A function of its own, with plain numbers
 * as arguments: verified once in each program. */
__noinline int refuse(u32 code, u64 detail, u64 name)
{
	bool holds = guard_holds();
	struct scratch *s;

	s = record_begin(EVENT_denied, sizeof(struct wire_denied), false, current_task());
	if (s) {
		struct wire_denied *w = record_fixed(s);
		w->code = holds ? code : ERROR_DENIED_LAPSED;
		w->detail = holds ? detail : code;
		w->name.off = s->used;
		if (name)
			w->name.len = scratch_put_kernel_str(s, (void *)name, GUARDED_NAME_MAX);
		record_submit_at_once(s, EVENT_denied);
	}
	return holds;
}

#define REFUSE(code, detail, name) (refuse(code, detail, (u64)(name)) ? -EPERM : 0)

#endif
