/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every system call's return comes here: the cost that all of them pay. One table by call number for the native
 * calls and one for 32-bit ones, filled with the programs that are wanted; an empty entry falls through.
 */
#ifndef KUNAI_BPF_TIER_DISPATCH_H
#define KUNAI_BPF_TIER_DISPATCH_H

#ifdef __TARGET_ARCH_arm64
enum { NR_close = 57 };
#else
enum { NR_close = 3 };
#endif
enum { NR_compat_close = 6 };

static __always_inline void dispatch(void *context, struct task_struct *t, struct pt_regs *regs)
{
	if (syscall_is_compat(t))
		bpf_tail_call(context, &compat_calls, regs_syscall(regs));
	else
		bpf_tail_call(context, &native_calls, regs_syscall(regs) & ~X32_BIT);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *t = current_task();

	if (is_self(t))
		return 0;
	if (by_tracepoint(EVENT_write_close) && TYPED(t, task_works))
		bpf_tail_call(ctx, &pending_work, 0);
	dispatch(ctx, t, regs);
	return 0;
}

/* Files that this call dropped the last reference to; then what the call itself did. */
SEC("tp_btf/sys_exit")
int BPF_PROG(exit_pending, struct pt_regs *regs, long ret)
{
	struct task_struct *t = current_task();

	closing_pending(t);
	dispatch(ctx, t, regs);
	return 0;
}

/* arm64 before 6.0 refuses a program that both calls functions and makes tail calls (d4609a5d8c70): there this one is
 * attached beside on_sys_exit, and exit_pending is not loaded. */
SEC("tp_btf/sys_exit")
int BPF_PROG(on_pending, struct pt_regs *regs, long ret)
{
	struct task_struct *t = current_task();

	if (TYPED(t, task_works))
		closing_pending(t);
	return 0;
}

/* Attached only where close() frees a file at once. */
SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long number)
{
	REENTRANT(ctx, on_sys_enter_body);
	/* arm64: orig_x0 is set by now, as at sys_exit */
	u32 wanted_number = syscall_is_compat(current_task()) ? NR_compat_close : NR_close;
	if ((number & ~X32_BIT) != wanted_number)
		return 0;
	struct file *file = file_of_fd(regs_arg(regs, 0));
	if (file && file_references(file) == 1)
		file_closing((u64)file);
	return 0;
}

#endif
