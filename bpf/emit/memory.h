/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mprotect_exec and mmap_exec. */
#ifndef KUNAI_BPF_EMIT_MEMORY_H
#define KUNAI_BPF_EMIT_MEMORY_H

static __always_inline void emit_mprotect_exec(u64 addr, u64 size, u64 prot, s64 ret)
{
	struct scratch *s =
		record_begin(EVENT_mprotect_exec, sizeof(struct wire_mprotect_exec), false, current_task());
	if (!s)
		return;
	struct wire_mprotect_exec *w = record_fixed(s);
	w->addr = addr;
	w->size = size;
	w->prot = prot;
	w->success = ret >= 0;
	struct file *file = file_of_mapping(addr);
	if (file)
		path_put_mapped(s, &w->file, file);
	record_submit_other(s, EVENT_mprotect_exec);
}

static __always_inline void emit_mmap_exec(struct file *file, u64 prot, bool success)
{
	struct scratch *s =
		record_begin(EVENT_mmap_exec, sizeof(struct wire_mmap_exec), false, current_task());
	if (!s)
		return;
	struct wire_mmap_exec *w = record_fixed(s);
	w->prot = prot;
	w->success = success;
	path_put_file(s, &w->file, file);
	record_submit_other(s, EVENT_mmap_exec);
}

#endif
