/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that must stay as they are: the binary, the configuration, what the sensor writes, and what /proc has of it. */
#ifndef KUNAI_BPF_HARDEN_FILES_H
#define KUNAI_BPF_HARDEN_FILES_H

enum { MAY_WRITE = 2 }; /* include/linux/fs.h */

static __always_inline u32 guard_of_inode(struct inode *inode)
{
	struct guarded_file key = {
		.inode = BPF_CORE_READ(inode, i_ino),
		.device = BPF_CORE_READ(inode, i_sb, s_dev),
		.generation = BPF_CORE_READ(inode, i_generation),
	};
	u32 *how = bpf_map_lookup_elem(&guarded_files, &key);

	return how ? *how : 0;
}

static __always_inline void learn(struct inode *inode, u32 how, struct guard_state *state)
{
	struct guarded_file key = {
		.inode = BPF_CORE_READ(inode, i_ino),
		.device = BPF_CORE_READ(inode, i_sb, s_dev),
		.generation = BPF_CORE_READ(inode, i_generation),
	};

	if (bpf_map_update_elem(&guarded_files, &key, &how, BPF_ANY))
		__sync_fetch_and_add(&state->full, 1);
	else
		__sync_fetch_and_add(&state->learned, 1);
}

/* The sensor opens a file: one that it is told to guard, or a log or the like that it is about to write. */
static __always_inline void learn_file(struct file *file, u32 mode)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u32 magic = BPF_CORE_READ(inode, i_sb, s_magic);
	struct guard_state *state = guard();

	if (!state)
		return;
	if (state->learner && state->learner == (u32)bpf_get_current_pid_tgid()) {
		cgroups_learn();
		learn(inode, state->learn_as, state);
	} else if (mode & FMODE_WRITE && (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFREG &&
		   magic != PROC_SUPER_MAGIC && magic != CGROUP_SUPER_MAGIC && magic != CGROUP2_SUPER_MAGIC) {
		learn(inode, GUARD_BYTES, state);
	}
}

static __always_inline int file_write(struct file *file, bool opening)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u32 magic = BPF_CORE_READ(inode, i_sb, s_magic);
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);

	if (magic == CGROUP_SUPER_MAGIC || magic == CGROUP2_SUPER_MAGIC)
		return cgroup_write(inode, opening);
	if (magic == PROC_SUPER_MAGIC) {
		struct task_struct *t = task_of_pid(pid_of_file(file));
		return t && is_guarded_task(t) ? REFUSE(ERROR_DENIED_PROC, 0, name) : 0;
	}
	return guard_of_inode(inode) & GUARD_BYTES ? REFUSE(ERROR_DENIED_WRITE, 0, name) : 0;
}

SEC("lsm/file_open")
int guard_file_open(u64 *ctx)
{
	struct file *file = (void *)ctx[0];
	u32 mode = BPF_CORE_READ(file, f_mode);

	if (self()) {
		learn_file(file, mode);
		return 0;
	}
	return mode & FMODE_WRITE && !by_guarded() ? file_write(file, true) : 0;
}

/* Whoever has had a file open since before the start. */
SEC("lsm/file_permission")
int guard_file_permission(u64 *ctx)
{
	u32 mask = ctx[1];

	return mask & MAY_WRITE && !by_guarded() ? file_write((void *)ctx[0], false) : 0;
}

static __always_inline int path_write(struct path *path)
{
	struct dentry *dentry = BPF_CORE_READ(path, dentry);

	if (by_guarded() || !(guard_of_inode(BPF_CORE_READ(dentry, d_inode)) & GUARD_BYTES))
		return 0;
	return REFUSE(ERROR_DENIED_WRITE, 0, BPF_CORE_READ(dentry, d_name.name));
}

SEC("lsm/path_truncate")
int guard_path_truncate(u64 *ctx)
{
	return path_write((void *)ctx[0]);
}

/* An executable, or a configuration, that cannot be used any more. */
SEC("lsm/path_chmod")
int guard_path_chmod(u64 *ctx)
{
	return path_write((void *)ctx[0]);
}

/* A name goes away, or another file takes it. */
static __always_inline int name_change(struct inode *dir, struct dentry *dentry, u32 what)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	if (!(inode && guard_of_inode(inode) & what) && !(guard_of_inode(dir) & GUARD_CONTENTS))
		return 0;
	return REFUSE(ERROR_DENIED_NAME, 0, BPF_CORE_READ(dentry, d_name.name));
}

SEC("lsm/inode_unlink")
int guard_inode_unlink(u64 *ctx)
{
	struct dentry *dentry = (void *)ctx[1];

	if (!by_guarded())
		return name_change((void *)ctx[0], dentry, GUARD_BYTES);
	/* an old log goes: its inode may be another file soon */
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	if (inode && BPF_CORE_READ(inode, i_nlink) == 1) {
		struct guarded_file key = {
			.inode = BPF_CORE_READ(inode, i_ino),
			.device = BPF_CORE_READ(inode, i_sb, s_dev),
			.generation = BPF_CORE_READ(inode, i_generation),
		};
		bpf_map_delete_elem(&guarded_files, &key);
	}
	return 0;
}

SEC("lsm/inode_rename")
int guard_inode_rename(u64 *ctx)
{
	int verdict;

	if (by_guarded())
		return 0;
	verdict = name_change((void *)ctx[0], (void *)ctx[1], GUARD_BYTES | GUARD_PLACE);
	return verdict ? verdict : name_change((void *)ctx[2], (void *)ctx[3], GUARD_BYTES | GUARD_PLACE);
}

#endif
