/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A task's cgroup path: of the unified hierarchy, or of the cpu controller's where the task is at the unified
 * root (hybrid hosts). Leaf first, like all paths. */
#ifndef KUNAI_BPF_EXTRACT_CGROUP_H
#define KUNAI_BPF_EXTRACT_CGROUP_H

enum {
	/* 64 levels */
	CGROUP_CHUNK = 4,
	CGROUP_CHUNKS = 16,
	CGROUP_NAME_MAX = 256,
};

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

/* Appends the names of some levels; returns the next one, 0 when the root is reached. */
__noinline u64 cgroup_levels(u32 handle, u64 node)
{
	struct scratch *s = scratch_of(handle);
	if (!s)
		return 0;

	u32 off = s->used;
	for (int i = 0; i < CGROUP_CHUNK; i++) {
		struct kernfs_node *kn = (struct kernfs_node *)node;
		u64 parent = (u64)kernfs_parent(kn);
		u64 n = CGROUP_NAME_MAX + 1;
		if (parent) {
			OPAQUE(off);
			if (off > RECORD_MASK)
				break;
			off &= RECORD_MASK;
			n = bpf_probe_read_kernel_str(s->record + off, CGROUP_NAME_MAX,
						      BPF_CORE_READ(kn, name));
		}
		if (n - 1 >= CGROUP_NAME_MAX) {
			node = 0;
			break;
		}
		off += n;
		node = parent;
	}
	s->used = off;
	return node;
}

static __always_inline void cgroup_put(struct scratch *s, struct slot *slot, struct task_struct *t)
{
	slot->off = s->used;
	u64 node = (u64)cgroup_node(t);
	for (int i = 0; i < CGROUP_CHUNKS && node; i++)
		node = cgroup_levels(s->handle, node);
	u32 off = s->used;
	OPAQUE(off);
	if (node && off <= RECORD_MASK) {
		/* what is missing shows as the topmost component */
		off &= RECORD_MASK;
		__builtin_memcpy(s->record + off, "...", 4);
		s->used = off + 4;
	}
	slot->len = s->used - slot->off;
}

#endif
