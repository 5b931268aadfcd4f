/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/privileges.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/thread.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "which architecture is this?"
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PRIVILEGES_SANITIZED
#endif
#endif

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

static const uint16_t refused_calls[] = {
#ifndef PRIVILEGES_SANITIZED /* the search for leaks stops the threads so, and has what it finds translated */
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
#endif
	SYS_process_vm_writev,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_fsopen,
	SYS_fsmount,
	SYS_move_mount,
	SYS_unshare,
	SYS_setns,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_acct,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_userfaultfd,
	SYS_io_uring_setup,
	SYS_perf_event_open,
	SYS_mknodat,
#ifdef __x86_64__
	SYS_mknod,
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
#endif
};

/* Of bpf(2): counters and statistics are still read. */
static const uint16_t refused_bpf[] = {
	BPF_PROG_LOAD,        BPF_OBJ_PIN,  BPF_OBJ_GET,     BPF_PROG_ATTACH,         BPF_PROG_GET_FD_BY_ID,
	BPF_MAP_GET_FD_BY_ID, BPF_BTF_LOAD, BPF_LINK_CREATE, BPF_RAW_TRACEPOINT_OPEN, BPF_LINK_GET_FD_BY_ID,
};

enum {
	FILTER_FIXED = 8,
	FILTER_MAX = FILTER_FIXED + COUNT(refused_calls) + COUNT(refused_bpf),
	X32 = 0x40000000, /* calls of x86-64 with another number, asm/unistd.h: __X32_SYSCALL_BIT */
};

/* Jumps of BPF have eight bits. */
_Static_assert(FILTER_MAX < 256, "too many calls for one jump");

struct program {
	struct sock_filter v[FILTER_MAX];
	unsigned short n;
};

static void add(struct program *p, uint16_t code, uint32_t k, unsigned int jt, unsigned int jf)
{
	p->v[p->n++] = (struct sock_filter)BPF_JUMP(code, k, (uint8_t)jt, (uint8_t)jf);
}

/* Jumps to the end of the program, where the refusal stands, when one of the values is loaded. */
static void add_list(struct program *p, const uint16_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], FILTER_MAX - 2 - p->n, 0);
}

static void make_program(struct program *p)
{
	*p = (struct program){0};
	add(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 0, FILTER_MAX - 2 - p->n);
	add(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	add(p, BPF_JMP | BPF_JGE | BPF_K, X32, FILTER_MAX - 2 - p->n, 0);
	add_list(p, refused_calls, COUNT(refused_calls));
	/* the list of bpf(2) and the load before it are passed over for other calls */
	add(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1 + COUNT(refused_bpf));
	add(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args), 0, 0);
	add_list(p, refused_bpf, COUNT(refused_bpf));
	add(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	add(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
}

int privileges_filter(void)
{
	struct program program;

	make_program(&program);
	const struct sock_fprog fprog = {.len = program.n, .filter = program.v};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* a thread that cannot follow is named by a positive number */
	long n = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &fprog);
	return n < 0 ? -errno : n > 0 ? -EBUSY : 0;
}
