/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System call numbers and arguments from the registers saved at entry. */
#ifndef KUNAI_BPF_EXTRACT_REGS_H
#define KUNAI_BPF_EXTRACT_REGS_H

enum { X32_BIT = 0x40000000 }; /* x86: the call is one of the x32 ABI, which shares the native numbers */

#ifdef __TARGET_ARCH_arm64

/* A 32-bit program is one for all its calls. */
static __always_inline bool syscall_is_compat(struct task_struct *t)
{
	return TYPED(t, thread_info.flags) & TIF_32BIT;
}

/* The first argument's register holds the result at exit, orig_x0 keeps it. */
static __always_inline u64 regs_arg(struct pt_regs *regs, int n)
{
	u64 value = n == 0 ? TYPED(regs, orig_x0) : TYPED(regs, regs[n]);

	return syscall_is_compat(current_task()) ? (u32)value : value;
}

static __always_inline s64 regs_syscall(struct pt_regs *regs)
{
	return regs->syscallno;
}

#else

static __always_inline bool syscall_is_compat(struct task_struct *t)
{
	return TYPED(t, thread_info.status) & TS_COMPAT;
}

static __always_inline u64 regs_arg(struct pt_regs *regs, int n)
{
	if (syscall_is_compat(current_task()))
		return (u32)(n == 0   ? TYPED(regs, bx)
			     : n == 1 ? TYPED(regs, cx)
			     : n == 2 ? TYPED(regs, dx)
			     : n == 3 ? TYPED(regs, si)
			     : n == 4 ? TYPED(regs, di)
				      : TYPED(regs, bp));
	return n == 0   ? TYPED(regs, di)
	       : n == 1 ? TYPED(regs, si)
	       : n == 2 ? TYPED(regs, dx)
	       : n == 3 ? TYPED(regs, r10)
	       : n == 4 ? TYPED(regs, r8)
			: TYPED(regs, r9);
}

static __always_inline s64 regs_syscall(struct pt_regs *regs)
{
	return (s32)regs->orig_ax;
}

#endif

#endif
