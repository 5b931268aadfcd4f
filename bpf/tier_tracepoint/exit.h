/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs of schema/hooks.def's SYSCALL rows look like. */
#ifndef KUNAI_BPF_TIER_EXIT_H
#define KUNAI_BPF_TIER_EXIT_H

/* A program for a call's return. */
#define EXIT(program)                                                                 \
	static __always_inline int program##_returns(struct pt_regs *regs, long ret); \
	SEC("tp_btf/sys_exit")                                                        \
	int BPF_PROG(program, struct pt_regs *regs, long ret)                         \
	{                                                                             \
		REENTRANT(ctx, native_calls);                                         \
		return program##_returns(regs, ret);                                  \
	}                                                                             \
	static __always_inline int program##_returns(struct pt_regs *regs, long ret)

#endif
