/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options, fixed before load. The verifier knows them as constants, so what is switched off costs nothing.
 * User space writes this struct into the section .rodata.config: src/probe/probe.c.
 */
#ifndef KUNAI_BPF_BASE_CONFIG_H
#define KUNAI_BPF_BASE_CONFIG_H

struct bpf_config {
	u64 wanted;	     /* bit set by enum event_type */
	u64 fput_func;	     /* address of ____fput, the callback of a deferred last fput; 0 unknown */
	u64 send_min_len;    /* smallest send_data */
	u32 self_tgid;	     /* own activity is never reported */
	u32 max_args;	     /* bytes of the argument area kept, at most WIRE_ARGS_MAX */
	u32 possible_cpus;
	u32 wakeup_bytes;    /* a ring fuller than this wakes the reader */
};

/* The trial of learn.bpf.c: user space says who tries with which file. */
struct bpf_trial {
	u64 tgid;
	u64 inode;
	u64 func; /* the answer: the callback with which that file waits in task_works, or 0 */
};

#endif
