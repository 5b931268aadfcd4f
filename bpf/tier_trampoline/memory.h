/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that map memory. */
#ifndef KUNAI_BPF_TIER_TRAMPOLINE_MEMORY_H
#define KUNAI_BPF_TIER_TRAMPOLINE_MEMORY_H

/* Programs and their interpreters are mapped by exec: that is no call of theirs. */
HOOK(fexit, on_mmap)
{
	struct file *file = UNTYPED(struct file *, 0);
	u64 prot = ctx[3], flags = ctx[4];
	long ret = ctx[6];

	if (file && !(flags & MAP_ANONYMOUS) && !(BPF_CORE_READ(file, f_flags) & FMODE_EXEC))
		mapped(file, prot, flags, ret, by_trampoline(EVENT_mmap_exec));
}

#endif
