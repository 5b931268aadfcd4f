/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions by which tasks change themselves and others. */
#ifndef KUNAI_BPF_TIER_TRAMPOLINE_CONTROL_H
#define KUNAI_BPF_TIER_TRAMPOLINE_CONTROL_H

/* Once for each task that a signal was meant for; what was sent is seen by on_signal. */
HOOK(fexit, on_kill_refused)
{
	u32 sig = ctx[0];

	if (is_refused(sig, (s32)ctx[3]))
		emit_kill_refused(UNTYPED(u64, 2), sig);
}

HOOK(fexit, on_mprotect)
{
	u64 prot = ctx[2];

	if (prot_is_exec(prot))
		emit_mprotect_exec(ctx[0], ctx[1], prot, (s32)ctx[4]);
}

/* System calls without a function of their own that would tell as much. Their argument has no type in some kernels'
 * BTF, where the call's source file knows nothing of registers. */
#if KUNAI_MODERN
#define CALLED_REGS ((struct pt_regs *)bpf_task_pt_regs(current_task()))
#else
#define CALLED_REGS UNTYPED(struct pt_regs *, 0)
#endif
#define CALLED_HOOK(name, program)                      \
	HOOK(fexit, name)                               \
	{                                               \
		program##_returns(CALLED_REGS, ctx[1]); \
	}
#define TRAMPOLINE(program, kind, function, events)
#define CALLED(program, call, events)                \
	CALLED_HOOK(called_##call, program)          \
	CALLED_HOOK(called_##call##_compat, program) \
	CALLED_HOOK(called_##call##_ia32, program)
#include "schema/trampolines.def"
#undef TRAMPOLINE
#undef CALLED

#endif
