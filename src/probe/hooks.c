/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/hooks.h"

#include <sys/syscall.h>

#include "schema/wire.h"

#include "bpf/base/config.h"

#define E(name) (1ULL << EVENT_##name)
#define ALL     (~0ULL)

enum {
	SYSCALLS = 0
#define TRACEPOINT(program, tracepoint, events, traits)
#define SYSCALL(program, call, events) | (events)
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL
};

enum { AT_fentry = AT_ENTRY, AT_fexit = 0 };

const struct hook hooks[] = {
#define TRACEPOINT(program, tracepoint, events, traits) {#program, #tracepoint, events, traits},
#define SYSCALL(program, call, events)
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL
#define TRAMPOLINE(program, kind, function, events) {#program, #function, events, FUNCTION | AT_##kind},
#define CALLED(program, call, events)                                    \
	{"called_" #call, #call, events, NATIVE_CALL},                   \
		{"called_" #call "_compat", #call, events, COMPAT_CALL}, \
		{"called_" #call "_ia32", #call, events, IA32_CALL},
#include "schema/trampolines.def"
#undef TRAMPOLINE
#undef CALLED
};
const size_t hook_count = sizeof(hooks) / sizeof(*hooks);

/* arm64 never had the oldest calls; they are never made there. */
#ifndef __NR_open
#define __NR_open NO_SYSCALL
#endif
#ifndef __NR_creat
#define __NR_creat NO_SYSCALL
#endif
#ifndef __NR_unlink
#define __NR_unlink NO_SYSCALL
#endif
#ifndef __NR_rename
#define __NR_rename NO_SYSCALL
#endif
#ifndef __NR_renameat
#define __NR_renameat NO_SYSCALL
#endif
/* and these are of 32-bit programs only */
#ifndef __NR_socketcall
#define __NR_socketcall NO_SYSCALL
#endif
#ifndef __NR_send
#define __NR_send NO_SYSCALL
#endif
#ifndef __NR_recv
#define __NR_recv NO_SYSCALL
#endif
#ifndef __NR_old_mmap
#define __NR_old_mmap NO_SYSCALL
#endif
#ifndef __NR_ftruncate64
#define __NR_ftruncate64 NO_SYSCALL
#endif
#ifndef __NR_truncate64
#define __NR_truncate64 NO_SYSCALL
#endif
#ifndef __NR_sendfile64
#define __NR_sendfile64 NO_SYSCALL
#endif
#ifndef __NR_recvmmsg_time64
#define __NR_recvmmsg_time64 NO_SYSCALL
#endif

/* The numbers of 32-bit x86 programs: arch/x86/entry/syscalls/syscall_32.tbl. */
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
	COMPAT_open_by_handle_at = 342,
	COMPAT_writev = 146,
	COMPAT_readv = 145,
	COMPAT_pwritev = 334,
	COMPAT_pwritev2 = 379,
	COMPAT_mmap = 192, /* mmap2 */
	COMPAT_old_mmap = 90,
	COMPAT_sendmsg = 370,
	COMPAT_sendmmsg = 345,
	COMPAT_recvmsg = 372,
	COMPAT_recvmmsg = 337,
	COMPAT_io_submit = 248,
	COMPAT_socketcall = 102,
	COMPAT_ftruncate64 = 194,
	COMPAT_truncate64 = 193,
	COMPAT_sendfile64 = 239,
	COMPAT_recvmmsg_time64 = 417,
	COMPAT_prctl = 172,
	COMPAT_kill = 37,
	COMPAT_tkill = 238,
	COMPAT_tgkill = 270,
	COMPAT_rt_sigqueueinfo = 178,
	COMPAT_rt_tgsigqueueinfo = 335,
	COMPAT_pidfd_send_signal = 424,
	COMPAT_ptrace = 26,
	COMPAT_process_vm_readv = 347,
	COMPAT_process_vm_writev = 348,
	COMPAT_pidfd_getfd = 438,
	COMPAT_mprotect = 125,
	COMPAT_pkey_mprotect = 380,
	COMPAT_setsockopt = 366,
	COMPAT_unlink = 10,
	COMPAT_pread64 = 180,
	COMPAT_preadv = 333,
	COMPAT_preadv2 = 378,
	COMPAT_unlinkat = 301,
	COMPAT_rename = 38,
	COMPAT_renameat = 302,
	COMPAT_renameat2 = 353,
	COMPAT_send = NO_SYSCALL, /* through socketcall */
	COMPAT_recv = NO_SYSCALL,
	COMPAT_bpf = 357,
	COMPAT_init_module = 128,
	COMPAT_finit_module = 350,
};
#else
#include "probe/arm_calls.h"
#endif
#define COMPAT(call) COMPAT_##call

const struct hook_syscall hook_syscalls[] = {
#define TRACEPOINT(program, tracepoint, events, traits)
#define SYSCALL(program, call, events) {#program, #call, __NR_##call, COMPAT(call), events},
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL
};
const size_t hook_syscall_count = sizeof(hook_syscalls) / sizeof(*hook_syscalls);

const struct hook_access hook_accesses[] = {
#define TRAMPOLINE(program, kind, function, events)
#define CALLED(program, call, events)
#define ACCESS(call, how) {__NR_##call, COMPAT(call), how},
#include "schema/trampolines.def"
#undef TRAMPOLINE
#undef CALLED
#undef ACCESS
};
const size_t hook_access_count = sizeof(hook_accesses) / sizeof(*hook_accesses);
