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

/* Keeps clang from proving a bound in one register and using another: the verifier follows one only. */
#define OPAQUE(variable) asm volatile("" : "+r"(variable))

#endif
