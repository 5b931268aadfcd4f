/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others do to the sensor's processes. Reading what /proc tells of them stays allowed. */
#ifndef KUNAI_BPF_HARDEN_TASKS_H
#define KUNAI_BPF_HARDEN_TASKS_H

enum { PTRACE_MODE_ATTACH = 2 }; /* include/linux/ptrace.h */

/* Argument n of the hook, a task. */
#define HOOK_TASK(ctx, n) ((struct task_struct *)(ctx)[n])

static __always_inline bool is_attempt_on(struct task_struct *t)
{
	return is_guarded_task(t) && !by_guarded();
}

/* Of a program; the kernel's own, as that of Ctrl-C, do not come here. */
SEC("lsm/task_kill")
int guard_task_kill(u64 *ctx)
{
	u32 sig = ctx[2];

	if (!sig || !is_attempt_on(HOOK_TASK(ctx, 0)))
		return 0;
	return REFUSE(ERROR_DENIED_SIGNAL, sig, 0);
}

/* A file whose owner, by F_SETOWN, is the sensor sends it what F_SETSIG says, and the hook above is not asked. 0 is SIGIO.
 * Who tries is the task that makes the file ready. */
SEC("lsm/file_send_sigiotask")
int guard_file_send_sigiotask(u64 *ctx)
{
	enum { SIGIO = 29 };
	u32 sig = ctx[2];

	if (!is_attempt_on(HOOK_TASK(ctx, 0)))
		return 0;
	return REFUSE(ERROR_DENIED_SIGNAL, sig ? sig : SIGIO, 0);
}

/* Tracing, reading or writing its memory with a system call or /proc/PID/mem, taking its descriptors. */
SEC("lsm/ptrace_access_check")
int guard_ptrace_access_check(u64 *ctx)
{
	u32 mode = ctx[1];

	if (!(mode & PTRACE_MODE_ATTACH) || !is_attempt_on(HOOK_TASK(ctx, 0)))
		return 0;
	return REFUSE(ERROR_DENIED_TRACE, mode, 0);
}

SEC("lsm/task_setrlimit")
int guard_task_setrlimit(u64 *ctx)
{
	u32 resource = ctx[1];

	if (!is_attempt_on(HOOK_TASK(ctx, 0)))
		return 0;
	return REFUSE(ERROR_DENIED_LIMIT, resource, 0);
}

SEC("lsm/task_setscheduler")
int guard_task_setscheduler(u64 *ctx)
{
	if (!is_attempt_on(HOOK_TASK(ctx, 0)))
		return 0;
	return REFUSE(ERROR_DENIED_SCHEDULING, 0, 0);
}

SEC("lsm/task_setnice")
int guard_task_setnice(u64 *ctx)
{
	if (!is_attempt_on(HOOK_TASK(ctx, 0)))
		return 0;
	return REFUSE(ERROR_DENIED_SCHEDULING, 0, 0);
}

SEC("lsm/task_setioprio")
int guard_task_setioprio(u64 *ctx)
{
	if (!is_attempt_on(HOOK_TASK(ctx, 0)))
		return 0;
	return REFUSE(ERROR_DENIED_SCHEDULING, 0, 0);
}

#endif
