/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sensor must learn about this kernel before its programs are loaded, by trying: it closes files and looks
 * whether they wait in task_works when the call returns. Runs once, at start, for its own process only.
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#define KUNAI_MODERN 0

#include "base/config.h"
#include "base/read.h"
#include "extract/file.h"

enum { PENDING_MAX = 64 };

struct bpf_trial trial;

SEC("tp_btf/sys_exit")
int BPF_PROG(learn, struct pt_regs *regs, long ret)
{
	if (bpf_get_current_pid_tgid() >> 32 != trial.tgid)
		return 0;

	struct task_struct *t = current_task();
	struct callback_head *head = BPF_CORE_READ(t, task_works);
	for (int i = 0; i < PENDING_MAX && head; i++) {
		struct file *file = file_of_callback(head);
		if (BPF_CORE_READ(file, f_inode, i_ino) == trial.inode)
			trial.func = (u64)BPF_CORE_READ(head, func);
		head = BPF_CORE_READ(head, next);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
