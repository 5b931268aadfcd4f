/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers with which the current task entered the kernel, for hooks that are not told them. */
#ifndef KUNAI_BPF_EXTRACT_ENTRY_H
#define KUNAI_BPF_EXTRACT_ENTRY_H

/* A register that the current task entered the kernel with. */
#if KUNAI_MODERN
#define ENTRY_REG(t, name) (((struct pt_regs *)bpf_task_pt_regs(t))->name)
#else
/* arch/x86 and arch/arm64 alike */
enum { THREAD_SIZE = 16384 };
#define ENTRY_REG(t, name)                                                                          \
	({                                                                                          \
		struct pt_regs *regs_ =                                                             \
			BPF_CORE_READ(t, stack) + THREAD_SIZE - bpf_core_type_size(struct pt_regs); \
		BPF_CORE_READ(regs_, name);                                                         \
	})
#endif

/* Arguments of a call: in registers of other names for 64-bit and 32-bit programs. */
#ifdef __TARGET_ARCH_arm64
#define ENTRY_CALL(t)         ENTRY_REG(t, syscallno)
#define ENTRY_ARG(t)          ENTRY_REG(t, orig_x0)
#define ENTRY_COMPAT_ARG(t)   ENTRY_REG(t, orig_x0)
#define ENTRY_ARG1(t, compat) ENTRY_REG(t, regs[1])
#define ENTRY_ARG2(t, compat) ENTRY_REG(t, regs[2])
#else
#define ENTRY_CALL(t)         ENTRY_REG(t, orig_ax)
#define ENTRY_ARG(t)          ENTRY_REG(t, di)
#define ENTRY_COMPAT_ARG(t)   ENTRY_REG(t, bx)
#define ENTRY_ARG1(t, compat) ((compat) ? ENTRY_REG(t, cx) : ENTRY_REG(t, si))
#define ENTRY_ARG2(t, compat) ENTRY_REG(t, dx)
#endif

#endif
