/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema/hooks.def as tables. */
#ifndef KUNAI_PROBE_HOOKS_H
#define KUNAI_PROBE_HOOKS_H

#include <stddef.h>
#include <stdint.h>

enum hook_traits { ESSENTIAL = 1, INTERRUPTS = 2, OPTIONAL_TRACEPOINT = 4 };

struct hook_tracepoint {
	const char *program;
	const char *tracepoint;
	uint64_t events; /* bit set by enum event_type */
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

extern const struct hook_tracepoint hook_tracepoints[];
extern const size_t hook_tracepoint_count;
extern const struct hook_syscall hook_syscalls[];
extern const size_t hook_syscall_count;

#endif
