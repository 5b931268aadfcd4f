/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups: in the sensor's own nobody changes anything, in those above nobody ends or freezes all that is in them, and
 * nobody moves the sensor to another one. Its groups are learnt when it starts; while it is in them they stay.
 */
#ifndef KUNAI_BPF_HARDEN_CGROUPS_H
#define KUNAI_BPF_HARDEN_CGROUPS_H

enum {
	CGROUP_ANCESTORS = 32,
	CONTROLLERS_MAX = 16,
	CONTROL_NAME_MAX = 16,
	NUMBER_MAX = 16, /* bytes of a process number with what surrounds it */
};

/* From one of the sensor's groups up to the root, which has nothing to guard. */
__noinline int cgroup_learn(u64 node)
{
	u32 how = CGROUP_OWN;

	for (int i = 0; i < CGROUP_ANCESTORS && node; i++) {
		u64 parent = (u64)kernfs_parent((struct kernfs_node *)node);
		if (parent && bpf_map_update_elem(&guarded_cgroups, &node, &how, BPF_NOEXIST) && i == 0)
			break;
		how = CGROUP_ABOVE;
		node = parent;
	}
	return 0;
}

/* Those of the hierarchies of version 1 as well; a controller of the unified one shows a group of that. */
static __always_inline void cgroups_learn(void)
{
	struct task_struct *t = current_task();
	struct css_set *set = BPF_CORE_READ(t, cgroups);
	struct cgroup *unified = BPF_CORE_READ(set, dfl_cgrp);
	struct cgroup_root *root = BPF_CORE_READ(unified, root);
	u32 n = bpf_core_field_size(set->subsys) / sizeof(void *);

	cgroup_learn((u64)BPF_CORE_READ(unified, kn));
	for (u32 i = 0; i < CONTROLLERS_MAX && i < n; i++) {
		struct cgroup_subsys_state *css = NULL;
		bpf_probe_read_kernel(&css, sizeof(css),
				      (void *)set + bpf_core_field_offset(set->subsys) + i * sizeof(css));
		struct cgroup *cgroup = BPF_CORE_READ(css, cgroup);
		if (cgroup && BPF_CORE_READ(cgroup, root) != root)
			cgroup_learn((u64)BPF_CORE_READ(cgroup, kn));
	}
}

/* The name of a control file, or a switch of the kernel, padded with zeros: compared as two numbers, for there is no memcmp() here. */
union control_name {
	char text[CONTROL_NAME_MAX];
	u64 words[CONTROL_NAME_MAX / sizeof(u64)];
};

#define NAME_IS(name, literal)                                                              \
	({                                                                                  \
		union control_name literal_ = {literal};                                    \
		name->words[0] == literal_.words[0] && name->words[1] == literal_.words[1]; \
	})

/* Ends, or stops, all that is below: a limit of memory, too, ends what is over it. */
static __always_inline bool halts_all(const union control_name *name)
{
	return NAME_IS(name, "cgroup.kill") || NAME_IS(name, "cgroup.freeze") ||
	       NAME_IS(name, "freezer.state") || NAME_IS(name, "memory.max");
}

static __always_inline bool moves_tasks(const union control_name *name)
{
	return NAME_IS(name, "cgroup.procs") || NAME_IS(name, "cgroup.threads") || NAME_IS(name, "tasks");
}

#ifdef __TARGET_ARCH_arm64
enum { NR_write = 64, NR_compat_write = 4 };
#else
enum { NR_write = 1, NR_compat_write = 4 };
#endif

#define NO_NUMBER (~0u)

/* The number that the current write(2) hands over, NO_NUMBER when it is not a plain decimal one, or another call writes. */
static __always_inline u32 number_written(void)
{
	struct task_struct *t = current_task();
	bool compat = syscall_is_compat(t);
	char text[NUMBER_MAX] = {0};
	u32 number = 0;

	/* registers of a ring's worker are those that somebody else had when it was made */
	if (BPF_CORE_READ(t, flags) & (PF_IO_WORKER | PF_KTHREAD))
		return NO_NUMBER;
	if (((u32)ENTRY_CALL(t) & ~X32_BIT) != (compat ? NR_compat_write : NR_write))
		return NO_NUMBER;
	u64 from = ENTRY_ARG1(t, compat);
	u32 len = ENTRY_ARG2(t, compat);
	OPAQUE(len);
	if (len > sizeof(text) - 1)
		len = sizeof(text) - 1;
	if (bpf_probe_read_user(text, len, (void *)(compat ? (u32)from : from)))
		return NO_NUMBER;
	for (int i = 0; i < NUMBER_MAX - 1; i++) {
		char c = text[i];
		if (c == '\0' || c == '\n')
			return number;
		/* a leading 0 means another base to the kernel */
		if (c < '0' || c > '9' || (i == 0 && c == '0' && text[1] != '\n' && text[1] != '\0'))
			return NO_NUMBER;
		number = number * 10 + (c - '0');
	}
	return NO_NUMBER;
}

/*
 * Whether a write to such a file of any group may move the sensor. What is written can be changed by another thread after we
 * have read it: docs/hardened.md. Ways to write that nobody uses for these files are refused altogether.
 */
static __always_inline bool may_move_guarded(void)
{
	u32 number = number_written();
	struct pid *pid;

	if (number == NO_NUMBER)
		return true;
	pid = pid_of_number(number);
	struct task_struct *t = task_of_pid(pid);
	return t && is_guarded_task(t);
}

static __always_inline int cgroup_write(struct inode *inode, bool opening)
{
	struct kernfs_node *kn = BPF_CORE_READ(inode, i_private);
	u64 group = (u64)kernfs_parent(kn);
	const char *kernel_name = BPF_CORE_READ(kn, name);
	union control_name name = {{0}};

	u32 *how = bpf_map_lookup_elem(&guarded_cgroups, &group);
	bpf_probe_read_kernel_str(name.text, sizeof(name.text), kernel_name);
	if (how && (*how == CGROUP_OWN || halts_all(&name)))
		return REFUSE(ERROR_DENIED_CGROUP, 0, kernel_name);
	if (opening || !moves_tasks(&name) || !may_move_guarded())
		return 0;
	return REFUSE(ERROR_DENIED_CGROUP, 0, kernel_name);
}

#endif
