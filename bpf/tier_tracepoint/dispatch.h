/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every system call's return comes here: the cost that all of them pay. One table by call number for the native
 * calls and one for 32-bit ones, filled with the programs that are wanted; an empty entry falls through.
 */
#ifndef KUNAI_BPF_TIER_DISPATCH_H
#define KUNAI_BPF_TIER_DISPATCH_H

enum { NR_close_x86 = 3, NR_close_i386 = 6, NR_close_arm64 = 57 };

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

	if (wanted(EVENT_write_close) && TYPED(t, task_works))
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

/* Attached only where close() frees a file at once. */
SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long number)
{
	REENTRANT(ctx, on_sys_enter_body);
#ifdef __TARGET_ARCH_arm64
	if (number != NR_close_arm64)
		return 0;
		/* orig_x0 is set by now, as at sys_exit */
#else
	u32 wanted_number = syscall_is_compat(current_task()) ? NR_close_i386 : NR_close_x86;
	if ((number & ~X32_BIT) != wanted_number)
		return 0;
#endif
	struct file *file = file_of_fd(regs_arg(regs, 0));
	if (file && file_references(file) == 1)
		file_closing((u64)file);
	return 0;
}

#endif
