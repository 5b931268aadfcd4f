/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/control_names.h"

/* include/uapi/linux/prctl.h, written out because the machine that builds may have older headers than the machine
 * that runs. Kunai stops at 70, and newer ones are unknown(N) there and here. */
static const char *const options[] = {
	[1] = "PR_SET_PDEATHSIG",
	[2] = "PR_GET_PDEATHSIG",
	[3] = "PR_GET_DUMPABLE",
	[4] = "PR_SET_DUMPABLE",
	[5] = "PR_GET_UNALIGN",
	[6] = "PR_SET_UNALIGN",
	[7] = "PR_GET_KEEPCAPS",
	[8] = "PR_SET_KEEPCAPS",
	[9] = "PR_GET_FPEMU",
	[10] = "PR_SET_FPEMU",
	[11] = "PR_GET_FPEXC",
	[12] = "PR_SET_FPEXC",
	[13] = "PR_GET_TIMING",
	[14] = "PR_SET_TIMING",
	[15] = "PR_SET_NAME",
	[16] = "PR_GET_NAME",
	[19] = "PR_GET_ENDIAN",
	[20] = "PR_SET_ENDIAN",
	[21] = "PR_GET_SECCOMP",
	[22] = "PR_SET_SECCOMP",
	[23] = "PR_CAPBSET_READ",
	[24] = "PR_CAPBSET_DROP",
	[25] = "PR_GET_TSC",
	[26] = "PR_SET_TSC",
	[27] = "PR_GET_SECUREBITS",
	[28] = "PR_SET_SECUREBITS",
	[29] = "PR_SET_TIMERSLACK",
	[30] = "PR_GET_TIMERSLACK",
	[31] = "PR_TASK_PERF_EVENTS_DISABLE",
	[32] = "PR_TASK_PERF_EVENTS_ENABLE",
	[33] = "PR_MCE_KILL",
	[34] = "PR_MCE_KILL_GET",
	[35] = "PR_SET_MM",
	[36] = "PR_SET_CHILD_SUBREAPER",
	[37] = "PR_GET_CHILD_SUBREAPER",
	[38] = "PR_SET_NO_NEW_PRIVS",
	[39] = "PR_GET_NO_NEW_PRIVS",
	[40] = "PR_GET_TID_ADDRESS",
	[41] = "PR_SET_THP_DISABLE",
	[42] = "PR_GET_THP_DISABLE",
	[43] = "PR_MPX_ENABLE_MANAGEMENT",
	[44] = "PR_MPX_DISABLE_MANAGEMENT",
	[45] = "PR_SET_FP_MODE",
	[46] = "PR_GET_FP_MODE",
	[47] = "PR_CAP_AMBIENT",
	[50] = "PR_SVE_SET_VL",
	[51] = "PR_SVE_GET_VL",
	[52] = "PR_GET_SPECULATION_CTRL",
	[53] = "PR_SET_SPECULATION_CTRL",
	[54] = "PR_PAC_RESET_KEYS",
	[55] = "PR_SET_TAGGED_ADDR_CTRL",
	[56] = "PR_GET_TAGGED_ADDR_CTRL",
	[57] = "PR_SET_IO_FLUSHER",
	[58] = "PR_GET_IO_FLUSHER",
	[59] = "PR_SET_SYSCALL_USER_DISPATCH",
	[60] = "PR_PAC_SET_ENABLED_KEYS",
	[61] = "PR_PAC_GET_ENABLED_KEYS",
	[62] = "PR_SCHED_CORE",
	[63] = "PR_SME_SET_VL",
	[64] = "PR_SME_GET_VL",
	[65] = "PR_SET_MDWE",
	[66] = "PR_GET_MDWE",
	[67] = "PR_SET_MEMORY_MERGE",
	[68] = "PR_GET_MEMORY_MERGE",
	[69] = "PR_RISCV_V_SET_CONTROL",
	[70] = "PR_RISCV_V_GET_CONTROL",
};

struct str prctl_option_name(struct arena *a, uint32_t option)
{
	switch (option) {
	case 0x59616d61:
		return STR("PR_SET_PTRACER");
	case 0x53564d41:
		return STR("PR_SET_VMA");
	case 0x41555856:
		return STR("PR_GET_AUXV");
	}
	if (option < sizeof(options) / sizeof(options[0]) && options[option])
		return str_of(options[option]);
	return arena_printf(a, "unknown(%u)", option);
}

/* include/uapi/asm-generic/signal.h: the same on all machines that we run on. 32 and 33 are the C library's. */
static const char *const signals[] = {
	[1] = "SIGHUP",     [2] = "SIGINT",   [3] = "SIGQUIT",   [4] = "SIGILL",   [5] = "SIGTRAP",
	[6] = "SIGABRT",    [7] = "SIGBUS",   [8] = "SIGFPE",    [9] = "SIGKILL",  [10] = "SIGUSR1",
	[11] = "SIGSEGV",   [12] = "SIGUSR2", [13] = "SIGPIPE",  [14] = "SIGALRM", [15] = "SIGTERM",
	[16] = "SIGSTKFLT", [17] = "SIGCHLD", [18] = "SIGCONT",  [19] = "SIGSTOP", [20] = "SIGTSTP",
	[21] = "SIGTTIN",   [22] = "SIGTTOU", [23] = "SIGURG",   [24] = "SIGXCPU", [25] = "SIGXFSZ",
	[26] = "SIGVTALRM", [27] = "SIGPROF", [28] = "SIGWINCH", [29] = "SIGPOLL", [30] = "SIGPWR",
	[31] = "SIGSYS",
};
enum { SIGNAL_RT_MIN = 34, SIGNAL_RT_MAX = 64 };

struct str signal_name(struct arena *a, uint32_t number)
{
	if (number < sizeof(signals) / sizeof(signals[0]) && signals[number])
		return str_of(signals[number]);
	if (number >= SIGNAL_RT_MIN && number <= SIGNAL_RT_MAX)
		return arena_printf(a, "SIGRT%u", number - SIGNAL_RT_MIN);
	return arena_printf(a, "SIG(%u)", number);
}
