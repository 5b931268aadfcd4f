/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks of process life. */
#ifndef KUNAI_BPF_TIER_PROCESS_H
#define KUNAI_BPF_TIER_PROCESS_H

#ifdef __TARGET_ARCH_arm64
enum { NR_exit = 93, NR_exit_group = 94, NR_compat_exit = 1, NR_compat_exit_group = 248 };
#else
enum { NR_exit = 60, NR_exit_group = 231, NR_compat_exit = 1, NR_compat_exit_group = 252 };
#endif

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *t, s32 old_pid, struct linux_binprm *bprm)
{
	REENTRANT(ctx, on_exec_body);
	emit_exec(t, bprm);
	if (by_tracepoint(EVENT_write_close))
		closing_pending(t);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(on_clone, struct task_struct *t, u64 flags)
{
	REENTRANT(ctx, on_clone_body);
	emit_clone(t, flags);
	return 0;
}

/* A container's first process is often moved into its cgroup after it was made. Once for each hierarchy (cgroup v1). */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_cgroup_move, struct cgroup *cgroup, const char *path, struct task_struct *t)
{
	REENTRANT(ctx, on_cgroup_move_body);
	if (TYPED(t, pid) == TYPED(t, tgid))
		emit_cgroup_move(t);
	return 0;
}

/* The event of the system call that ends the current task, or 0 when a signal does. */
static __always_inline u32 exit_event(struct task_struct *t, u32 *ret_code)
{
	s32 number = ENTRY_CALL(t);

	if (syscall_is_compat(t)) {
		*ret_code = ENTRY_COMPAT_ARG(t);
		return number == NR_compat_exit         ? EVENT_exit
		       : number == NR_compat_exit_group ? EVENT_exit_group
							: 0;
	}
	*ret_code = ENTRY_ARG(t);
	number &= ~X32_BIT;
	return number == NR_exit ? EVENT_exit : number == NR_exit_group ? EVENT_exit_group : 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit)
{
	REENTRANT(ctx, on_exit_body);
	struct task_struct *t = current_task();
	bool last = BPF_CORE_READ(t, signal, live.counter) == 0;
	u32 code = 0;
	u32 event = exit_event(t, &code);

	if (wanted(EVENT_write_close))
		closing_exit(t, last, 1);
	if (event)
		emit_exit(t, event, code, last);
	else if (last)
		emit_process_end(t);
	return 0;
}

/*
 * Mappings hold files, too. Until 6.15 they are gone when sched_process_exit runs; since 6.16 they go after it, and
 * the descriptors they shared a file with are looked at again.
 */
SEC("tp_btf/exit_mmap")
int BPF_PROG(on_exit_mmap)
{
	REENTRANT(ctx, on_exit_mmap_body);
	struct task_struct *t = current_task();

	if (TYPED(t, flags) & PF_EXITING)
		closing_exit(t, BPF_CORE_READ(t, signal, live.counter) == 0, 2);
	else
		closing_pending(t);
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
