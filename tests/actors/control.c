/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a process does to itself: prctl(2). The facts are written with PR_GET_NAME, which the judge leaves out. */
#include "actor.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct call {
	const char *name;
	unsigned long option, arg2, arg3, arg4, arg5; /* as wide as the program's registers */
	bool success;
};

static void state_prctl(const struct call *call)
{
	const struct {
		const char *name;
		unsigned long value;
	} args[] = {{"arg2", call->arg2}, {"arg3", call->arg3}, {"arg4", call->arg4}, {"arg5", call->arg5}};
	char text[32];
	struct fact fact;

	facts_begin(&fact, "prctl");
	facts_string(&fact, "option", call->name);
	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)args[i].value);
		facts_string(&fact, args[i].name, text);
	}
	facts_bool(&fact, "success", call->success);
	facts_end(&fact);
}

static void call_prctl(const struct call *call)
{
	long ret = syscall(SYS_prctl, call->option, call->arg2, call->arg3, call->arg4, call->arg5);

	actor_must((ret >= 0) == call->success, call->name);
	state_prctl(call);
}

static void prctl_options(const struct actor_case *self)
{
	const unsigned long name = (uintptr_t) "other name";
	const struct call calls[] = {
		{"PR_SET_NAME", PR_SET_NAME, name, 0, 0, 0, true},
		{"PR_SET_NAME", PR_SET_NAME, (uintptr_t)actor_nowhere, 0, 0, 0, false},
		{"PR_SET_DUMPABLE", PR_SET_DUMPABLE, 0, 0, 0, 0, true},
		{"PR_GET_DUMPABLE", PR_GET_DUMPABLE, ULONG_MAX, 1, 2, 3, true},
		{"PR_SET_DUMPABLE", PR_SET_DUMPABLE, 77, 0, 0, 0, false},
		{"PR_SET_NO_NEW_PRIVS", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, true},
		{"PR_SET_NO_NEW_PRIVS", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 1, false},
		{"PR_SET_PDEATHSIG", PR_SET_PDEATHSIG, 9, 0, 0, 0, true},
		/* the kernel looks at the lower half only */
		{"PR_GET_SECCOMP", (unsigned long)UINT64_C(0xabcd00000015), 0, 0, 0, 0, true},
		{"unknown(0)", 0, 0, 0, 0, 0, false},
		{"unknown(4294967295)", ULONG_MAX, ~(ULONG_MAX >> 1), 0, 0, 0, false},
	};

	(void)self;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		call_prctl(&calls[i]);
}

void actor_add_control(void)
{
	actor_add(prctl_options, 0, 0, 0, "prctl.options");
}
