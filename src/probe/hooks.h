/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema/hooks.def and schema/trampolines.def as tables. */
#ifndef KUNAI_PROBE_HOOKS_H
#define KUNAI_PROBE_HOOKS_H

#include <stddef.h>
#include <stdint.h>

enum hook_traits {
	ESSENTIAL = 1,
	INTERRUPTS = 2,
	OPTIONAL_TRACEPOINT = 4,
	BY_TRACEPOINT = 8,
	/* of the trampoline tier: a function of this name, or that of the system call of this name; for 32-bit programs the
	 * kernel has up to two, one of which does nothing */
	FUNCTION = 16,
	NATIVE_CALL = 32,
	COMPAT_CALL = 64,
	IA32_CALL = 128,
	AT_ENTRY = 256, /* of a function, not at its return */
	TRAMPOLINE_KINDS = FUNCTION | NATIVE_CALL | COMPAT_CALL | IA32_CALL,
};

/* What a program is attached to: the rows TRACEPOINT, then those of trampolines.def. */
struct hook {
	const char *program;
	const char *name; /* of the tracepoint, function or call */
	uint64_t events;  /* bit set by enum event_type */
	int traits;
};

enum { NO_SYSCALL = -1 };

struct hook_syscall {
	const char *program;
	const char *name;
	int native; /* call number, or NO_SYSCALL */
	int compat; /* that of 32-bit programs, or NO_SYSCALL */
	uint64_t events;
};

/* Accesses of a call: see ACCESS in trampolines.def. */
struct hook_access {
	int native, compat;
	uint16_t how;
};

extern const struct hook hooks[];
extern const size_t hook_count;
extern const struct hook_syscall hook_syscalls[];
extern const size_t hook_syscall_count;
extern const struct hook_access hook_accesses[];
extern const size_t hook_access_count;

#endif
