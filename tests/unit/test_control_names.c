/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/control_names.h"

#include <linux/prctl.h>
#include <signal.h>

#include "tap.h"

static void test_prctl_options(struct arena *a)
{
	is_str(prctl_option_name(a, PR_SET_PDEATHSIG).p, "PR_SET_PDEATHSIG", "the first");
	is_str(prctl_option_name(a, PR_SET_NAME).p, "PR_SET_NAME", "PR_SET_NAME");
	is_str(prctl_option_name(a, PR_SET_SECCOMP).p, "PR_SET_SECCOMP", "PR_SET_SECCOMP");
	is_str(prctl_option_name(a, PR_SET_MM).p, "PR_SET_MM", "PR_SET_MM");
	is_str(prctl_option_name(a, PR_SET_NO_NEW_PRIVS).p, "PR_SET_NO_NEW_PRIVS", "PR_SET_NO_NEW_PRIVS");
	is_str(prctl_option_name(a, PR_CAP_AMBIENT).p, "PR_CAP_AMBIENT", "PR_CAP_AMBIENT");
	is_str(prctl_option_name(a, PR_SCHED_CORE).p, "PR_SCHED_CORE", "PR_SCHED_CORE");
	is_str(prctl_option_name(a, 70).p, "PR_RISCV_V_GET_CONTROL", "the last");
	is_str(prctl_option_name(a, PR_SET_PTRACER).p, "PR_SET_PTRACER", "PR_SET_PTRACER");
	is_str(prctl_option_name(a, PR_SET_VMA).p, "PR_SET_VMA", "PR_SET_VMA");
	is_str(prctl_option_name(a, 0x41555856).p, "PR_GET_AUXV", "PR_GET_AUXV");
	is_str(prctl_option_name(a, 0).p, "unknown(0)", "below the first");
	is_str(prctl_option_name(a, 17).p, "unknown(17)", "a hole");
	is_str(prctl_option_name(a, 48).p, "unknown(48)", "another hole");
	is_str(prctl_option_name(a, 71).p, "unknown(71)", "past the last");
	is_str(prctl_option_name(a, UINT32_MAX).p, "unknown(4294967295)", "the greatest number");
}

static void test_signals(struct arena *a)
{
	is_str(signal_name(a, SIGHUP).p, "SIGHUP", "the first");
	is_str(signal_name(a, SIGKILL).p, "SIGKILL", "SIGKILL");
	is_str(signal_name(a, SIGSTKFLT).p, "SIGSTKFLT", "SIGSTKFLT");
	is_str(signal_name(a, SIGIO).p, "SIGPOLL", "SIGIO");
	is_str(signal_name(a, SIGSYS).p, "SIGSYS", "the last with a name");
	is_str(signal_name(a, 32).p, "SIG(32)", "of the C library");
	is_str(signal_name(a, 33).p, "SIG(33)", "another one");
	is_str(signal_name(a, 34).p, "SIGRT0", "the first real-time signal");
	is_str(signal_name(a, 64).p, "SIGRT30", "the last");
	is_str(signal_name(a, 65).p, "SIG(65)", "past it");
	is_str(signal_name(a, 0).p, "SIG(0)", "none");
}

int main(void)
{
	struct arena arena = {0};

	test_prctl_options(&arena);
	test_signals(&arena);
	arena_fini(&arena);
	return done_testing();
}
