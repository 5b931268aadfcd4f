/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of programs, for tail calls. A table holds programs of one tracepoint only: the kernel demands it. */
#ifndef KUNAI_BPF_TIER_TABLES_H
#define KUNAI_BPF_TIER_TABLES_H

#define PROGRAMS(entries, name)                        \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
		__uint(max_entries, entries);          \
		__uint(key_size, sizeof(u32));         \
		__uint(value_size, sizeof(u32));       \
	} name SEC(".maps")

/* By call number, for what happens at sys_exit. */
PROGRAMS(SYSCALLS, native_calls);
PROGRAMS(SYSCALLS, compat_calls);
PROGRAMS(1, pending_work);

/* A hook's program, for its entries: see turns.h. */
#define TRACEPOINT(program, tracepoint, events, traits) PROGRAMS(1, program##_body);
#define SYSCALL(program, call, events)
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL
#define TRAMPOLINE(program, kind, function, events) PROGRAMS(1, program##_body);
#define CALLED(program, call, events)             \
	PROGRAMS(1, called_##call##_body);        \
	PROGRAMS(1, called_##call##_compat_body); \
	PROGRAMS(1, called_##call##_ia32_body);
#include "schema/trampolines.def"
#undef TRAMPOLINE
#undef CALLED

/*
 * Stands first in every program that is entered by tail call. Since 6.13 a tracing program may keep its stack in memory
 * of the CPU, because the kernel leaves out a run that would come between. It does not where a tail call enters the
 * program: two tasks, one of them preempted, would share that stack, and the kernel would crash. A program that holds
 * a tail call, even one that is never made, keeps its stack to itself.
 */
#define REENTRANT(context, table)                          \
	do {                                               \
		if (!config.possible_cpus)                 \
			bpf_tail_call(context, &table, 0); \
	} while (0)

#endif
