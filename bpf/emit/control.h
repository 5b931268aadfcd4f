/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prctl, kill, ptrace: what tasks do to themselves and to others. */
#ifndef KUNAI_BPF_EMIT_CONTROL_H
#define KUNAI_BPF_EMIT_CONTROL_H

static __always_inline void emit_prctl(u32 option, u64 arg2, u64 arg3, u64 arg4, u64 arg5, s64 ret)
{
	struct scratch *s = record_begin(EVENT_prctl, sizeof(struct wire_prctl), false, current_task());
	if (!s)
		return;
	struct wire_prctl *w = record_fixed(s);
	w->option_number = option;
	w->arg2 = arg2;
	w->arg3 = arg3;
	w->arg4 = arg4;
	w->arg5 = arg5;
	w->success = ret >= 0;
	record_submit_other(s, EVENT_prctl);
}

/* Of a task that the hook was told, which is typed. */
static __always_inline void emit_kill(struct task_struct *target, u32 sig, bool success)
{
	struct scratch *s = record_begin(EVENT_kill, sizeof(struct wire_kill), false, current_task());
	if (!s)
		return;
	struct wire_kill *w = record_fixed(s);
	w->signal_number = sig;
	w->success = success;
	task_fill(&w->target_task, target);
	record_submit_other(s, EVENT_kill);
}

/* Of a task that was looked up. Global, because a group has many. */
__noinline int emit_kill_refused(u64 target, u32 sig)
{
	struct scratch *s = record_begin(EVENT_kill, sizeof(struct wire_kill), false, current_task());
	if (!s)
		return 0;
	struct wire_kill *w = record_fixed(s);
	w->signal_number = sig;
	task_fill_untyped(&w->target_task, (struct task_struct *)target);
	record_submit_other(s, EVENT_kill);
	return 0;
}

/* include/linux/ptrace.h: PTRACE_MODE_ATTACH with the caller's file system or real ids */
enum { PTRACE_MODE_FILE = 0x0a, PTRACE_MODE_CALL = 0x12 };

/* target is NULL when it has ended meanwhile: then its number is left of it. */
static __always_inline void emit_ptrace(struct task_struct *target, u32 number, u32 access, bool success)
{
	struct scratch *s = record_begin(EVENT_ptrace, sizeof(struct wire_ptrace), false, current_task());
	if (!s)
		return;
	struct wire_ptrace *w = record_fixed(s);
	w->mode = access == ACCESS_PROC_MEM ? PTRACE_MODE_FILE : PTRACE_MODE_CALL;
	w->access_flag = access;
	w->success = success;
	if (target)
		task_fill_untyped(&w->target_task, target);
	else
		w->target_task.pid = w->target_task.tgid = number;
	record_submit_other(s, EVENT_ptrace);
}

#endif
