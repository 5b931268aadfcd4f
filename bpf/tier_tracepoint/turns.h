/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel leaves a program out while the same program is in the midst of an event on that CPU. Where a tracepoint's
 * programs can be preempted (Linux 7) that goes on for milliseconds, and every other task's events of the hook would be
 * missed; where a hook runs in interrupts, one can come between. So each such hook gets five entries, which take turns:
 * the first that the kernel runs for an event takes it, and says so for the others in the event's cell. They enter the
 * hook's program by tail call, which nobody leaves out. An event is missed when five are held up at once within one
 * CPU's entries; the kernel counts those, and what was rescued is counted here. The functions of the trampoline tier are
 * called by fewer tasks: three entries do.
 */
#ifndef KUNAI_BPF_TIER_TURNS_H
#define KUNAI_BPF_TIER_TURNS_H

enum {
	/* Threads whose ids differ by a multiple of this share cells: preempted in the midst of an event at one moment,
	 * both could be reported twice. */
	TURN_THREADS = 65536,
	TURN_CPUS = 4096, /* their idle tasks have no ids */
	TURN_CELLS = 2 * (TURN_THREADS + TURN_CPUS),
	TURN_BITS = 4, /* of a level */
};
#define TURN_NONE (~0ULL)
#define TURN_HASH 0x9e3779b97f4a7c15ULL /* Knuth, The Art of Computer Programming 3, 6.4 */

enum hook {
#define TRACEPOINT(program, tracepoint, events, traits) HOOK_##program,
#define SYSCALL(program, call, events)
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL
	HOOK_TRACEPOINTS,
	HOOK_LAST_TRACEPOINT = HOOK_TRACEPOINTS - 1,
#define TRAMPOLINE(program, kind, function, events) HOOK_##program,
#define CALLED(program, call, events) \
	HOOK_called_##call, HOOK_called_##call##_compat, HOOK_called_##call##_ia32,
#include "schema/trampolines.def"
#undef TRAMPOLINE
#undef CALLED
	HOOK_COUNT
};

/*
 * For each hook, the entry that ran last with this context: the tracepoint's arguments, which lie at one place of the
 * kernel's stack for all entries of an event, and at another one for an event that interrupts it.
 */
struct turn_cell {
	u64 levels;
	u64 context;
};
/* None of the trampoline tier's hooks comes into another one: they share a level, and an event of another one is a new one. */
enum { TURN_OF_TRAMPOLINES = HOOK_TRACEPOINTS };
#define TURN_HOOK_SHIFT 48
_Static_assert((TURN_OF_TRAMPOLINES + 1) * TURN_BITS <= 64, "a level for each of them in turn_cell.levels");
MAP(BPF_MAP_TYPE_ARRAY, TURN_CELLS, u32, struct turn_cell, 0, turns);
MAP(BPF_MAP_TYPE_ARRAY, HOOK_COUNT, u32, u64, 0, rescued);

/*
 * Whether this entry is the one to take the event. Entries run in their order: after a lower one it is the same event,
 * which that one took; after the same or a higher one it is a new event.
 */
static __always_inline bool turn(void *context, u32 level, u32 hook)
{
	u32 zero = 0;
	void *first = bpf_map_lookup_elem(&turns, &zero);

	if (!first)
		return level == 0;
	/* the verifier forbids to shift a pointer, but makes a number of a difference */
	u64 distance = context - first;
	/* two cells of the thread, so that threads do not share one, and an interrupt seldom has that of its thread */
	u32 task = bpf_get_current_pid_tgid();
	u32 pair = task ? task % TURN_THREADS : TURN_THREADS + bpf_get_smp_processor_id();
	u32 key = pair * 2 + (distance * TURN_HASH >> 63);
	u32 shift = (hook < HOOK_TRACEPOINTS ? hook : TURN_OF_TRAMPOLINES) * TURN_BITS;
	u64 mask = (1 << TURN_BITS) - 1;
	struct turn_cell *cell = bpf_map_lookup_elem(&turns, &key);

	if (!cell)
		return level == 0;
	if (hook >= HOOK_TRACEPOINTS)
		distance ^= (u64)hook << TURN_HOOK_SHIFT;
	if (cell->context != distance) {
		cell->context = distance;
		cell->levels = TURN_NONE;
	}
	u32 last = cell->levels >> shift & mask;
	cell->levels = (cell->levels & ~(mask << shift)) | (u64)level << shift;
	if (last < level)
		return false;
	if (level > 0) {
		u64 *count = bpf_map_lookup_elem(&rescued, &hook);
		if (count)
			__sync_fetch_and_add(count, 1);
	}
	return true;
}

#define ENTRY(level, program, section)                          \
	SEC(section)                                            \
	int program##_##level(void *ctx)                        \
	{                                                       \
		if (turn(ctx, level, HOOK_##program))           \
			bpf_tail_call(ctx, &program##_body, 0); \
		return 0;                                       \
	}

#define TRACEPOINT(program, tracepoint, events, traits) TURN_LEVELS(ENTRY, program, "tp_btf/" #tracepoint)
#define SYSCALL(program, call, events)
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL

#define TRAMPOLINE(program, kind, function, events) TRAMPOLINE_TURN_LEVELS(ENTRY, program, #kind)
#define CALLED(program, call, events)                                  \
	TRAMPOLINE_TURN_LEVELS(ENTRY, called_##call, "fexit")          \
	TRAMPOLINE_TURN_LEVELS(ENTRY, called_##call##_compat, "fexit") \
	TRAMPOLINE_TURN_LEVELS(ENTRY, called_##call##_ia32, "fexit")
#include "schema/trampolines.def"
#undef TRAMPOLINE
#undef CALLED

#endif
