/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs of schema/trampolines.def look like. */
#ifndef KUNAI_BPF_TIER_TRAMPOLINE_HOOK_H
#define KUNAI_BPF_TIER_TRAMPOLINE_HOOK_H

enum { NR_io_uring_enter = 426 }; /* everywhere */

/* ctx holds the function's arguments, typed, and behind the last one its result. */
#define HOOK(kind, program)                                   \
	static __always_inline void program##_runs(u64 *ctx); \
	SEC(#kind)                                            \
	int program(u64 *ctx)                                 \
	{                                                     \
		REENTRANT(ctx, program##_body);               \
		program##_runs(ctx);                          \
		return 0;                                     \
	}                                                     \
	static __always_inline void program##_runs(u64 *ctx)

/* Argument n without its type: a function of its own takes no typed pointer. */
#define UNTYPED(type, n)                                                   \
	({                                                                 \
		type value_ = 0;                                           \
		bpf_probe_read_kernel(&value_, sizeof(value_), ctx + (n)); \
		value_;                                                    \
	})

/* What the system call that the task is in does with files and sockets that a hook sees: CALL_*, WRITTEN_*. 0: nothing
 * that a program asked for. */
static __always_inline u32 call_access_of(struct task_struct *t)
{
	u32 flags = TYPED(t, flags);
	u32 number;

	if (flags & (PF_KTHREAD | PF_IO_WORKER))
		return 0;
	number = (u32)ENTRY_CALL(t) & ~X32_BIT;
	if (number >= CALL_NUMBERS)
		return 0;
	return call_accesses[syscall_is_compat(t) ? CALL_NUMBERS + number : number];
}

static __always_inline u32 call_access(void)
{
	return call_access_of(current_task());
}

/* An io_uring request, in a thread of the ring or when it is handed over. */
static __always_inline bool by_uring(void)
{
	struct task_struct *t = current_task();

	return TYPED(t, flags) & PF_IO_WORKER || ((u32)ENTRY_CALL(t) & ~X32_BIT) == NR_io_uring_enter;
}

#endif
