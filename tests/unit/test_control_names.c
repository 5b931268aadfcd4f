/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/control_names.h"

#include <linux/prctl.h>

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

int main(void)
{
	struct arena arena = {0};

	test_prctl_options(&arena);
	arena_fini(&arena);
	return done_testing();
}
