/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a tracepoint's programs can be preempted (Linux 7), the kernel leaves a program out while another task is in
 * the midst of the same one on that CPU: for the milliseconds until that task goes on, every event of the hook would
 * be missed. So each hook gets five entries there, which take turns: the first that the kernel runs for an event
 * takes it, and says so for the others in the task's byte. They enter the hook's program by tail call, which nobody
 * leaves out. An event is missed when five tasks are preempted at once within one CPU's entries, or when the last entry was left
 * out and could not clear the byte; the kernel
 * counts those, and what was rescued is counted here.
 */
#ifndef KUNAI_BPF_TIER_TURNS_H
#define KUNAI_BPF_TIER_TURNS_H

enum { TURN_LAST = 4, TURN_TASKS = 8 }; /* threads in one value of the array */

enum hook {
#define TRACEPOINT(program, tracepoint, events, essential) HOOK_##program,
#define SYSCALL(program, call, events)
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL
	HOOK_COUNT
};

/* A byte for every thread id, with a bit for each hook whose event is taken. load: entries */
struct turn_tasks {
	u8 taken[TURN_TASKS];
};
MAP(BPF_MAP_TYPE_ARRAY, 1, u32, struct turn_tasks, 0, turns);
MAP(BPF_MAP_TYPE_ARRAY, 1, u32, u64, 0, rescued);

/* Whether this entry is the one to take the current task's event. */
static __always_inline bool turn(u32 level, u32 hook)
{
	u32 task = bpf_get_current_pid_tgid();
	u32 key = task / TURN_TASKS;
	u32 zero = 0;
	u8 bit = 1 << hook;
	struct turn_tasks *tasks = bpf_map_lookup_elem(&turns, &key);

	if (!tasks)
		return level == 0;
	u8 *taken = &tasks->taken[task % TURN_TASKS];
	if (level > 0 && *taken & bit) {
		if (level == TURN_LAST)
			*taken &= ~bit;
		return false;
	}
	if (level == TURN_LAST)
		*taken &= ~bit;
	else
		*taken |= bit;
	if (level > 0) {
		u64 *count = bpf_map_lookup_elem(&rescued, &zero);
		if (count)
			__sync_fetch_and_add(count, 1);
	}
	return true;
}

#define ENTRY(program, tracepoint, level)                       \
	SEC("tp_btf/" #tracepoint)                              \
	int program##_##level(void *ctx)                        \
	{                                                       \
		if (turn(level, HOOK_##program))                \
			bpf_tail_call(ctx, &program##_body, 0); \
		return 0;                                       \
	}

#define TRACEPOINT(program, tracepoint, events, essential) \
	ENTRY(program, tracepoint, 0)                      \
	ENTRY(program, tracepoint, 1)                      \
	ENTRY(program, tracepoint, 2)                      \
	ENTRY(program, tracepoint, 3)                      \
	ENTRY(program, tracepoint, 4)
#define SYSCALL(program, call, events)
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL

#endif
