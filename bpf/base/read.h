/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading kernel memory. TYPED pointers come from a hook's arguments or from bpf_get_current_task_btf() and are
 * read by plain loads, a fifth of the cost of a probe read. Kernels before 5.15 get the legacy build, where the
 * current task has no type. Other pointers are read with BPF_CORE_READ in both builds.
 */
#ifndef KUNAI_BPF_BASE_READ_H
#define KUNAI_BPF_BASE_READ_H

#if KUNAI_MODERN
#define TYPED(pointer, member) ((pointer)->member)
#else
#define TYPED(pointer, member) BPF_CORE_READ(pointer, member)
#endif

static __always_inline struct task_struct *current_task(void)
{
#if KUNAI_MODERN
	return bpf_get_current_task_btf();
#else
	return (struct task_struct *)bpf_get_current_task();
#endif
}

/*
 * A function that takes a pointer to our own memory. Global functions are verified once in a program, however often they
 * are called, but 5.10 knows none with pointers. What comes may be NULL to the verifier.
 */
#if KUNAI_MODERN
#define POINTER_FUNCTION __noinline
#else
#define POINTER_FUNCTION static __always_inline
#endif

/*
 * What a hash takes of a pointer, typed or not: the verifier makes numbers of the distance of two pointers and of the lower
 * half of one, and of nothing else.
 */
static __always_inline u64 pointer_distance(const void *a, const void *b)
{
	u64 distance = (u64)a - (u64)b;

	asm volatile("" : "+r"(distance));
	return distance;
}

static __always_inline u32 pointer_low(const void *a)
{
	u32 low;

	asm volatile("%0 = %1" : "=w"(low) : "w"((u32)(u64)a));
	return low;
}

/* Keeps clang from proving a bound in one register and using another: the verifier follows one only. */
#define OPAQUE(variable) asm volatile("" : "+r"(variable))

#endif
