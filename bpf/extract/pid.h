/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a number that a program passed to the task that it means. A number belongs to a pid namespace; the namespace
 * keeps an xarray of them, which we walk as xa_load() does. All pointers are untyped.
 */
#ifndef KUNAI_BPF_EXTRACT_PID_H
#define KUNAI_BPF_EXTRACT_PID_H

enum {
	XA_LEVELS = 6, /* of 64 entries: 36 bits of index, and a pid has 22 */
	XA_INTERNAL = 2,
	XA_TAGS = 3,
	XA_NODE_MIN = 4096, /* internal entries below it are no nodes */
};

static __always_inline u64 xa_slot(struct xa_node *node, u32 index)
{
	u64 entries = bpf_core_field_size(node->slots) / sizeof(void *);
	u64 at = index >> BPF_CORE_READ(node, shift);
	u64 entry = 0;

	at &= entries - 1;
	bpf_probe_read_kernel(&entry, sizeof(entry),
			      (void *)node + bpf_core_field_offset(node->slots) + at * sizeof(entry));
	return entry;
}

static __always_inline struct upid *pid_upid(struct pid *pid, u32 level)
{
	return (void *)pid + bpf_core_field_offset(pid->numbers) + level * bpf_core_type_size(struct upid);
}

/* The struct pid that a number means to the current task, or NULL. */
static __always_inline struct pid *pid_of_number(u32 number)
{
	struct task_struct *t = current_task();
	struct pid *own = BPF_CORE_READ(t, thread_pid); /* untyped: what is added to it varies */
	/* a task's own namespace is the last one that numbers it */
	u32 level = BPF_CORE_READ(own, level);
	struct upid *upid = pid_upid(own, level);
	struct pid_namespace *ns = BPF_CORE_READ(upid, ns);
	u64 entry = (u64)BPF_CORE_READ(ns, idr.idr_rt.xa_head);

	for (int i = 0; i < XA_LEVELS && (entry & XA_TAGS) == XA_INTERNAL && entry > XA_NODE_MIN; i++)
		entry = xa_slot((struct xa_node *)(entry - XA_INTERNAL), number);
	if (!entry || entry & XA_TAGS)
		return NULL;
	/* a number past the end of the tree has led to another one's entry */
	struct pid *pid = (struct pid *)entry;
	upid = pid_upid(pid, level);
	return BPF_CORE_READ(upid, nr) == number ? pid : NULL;
}

/* The pid behind a pidfd, or a file of /proc/PID; NULL for other files. */
static __always_inline struct pid *pid_of_file(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u32 magic = BPF_CORE_READ(inode, i_sb, s_magic);
	struct proc_inode *proc;

	if (magic == PROC_SUPER_MAGIC) {
		proc = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
		return BPF_CORE_READ(proc, pid);
	}
	if (magic == PID_FS_MAGIC) /* since 6.9 */
		return BPF_CORE_READ(inode, i_private);
	if (magic == ANON_INODE_FS_MAGIC)
		return BPF_CORE_READ(file, private_data);
	return NULL;
}

static __always_inline struct task_struct *task_of_link(struct hlist_node *node, u32 type)
{
	struct task_struct *t = NULL;

	return node ? (void *)node - bpf_core_field_offset(t->pid_links) - type * 2 * sizeof(void *) : NULL;
}

/* The first of the tasks that the pid stands for: PIDTYPE_PID has one, PIDTYPE_PGID a group. */
static __always_inline struct hlist_node *pid_link(struct pid *pid, u32 type)
{
	struct hlist_node *node = NULL;

	if (pid)
		bpf_probe_read_kernel(&node, sizeof(node),
				      (void *)pid + bpf_core_field_offset(pid->tasks) + type * sizeof(node));
	return node;
}

static __always_inline struct task_struct *task_of_pid(struct pid *pid)
{
	return task_of_link(pid_link(pid, PIDTYPE_PID), PIDTYPE_PID);
}

#endif
