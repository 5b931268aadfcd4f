/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/hooks.h"

#include <sys/syscall.h>

#include "schema/wire.h"

#define E(name) (1ULL << EVENT_##name)
#define ALL     (~0ULL)

const struct hook_tracepoint hook_tracepoints[] = {
#define TRACEPOINT(program, tracepoint, events) {#program, #tracepoint, events},
#define SYSCALL(program, call, events)
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL
};
const size_t hook_tracepoint_count = sizeof(hook_tracepoints) / sizeof(*hook_tracepoints);

/* arm64 never had the oldest calls; they are never made there. */
#ifndef __NR_open
#define __NR_open NO_SYSCALL
#endif
#ifndef __NR_creat
#define __NR_creat NO_SYSCALL
#endif

/*
 * The numbers of 32-bit x86 programs: arch/x86/entry/syscalls/syscall_32.tbl. Calls whose structures differ in
 * 32-bit programs are read with the 64-bit layout nowhere: they have no row here.
 */
#ifdef __x86_64__
enum {
	COMPAT_open = 5,
	COMPAT_creat = 8,
	COMPAT_write = 4,
	COMPAT_read = 3,
	COMPAT_ioctl = 54,
	COMPAT_ftruncate = 93,
	COMPAT_truncate = 92,
	COMPAT_pwrite64 = 181,
	COMPAT_sendfile = 187,
	COMPAT_openat = 295,
	COMPAT_splice = 313,
	COMPAT_fallocate = 324,
	COMPAT_connect = 362,
	COMPAT_sendto = 369,
	COMPAT_recvfrom = 371,
	COMPAT_copy_file_range = 377,
	COMPAT_openat2 = 437,
	COMPAT_writev = NO_SYSCALL,
	COMPAT_readv = NO_SYSCALL,
	COMPAT_pwritev = 334,
	COMPAT_pwritev2 = 379,
	COMPAT_mmap = 192, /* mmap2 */
	COMPAT_sendmsg = NO_SYSCALL,
	COMPAT_sendmmsg = NO_SYSCALL,
	COMPAT_recvmsg = NO_SYSCALL,
	COMPAT_recvmmsg = NO_SYSCALL,
};
#define COMPAT(call) COMPAT_##call
#else
#define COMPAT(call) NO_SYSCALL
#endif

const struct hook_syscall hook_syscalls[] = {
#define TRACEPOINT(program, tracepoint, events)
#define SYSCALL(program, call, events) {#program, #call, __NR_##call, COMPAT(call), events},
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL
};
const size_t hook_syscall_count = sizeof(hook_syscalls) / sizeof(*hook_syscalls);
