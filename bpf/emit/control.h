/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prctl: what a task does to itself. */
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

#endif
