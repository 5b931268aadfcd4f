/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a tracepoint's programs can be preempted (Linux 7), the kernel leaves a program out while another task is in
 * the midst of the same one on that CPU: for the milliseconds until that task goes on, every event of the hook would
 * be missed. So each hook gets five entries there, which take turns: the first that the kernel runs for an event
 * takes it, and says so for the others in the task's cell. They enter the hook's program by tail call, which nobody
 * leaves out. An event is missed when five tasks are preempted at once
 * within one CPU's entries; the kernel counts those, and what was rescued is counted here.
 */
#ifndef KUNAI_BPF_TIER_TURNS_H
#define KUNAI_BPF_TIER_TURNS_H

enum {
	TURN_CELLS =
		131072, /* more threads than this share cells: two of them at once could be reported twice */
	TURN_BITS = 4,  /* of a level */
};
#define TURN_NONE (~0ULL)

enum hook {
#define TRACEPOINT(program, tracepoint, events, essential) HOOK_##program,
#define SYSCALL(program, call, events)
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL
	HOOK_COUNT
};

/* For each hook, the entry that ran last for this thread. */
struct turn_cell {
	u64 levels;
	u32 task;
	u32 reserved;
};
_Static_assert(HOOK_COUNT *TURN_BITS <= 64, "a level for each hook in turn_cell.levels");
MAP(BPF_MAP_TYPE_ARRAY, TURN_CELLS, u32, struct turn_cell, 0, turns);
MAP(BPF_MAP_TYPE_ARRAY, 1, u32, u64, 0, rescued);

/*
 * Whether this entry is the one to take the current task's event. Entries run in their order: after a lower one it is
 * the same event, which that one took; after the same or a higher one it is a new event.
 */
static __always_inline bool turn(u32 level, u32 hook)
{
	u32 task = bpf_get_current_pid_tgid();
	u32 key = task % TURN_CELLS;
	u32 shift = hook * TURN_BITS;
	u64 mask = (1 << TURN_BITS) - 1;
	u32 zero = 0;
	struct turn_cell *cell = bpf_map_lookup_elem(&turns, &key);

	if (!cell)
		return level == 0;
	if (cell->task != task) {
		cell->task = task;
		cell->levels = TURN_NONE;
	}
	u32 last = cell->levels >> shift & mask;
	cell->levels = (cell->levels & ~(mask << shift)) | (u64)level << shift;
	if (last < level)
		return false;
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
