/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls by which tasks change themselves and others. */
#ifndef KUNAI_BPF_TIER_CONTROL_H
#define KUNAI_BPF_TIER_CONTROL_H

EXIT(exit_prctl)
{
	emit_prctl(regs_arg(regs, 0), regs_arg(regs, 1), regs_arg(regs, 2), regs_arg(regs, 3),
		   regs_arg(regs, 4), ret);
	return 0;
}

enum { SIGNAL_OVERFLOW_FAIL = 3 }; /* TRACE_SIGNAL_OVERFLOW_FAIL of include/trace/events/signal.h */

/* Every task that a signal goes to. info is no pointer when the kernel sends. */
SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal, int sig, u64 info, struct task_struct *target, int group, int result)
{
	REENTRANT(ctx, on_signal_body);
	if (signal_is_sent(current_task(), sig, info))
		emit_kill(target, sig, result != SIGNAL_OVERFLOW_FAIL);
	return 0;
}

/* Signals that were refused passed no hook: their target is looked up. */
static __always_inline bool is_refused(u32 sig, long ret)
{
	return sig && (ret == -EPERM || ret == -EACCES);
}

enum { GROUP_MAX = 64 }; /* processes of a group that refused a signal; more are counted as errors */

static __always_inline void refused_by_group(u32 group, u32 sig)
{
	struct hlist_node *node = pid_link(pid_of_number(group), PIDTYPE_PGID);

	for (int i = 0; i < GROUP_MAX && node; i++) {
		emit_kill_refused((u64)task_of_link(node, PIDTYPE_PGID), sig);
		node = BPF_CORE_READ(node, next);
	}
	if (node) {
		COUNT(EVENT_kill, hits);
		COUNT(EVENT_kill, errors);
	}
}

static __always_inline void refused_by(s32 number, u32 sig, long ret)
{
	struct task_struct *target;

	if (!is_refused(sig, ret))
		return;
	if (number < -1) {
		refused_by_group(-number, sig);
		return;
	}
	target = number > 0 ? task_of_pid(pid_of_number(number)) : NULL;
	if (target)
		emit_kill_refused((u64)target, sig);
}

EXIT(exit_kill)
{
	refused_by(regs_arg(regs, 0), regs_arg(regs, 1), ret);
	return 0;
}

EXIT(exit_tgkill)
{
	refused_by(regs_arg(regs, 1), regs_arg(regs, 2), ret);
	return 0;
}

EXIT(exit_pidfd_signal)
{
	struct file *file = is_refused(regs_arg(regs, 1), ret) ? file_of_fd(regs_arg(regs, 0)) : NULL;
	struct task_struct *target = file ? task_of_pid(pid_of_file(file)) : NULL;

	if (target)
		emit_kill_refused((u64)target, regs_arg(regs, 1));
	return 0;
}

/* A process may always look at itself: that is no access to another one. */
static __always_inline bool is_own(struct task_struct *target)
{
	return target && BPF_CORE_READ(target, tgid) == bpf_get_current_pid_tgid() >> 32;
}

static __always_inline void accessed(u32 number, u32 access, bool success)
{
	struct task_struct *target = task_of_pid(pid_of_number(number));

	/* nobody of that number: a try that fails is none */
	if (is_own(target) || (!target && !success))
		return;
	emit_ptrace(target, number, access, success);
}

/* include/uapi/linux/ptrace.h */
enum { PTRACE_ATTACH = 16, PTRACE_SEIZE = 0x4206 };

EXIT(exit_ptrace)
{
	u64 request = regs_arg(regs, 0);

	if (request == PTRACE_ATTACH || request == PTRACE_SEIZE)
		accessed(regs_arg(regs, 1), request == PTRACE_ATTACH ? ACCESS_ATTACH : ACCESS_SEIZE,
			 ret >= 0);
	return 0;
}

/* With nothing to read or write, the call looks for no process. */
static __always_inline void vm_accessed(struct pt_regs *regs, long ret, u32 access)
{
	if (ret > 0 || ret == -EPERM || ret == -EFAULT)
		accessed(regs_arg(regs, 0), access, ret > 0);
}

EXIT(exit_vm_readv)
{
	vm_accessed(regs, ret, ACCESS_VM_READ);
	return 0;
}

EXIT(exit_vm_writev)
{
	vm_accessed(regs, ret, ACCESS_VM_WRITE);
	return 0;
}

EXIT(exit_pidfd_getfd)
{
	struct file *file = ret >= 0 || ret == -EPERM ? file_of_fd(regs_arg(regs, 0)) : NULL;
	struct task_struct *target = file ? task_of_pid(pid_of_file(file)) : NULL;

	if (target && !is_own(target))
		emit_ptrace(target, 0, ACCESS_GETFD, ret >= 0);
	return 0;
}

#endif
