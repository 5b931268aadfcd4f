/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who sends a signal: a program by a system call, or the kernel. */
#ifndef KUNAI_BPF_EXTRACT_SIGNAL_H
#define KUNAI_BPF_EXTRACT_SIGNAL_H

/* include/uapi/asm-generic/siginfo.h */
enum { SI_USER = 0, SI_TKILL = -6 };
/* Special values of a pointer to siginfo: as if by kill(2), and by the kernel.
 * Since Linux 7 kill(2) itself passes the first. */
enum { SEND_SIG_NOINFO = 0, SEND_SIG_PRIV = 1 };

#ifdef __TARGET_ARCH_arm64
enum { NR_kill = 129, NR_tkill = 130, NR_tgkill = 131, NR_rt_sigqueueinfo = 138, NR_rt_tgsigqueueinfo = 240 };
#else
enum { NR_kill = 62, NR_tkill = 200, NR_tgkill = 234, NR_rt_sigqueueinfo = 129, NR_rt_tgsigqueueinfo = 297 };
#endif
enum { NR_x32_rt_sigqueueinfo = 524, NR_x32_rt_tgsigqueueinfo = 536 };
enum { NR_compat_kill = 37, NR_compat_tkill = 238, NR_compat_rt_sigqueueinfo = 178 };
#ifdef __TARGET_ARCH_arm64
enum { NR_compat_tgkill = 268, NR_compat_rt_tgsigqueueinfo = 363 };
#else
enum { NR_compat_tgkill = 270, NR_compat_rt_tgsigqueueinfo = 335 };
#endif
enum { NR_pidfd_send_signal = 424 }; /* everywhere */

/* Which argument of the call is the signal, and which code the kernel gives it. */
enum signal_call { SIGNAL_NONE, SIGNAL_KILL, SIGNAL_TKILL, SIGNAL_TGKILL, SIGNAL_QUEUE, SIGNAL_TGQUEUE };

static __always_inline u32 signal_call(s32 number, bool compat)
{
	if (number == NR_pidfd_send_signal)
		return SIGNAL_QUEUE;
	if (compat)
		return number == NR_compat_kill                ? SIGNAL_KILL
		       : number == NR_compat_tgkill            ? SIGNAL_TGKILL
		       : number == NR_compat_tkill             ? SIGNAL_TKILL
		       : number == NR_compat_rt_sigqueueinfo   ? SIGNAL_QUEUE
		       : number == NR_compat_rt_tgsigqueueinfo ? SIGNAL_TGQUEUE
							       : SIGNAL_NONE;
	return number == NR_kill                    ? SIGNAL_KILL
	       : number == NR_tgkill                ? SIGNAL_TGKILL
	       : number == NR_tkill                 ? SIGNAL_TKILL
	       : number == NR_rt_sigqueueinfo       ? SIGNAL_QUEUE
	       : number == NR_rt_tgsigqueueinfo     ? SIGNAL_TGQUEUE
	       : number == NR_x32_rt_sigqueueinfo   ? SIGNAL_QUEUE
	       : number == NR_x32_rt_tgsigqueueinfo ? SIGNAL_TGQUEUE
						    : SIGNAL_NONE;
}

/*
 * Whether the signal is one that the current task sends by a system call. The code of siginfo alone does not tell: to
 * itself a process may send any code, also the kernel's. Nor does the call alone: a timer's interrupt can come into it.
 */
static __always_inline bool signal_is_sent(struct task_struct *t, u32 sig, u64 info)
{
	bool compat = syscall_is_compat(t);
	u32 call;
	s32 code = SI_USER;

	if (TYPED(t, flags) & PF_KTHREAD)
		return false;
	call = signal_call((s32)ENTRY_CALL(t) & ~X32_BIT, compat);
	if (call == SIGNAL_NONE || info == SEND_SIG_PRIV)
		return false;
	if (sig != (u32)(call == SIGNAL_TGKILL || call == SIGNAL_TGQUEUE ? ENTRY_ARG2(t, compat)
									 : ENTRY_ARG1(t, compat)))
		return false;
	if (info != SEND_SIG_NOINFO)
		code = BPF_CORE_READ((struct kernel_siginfo *)info, si_code);
	if (call == SIGNAL_KILL)
		return code == SI_USER;
	return call == SIGNAL_QUEUE || call == SIGNAL_TGQUEUE || code == SI_TKILL;
}

#endif
