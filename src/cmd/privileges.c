/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/privileges.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/call_filter.h"
#include "base/thread.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Files of every process and their namespaces, BPF, signals; the helpers become nobody; a queue that stays in memory. */
#define CAPABILITIES(X) \
	X(BPF)          \
	X(PERFMON)      \
	X(SYS_ADMIN)    \
	X(SYS_PTRACE)   \
	X(SYS_RESOURCE) \
	X(DAC_READ_SEARCH) X(DAC_OVERRIDE) X(KILL) X(SETPCAP) X(SETUID) X(SETGID) X(IPC_LOCK)

void privileges_add_names(struct buf *out)
{
#define NAME(name) " CAP_" #name
	static const char names[] = CAPABILITIES(NAME);
#undef NAME

	buf_add_str(out, str_of(names + 1));
}

void privileges_add_missing(uint64_t effective, struct buf *out)
{
#define ROW(name_) {CAP_##name_, "CAP_" #name_},
	static const struct {
		int number;
		const char *name;
	} rows[] = {CAPABILITIES(ROW)};
#undef ROW

	for (size_t i = 0; i < COUNT(rows); i++)
		if (!(effective >> rows[i].number & 1))
			buf_printf(out, "%s%s", out->len ? " " : "", rows[i].name);
}

bool privileges_suffice(uint64_t effective)
{
	const uint64_t bpf = UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_PERFMON;
	const uint64_t admin = UINT64_C(1) << CAP_SYS_ADMIN;

	return (effective & admin || (effective & bpf) == bpf) && effective >> CAP_SYS_PTRACE & 1;
}

int privileges_drop(void)
{
#define BIT(name) | UINT64_C(1) << CAP_##name
	static const uint64_t kept = 0 CAPABILITIES(BIT);
#undef BIT
	int err = 0;

	/* the bounding set first: that needs CAP_SETPCAP. A kernel that knows fewer than we do says EINVAL. */
	for (unsigned long i = 0; i < 64; i++)
		if (!(kept >> i & 1) && prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1 &&
		    prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			err = -errno;
	int keep_err = thread_keep_capabilities(kept);
	return keep_err ? keep_err : err;
}

/*
 * What a sensor that has started calls, and the C libraries beneath it in its stead. Not among them: to execute programs, to
 * trace processes, to mount, to load modules, to change names and clocks, to enter namespaces.
 *
 * The hardened mode is loaded before, and adds none: its lease is renewed in mapped memory, its heartbeat is a thread that
 * ends (clone, clone3), links are looked at with bpf(2) below, and who asks for a stop is read with getsockopt(2).
 */
static const uint16_t sensor_calls[] = {
	/* for each event, or for many */
	SYS_read, SYS_write, SYS_close, SYS_openat, SYS_openat2, SYS_newfstatat, SYS_fstat, SYS_statx,
	SYS_fstatfs, SYS_pread64, SYS_preadv2, SYS_readlinkat, SYS_fadvise64, SYS_recvfrom, SYS_sendto,
	SYS_ppoll, SYS_epoll_pwait,
#ifdef __x86_64__
	SYS_poll, SYS_epoll_wait,
#endif
	CALLS_OF_ANY_PROCESS,
	/* files: rules, logs and their archives, what is kept */
	SYS_pwrite64, SYS_writev, SYS_lseek, SYS_getdents64, SYS_fcntl, SYS_flock, SYS_fsync, SYS_fdatasync,
	SYS_ftruncate, SYS_fchmod, SYS_fchmodat, SYS_utimensat, SYS_faccessat, SYS_faccessat2, SYS_mkdirat,
	SYS_unlinkat, SYS_linkat, SYS_renameat, SYS_renameat2, SYS_getcwd, SYS_memfd_create,
	SYS_fanotify_init, SYS_fanotify_mark,
	/* sockets and descriptors */
	SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept4, SYS_shutdown, SYS_sendmsg,
	SYS_recvmsg, SYS_getsockopt, SYS_setsockopt, SYS_getsockname, SYS_eventfd2, SYS_epoll_create1,
	SYS_epoll_ctl,
	/* threads and processes */
	SYS_clone, SYS_clone3, SYS_set_robust_list, SYS_rseq, SYS_sched_yield, SYS_sched_getaffinity,
	SYS_sched_setscheduler, SYS_setpriority, SYS_ioprio_set, SYS_getcpu, SYS_prctl, SYS_capget,
	SYS_capset, SYS_prlimit64, SYS_sysinfo, SYS_uname, SYS_wait4, SYS_kill, SYS_pidfd_open,
	SYS_pidfd_send_signal, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_sigaltstack,
	SYS_signalfd4, SYS_nanosleep, SYS_clock_nanosleep, SYS_gettimeofday,
#ifdef __x86_64__ /* the same by their old names */
	SYS_time, SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_chmod, SYS_mkdir, SYS_unlink,
	SYS_link, SYS_rename, SYS_getrlimit,
#endif
	CALLS_OF_SANITIZERS};

/* Counters and statistics are still read. */
static const uint16_t bpf_commands[] = {
	BPF_MAP_LOOKUP_ELEM,  BPF_MAP_UPDATE_ELEM,    BPF_MAP_DELETE_ELEM,
	BPF_MAP_GET_NEXT_KEY, BPF_OBJ_GET_INFO_BY_FD,
};

/* Outputs are opened anew; a connection to elsewhere is not made. */
static const uint16_t socket_families[] = {AF_UNIX};

int privileges_filter(void)
{
	static const struct call_choice choices[] = {
		{SYS_bpf, bpf_commands, COUNT(bpf_commands)},
		{SYS_socket, socket_families, COUNT(socket_families)},
	};
	static const struct call_filter filter = {
		.calls = sensor_calls,
		.count = COUNT(sensor_calls),
		.choices = choices,
		.choice_count = COUNT(choices),
		.all_threads = true,
	};

	return call_filter_apply(&filter);
}
