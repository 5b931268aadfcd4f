/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/call_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "which architecture is this?"
#endif

enum { PROGRAM_MAX = 512 };

struct program {
	struct sock_filter v[PROGRAM_MAX];
	size_t n; /* goes on counting when v is full */
};

static void add(struct program *p, uint16_t code, uint32_t k, size_t jt, size_t jf)
{
	if (p->n < PROGRAM_MAX)
		p->v[p->n] = (struct sock_filter)BPF_JUMP(code, k, (uint8_t)jt, (uint8_t)jf);
	p->n++;
}

static void add_load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void add_return(struct program *p, uint32_t action)
{
	add(p, BPF_RET | BPF_K, action, 0, 0);
}

/* Where what is loaded is one of the values, the call is allowed. */
static void add_allowed(struct program *p, const uint16_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		add(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1);
		add_return(p, SECCOMP_RET_ALLOW);
	}
}

/* Of an argument the lower half is looked at: both architectures have it first, and the calls named take an int. */
static void add_choice(struct program *p, const struct call_choice *choice, uint32_t refusal)
{
	const size_t length = 2 + 2 * choice->count;

	add(p, BPF_JMP | BPF_JEQ | BPF_K, choice->call, 0, length);
	add_load(p, offsetof(struct seccomp_data, args));
	add_allowed(p, choice->first, choice->count);
	add_return(p, refusal);
}

static int make_program(const struct call_filter *filter, struct program *p)
{
	const uint32_t refusal = SECCOMP_RET_ERRNO | ENOSYS;

	p->n = 0;
	/* other architectures, as 32-bit programs have them, count their calls in another way */
	add_load(p, offsetof(struct seccomp_data, arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
	add_return(p, refusal);
	/* the calls of x32 have numbers above all that fit into the list */
	add_load(p, offsetof(struct seccomp_data, nr));
	add_allowed(p, filter->calls, filter->count);
	for (size_t i = 0; i < filter->choice_count; i++) {
		if (2 + 2 * filter->choices[i].count > UINT8_MAX) /* jumps have eight bits */
			return -E2BIG;
		add_choice(p, &filter->choices[i], refusal);
	}
	add_return(p, refusal);
	return p->n <= PROGRAM_MAX ? 0 : -E2BIG;
}

int call_filter_apply(const struct call_filter *filter)
{
	const unsigned int flags =
		SECCOMP_FILTER_FLAG_LOG | (filter->all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0);
	struct program program;

	int err = make_program(filter, &program);
	if (err)
		return err;
	const struct sock_fprog fprog = {.len = (unsigned short)program.n, .filter = program.v};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* a thread that cannot follow is named by a positive number */
	long n = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &fprog);
	return n < 0 ? -errno : n > 0 ? -EBUSY : 0;
}
