/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls that make memory executable. */
#ifndef KUNAI_BPF_TIER_MEMORY_H
#define KUNAI_BPF_TIER_MEMORY_H

EXIT(exit_mprotect)
{
	u64 prot = regs_arg(regs, 2);

	if (prot_is_exec(prot))
		emit_mprotect_exec(regs_arg(regs, 0), regs_arg(regs, 1), prot, ret);
	return 0;
}

#endif
