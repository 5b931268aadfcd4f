/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls that bring BPF programs into the kernel. */
#ifndef KUNAI_BPF_TIER_BPF_H
#define KUNAI_BPF_TIER_BPF_H

/* setsockopt over its arguments, for both doors. */
static __always_inline void option_set(u64 fd, u32 level, u32 option, u64 value, long ret)
{
	if (level != SOL_SOCKET || (option != SO_ATTACH_FILTER && option != SO_ATTACH_BPF &&
				    option != SO_ATTACH_REUSEPORT_CBPF && option != SO_ATTACH_REUSEPORT_EBPF))
		return;
	struct sock *sk = sock_of_any_file(file_of_fd(fd));
	if (sk)
		emit_bpf_socket_filter(sk, option, value, ret);
}

EXIT(exit_bpf)
{
	if ((u32)regs_arg(regs, 0) == BPF_PROG_LOAD)
		emit_bpf_prog_load(regs_arg(regs, 1), regs_arg(regs, 2), ret);
	return 0;
}

EXIT(exit_setsockopt)
{
	option_set(regs_arg(regs, 0), regs_arg(regs, 1), regs_arg(regs, 2), regs_arg(regs, 3), ret);
	return 0;
}

#endif
