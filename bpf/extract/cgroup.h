/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A task's cgroup path: of the unified hierarchy, or of the cpu controller's where the task is at the unified
 * root (hybrid hosts). Leaf first, like all paths. */
#ifndef KUNAI_BPF_EXTRACT_CGROUP_H
#define KUNAI_BPF_EXTRACT_CGROUP_H

enum { CGROUP_DEPTH_MAX = 16, CGROUP_NAME_MAX = 256 };

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *kn)
{
	struct kernfs_node___rcu *rcu = (void *)kn;

	if (bpf_core_field_exists(rcu->__parent))
		return BPF_CORE_READ(rcu, __parent);
	return BPF_CORE_READ(kn, parent);
}

static __always_inline struct kernfs_node *cgroup_node(struct task_struct *t)
{
	struct kernfs_node *kn = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn);

	if (kernfs_parent(kn) || !bpf_core_field_exists(t->sched_task_group))
		return kn;
	return BPF_CORE_READ(t, sched_task_group, css.cgroup, kn);
}

static __always_inline u32 cgroup_walk(struct scratch *s, struct kernfs_node *kn)
{
	u32 off = s->used;

	for (int i = 0; i < CGROUP_DEPTH_MAX; i++) {
		struct kernfs_node *parent = kernfs_parent(kn);
		if (!parent)
			break;
		OPAQUE(off);
		if (off > RECORD_MASK)
			break;
		off &= RECORD_MASK;
		u64 n = bpf_probe_read_kernel_str(s->record + off, CGROUP_NAME_MAX, BPF_CORE_READ(kn, name));
		if (n - 1 >= CGROUP_NAME_MAX)
			break;
		off += n;
		kn = parent;
	}
	return off;
}

static __always_inline void cgroup_put(struct scratch *s, struct slot *slot, struct task_struct *t)
{
	slot->off = s->used;
	s->used = cgroup_walk(s, cgroup_node(t));
	slot->len = s->used - slot->off;
}

#endif
