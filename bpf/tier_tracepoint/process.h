/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks of process life. */
#ifndef KUNAI_BPF_TIER_PROCESS_H
#define KUNAI_BPF_TIER_PROCESS_H

#ifdef __TARGET_ARCH_arm64
enum { NR_exit = 93, NR_exit_group = 94 };
#else
enum { NR_exit = 60, NR_exit_group = 231 };
#endif
enum { NR_compat_exit = 1, NR_compat_exit_group = 252 }; /* i386 */

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *t, s32 old_pid, struct linux_binprm *bprm)
{
	emit_exec(t, bprm);
	if (wanted(EVENT_write_close))
		closing_pending(t);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(on_clone, struct task_struct *t, u64 flags)
{
	emit_clone(t, flags);
	return 0;
}

/* The registers that the current task entered the kernel with. */
static __always_inline struct pt_regs *entry_regs(struct task_struct *t)
{
#if KUNAI_MODERN
	return (struct pt_regs *)bpf_task_pt_regs(t);
#else
	/* arch/x86 and arch/arm64 alike, without shadow call stacks and KASAN */
	enum { THREAD_SIZE = 16384 };
	return BPF_CORE_READ(t, stack) + THREAD_SIZE - bpf_core_type_size(struct pt_regs);
#endif
}

/* The event of the system call that ends the current task, or 0 when a signal does. */
static __always_inline u32 exit_event(struct task_struct *t, u32 *ret_code)
{
#if KUNAI_MODERN
	struct pt_regs *regs = entry_regs(t);
#else
	struct pt_regs copy, *regs = &copy;
	/* members in use only: the local struct has no others */
#ifdef __TARGET_ARCH_arm64
	copy.syscallno = BPF_CORE_READ(entry_regs(t), syscallno);
	copy.orig_x0 = BPF_CORE_READ(entry_regs(t), orig_x0);
#else
	copy.orig_ax = BPF_CORE_READ(entry_regs(t), orig_ax);
	copy.di = BPF_CORE_READ(entry_regs(t), di);
	copy.bx = BPF_CORE_READ(entry_regs(t), bx);
#endif
#endif
	s64 number = regs_syscall(regs);

	*ret_code = regs_arg(regs, 0);
	if (syscall_is_compat(t))
		return number == NR_compat_exit	      ? EVENT_exit
		       : number == NR_compat_exit_group ? EVENT_exit_group
							: 0;
	return number == NR_exit ? EVENT_exit : number == NR_exit_group ? EVENT_exit_group : 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit)
{
	struct task_struct *t = current_task();
	bool last = BPF_CORE_READ(t, signal, live.counter) == 0;
	u32 code = 0;
	u32 event = exit_event(t, &code);

	if (wanted(EVENT_write_close))
		closing_exit(t, last);
	if (event == EVENT_exit)
		emit_exit(t, EVENT_exit, code, last);
	else if (event == EVENT_exit_group)
		emit_exit(t, EVENT_exit_group, code, last);
	else if (last)
		emit_process_end(t);
	return 0;
}

SEC("iter/task")
int seed_tasks(struct bpf_iter__task *context)
{
	struct task_struct *t = context->task;

	if (t && t->pid == t->tgid)
		emit_seed(context->meta->seq, t);
	return 0;
}

#endif
