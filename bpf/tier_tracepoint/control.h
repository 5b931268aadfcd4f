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

#endif
