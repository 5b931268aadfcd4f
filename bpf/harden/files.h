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

static __always_inline u32 current_mounts(void)
{
	struct task_struct *t = current_task();

	return BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum);
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
		state->mounts = current_mounts();
		learn(inode, state->learn_as, state);
	} else if (mode & FMODE_WRITE && (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFREG &&
		   magic != PROC_SUPER_MAGIC && magic != CGROUP_SUPER_MAGIC && magic != CGROUP2_SUPER_MAGIC) {
		learn(inode, GUARD_BYTES, state);
	}
}

/* When kernel.ftrace_enabled is 0, some kernels (6.1, not 5.10 nor 7) call no program of the BPF LSM, nor of trampolines. */
static __always_inline bool is_ftrace_switch(const unsigned char *kernel_name)
{
	union control_name text = {{0}};
	const union control_name *name = &text;

	bpf_probe_read_kernel_str(text.text, sizeof(text.text), kernel_name);
	return NAME_IS(name, "ftrace_enabled");
}

static __always_inline int proc_write(struct file *file, const unsigned char *name)
{
	struct task_struct *t = task_of_pid(pid_of_file(file));

	if (is_ftrace_switch(name))
		return REFUSE(ERROR_DENIED_BPF, 0, name);
	return t && is_guarded_task(t) ? REFUSE(ERROR_DENIED_PROC, 0, name) : 0;
}

static __always_inline int file_write(struct file *file, bool opening)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u32 magic = BPF_CORE_READ(inode, i_sb, s_magic);
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);

	if (magic == CGROUP_SUPER_MAGIC || magic == CGROUP2_SUPER_MAGIC)
		return cgroup_write(inode, opening);
	if (magic == PROC_SUPER_MAGIC)
		return proc_write(file, name);
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

static __always_inline int dentry_write(struct dentry *dentry)
{
	if (by_guarded() || !(guard_of_inode(BPF_CORE_READ(dentry, d_inode)) & GUARD_BYTES))
		return 0;
	return REFUSE(ERROR_DENIED_WRITE, 0, BPF_CORE_READ(dentry, d_name.name));
}

static __always_inline int path_write(struct path *path)
{
	return dentry_write(BPF_CORE_READ(path, dentry));
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

static __always_inline int held_write(struct file *file)
{
	return dentry_write(BPF_CORE_READ(file, f_path.dentry));
}

/* 6.2, 3350607dc563 ("security: Create file_truncate hook from path_truncate hook"): ftruncate(2) */
SEC("lsm/file_truncate")
int guard_file_truncate(u64 *ctx)
{
	return held_write((void *)ctx[0]);
}

/* Without a descriptor that may write, a shared mapping never can. */
SEC("lsm/mmap_file")
int guard_mmap_file(u64 *ctx)
{
	enum { MAP_PRIVATE = 2 };
	struct file *file = (void *)ctx[0];
	u64 flags = ctx[3];

	if (!file || (flags & MAP_TYPE) == MAP_PRIVATE || !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE))
		return 0;
	return held_write(file);
}

/* What a descriptor for reading is enough for: chattr(1), and the generation, by which we know a file.
 * include/uapi/linux/fs.h, fsverity.h; fs/ext4/ext4.h */
static __always_inline bool changes_attributes(u32 cmd)
{
	switch (cmd) {
	case 0x40086602: /* FS_IOC_SETFLAGS, and for 32-bit programs */
	case 0x40046602:
	case 0x401c5820: /* FS_IOC_FSSETXATTR */
	case 0x40087602: /* FS_IOC_SETVERSION */
	case 0x40047602:
	case 0x40086604: /* EXT4_IOC_SETVERSION */
	case 0x40046604:
	case 0x40806685: /* FS_IOC_ENABLE_VERITY */
		return true;
	}
	return false;
}

SEC("lsm/file_ioctl")
int guard_file_ioctl(u64 *ctx)
{
	return changes_attributes(ctx[1]) ? held_write((void *)ctx[0]) : 0;
}

/* 6.8, f1bb47a31dff ("lsm: new security_file_ioctl_compat() hook") */
SEC("lsm/file_ioctl_compat")
int guard_file_ioctl_compat(u64 *ctx)
{
	return changes_attributes(ctx[1]) ? held_write((void *)ctx[0]) : 0;
}

/* 6.17: file_setattr(2) */
SEC("lsm/inode_file_setattr")
int guard_inode_file_setattr(u64 *ctx)
{
	return dentry_write((void *)ctx[0]);
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
