/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sensor learns about this kernel by trying: at start it closes files and looks whether they wait in
 * task_works when the call returns. Attached for that moment only, and for its own process only.
 */
#ifndef KUNAI_BPF_TIER_LEARN_H
#define KUNAI_BPF_TIER_LEARN_H

SEC("tp_btf/sys_exit")
int BPF_PROG(learn, struct pt_regs *regs, long ret)
{
	if (!self())
		return 0;

	struct callback_head *head = BPF_CORE_READ(current_task(), task_works);
	for (int i = 0; i < PENDING_CHUNK && head; i++) {
		struct file *file = file_of_callback(head);
		if (BPF_CORE_READ(file, f_inode, i_ino) == facts.trial_inode)
			facts.fput_func = (u64)BPF_CORE_READ(head, func);
		head = BPF_CORE_READ(head, next);
	}
	return 0;
}

#if KUNAI_MODERN
/*
 * Can a program be preempted here? Runs for some ticks, while a second thread wants the same CPU, and looks whether the
 * task was switched away meanwhile. bpf_loop() is of 5.17; a kernel without it has nothing to learn here.
 */
enum { SPIN_ROUNDS = 1 << 22 };

struct spin {
	u64 until;
	u64 switches;
};

static long spin_on(u32 i, struct spin *spin)
{
	struct task_struct *t = current_task();

	return bpf_ktime_get_boot_ns() >= spin->until || TYPED(t, nivcsw) != spin->switches;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(learn_preemption, struct pt_regs *regs, long ret)
{
	struct task_struct *t = current_task();
	struct spin spin = {.switches = TYPED(t, nivcsw)};

	if (!facts.spin_ns || (u32)bpf_get_current_pid_tgid() != facts.spin_task)
		return 0;
	spin.until = bpf_ktime_get_boot_ns() + facts.spin_ns;
	facts.spin_ns = 0;
	bpf_loop(SPIN_ROUNDS, spin_on, &spin, 0);
	facts.preemptible = TYPED(t, nivcsw) != spin.switches;
	return 0;
}
#endif

#endif
