/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which system calls this process may make from now on (seccomp). Whatever is not named fails with ENOSYS, as on a kernel
 * that does not have it, and the kernel logs it: a C library that is newer than the list falls back to older calls, and the
 * process lives.
 */
#ifndef KUNAI_BASE_CALL_FILTER_H
#define KUNAI_BASE_CALL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CALL_FILTER_SANITIZED
#endif
#endif

/* A call that is allowed with these first arguments only. */
struct call_choice {
	uint16_t call;
	const uint16_t *first;
	size_t count;
};

struct call_filter {
	const uint16_t *
		calls; /* what is called most stands first: before Linux 5.11 each call goes through the list */
	size_t count;
	const struct call_choice *choices;
	size_t choice_count;
	bool all_threads; /* of this process, else the calling one and those that it will start */
};

/* What memory, locks, signals and the end of a process need, of any C library. */
#define CALLS_OF_ANY_PROCESS                                                                                \
	SYS_futex, SYS_clock_gettime, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mprotect, SYS_brk, \
		SYS_getpid, SYS_gettid, SYS_tgkill, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, \
		SYS_restart_syscall, SYS_getrandom, SYS_exit, SYS_exit_group

/* What the sanitizers of a test build do: their search for leaks stops the other threads, and has addresses translated. */
#ifdef CALL_FILTER_SANITIZED
#define CALLS_OF_SANITIZERS                                                                                  \
	SYS_execve, SYS_ptrace, SYS_process_vm_readv, SYS_clone, SYS_clone3, SYS_wait4, SYS_pipe, SYS_pipe2, \
		SYS_dup2, SYS_open, SYS_openat, SYS_newfstatat, SYS_stat, SYS_read, SYS_write, SYS_close,    \
		SYS_fcntl, SYS_readlink, SYS_prctl, SYS_prlimit64, SYS_sigaltstack, SYS_sched_yield,         \
		SYS_sched_getaffinity, SYS_getdents, SYS_getdents64, SYS_lseek, SYS_getppid,                 \
		SYS_set_robust_list, SYS_rseq, SYS_personality, SYS_uname, SYS_msync,
#else
#define CALLS_OF_SANITIZERS
#endif

/* The way is one way, also for what is executed later: PR_SET_NO_NEW_PRIVS. 0 or -errno. */
int call_filter_apply(const struct call_filter *filter);

#endif
