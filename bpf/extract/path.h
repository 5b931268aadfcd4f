/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths. bpf_d_path() is allowed in few hooks, so we walk dentries and mounts ourselves, leaf first, to the root
 * of the mount namespace. The walk is nine tenths of an event's cost: one read a dentry, one a mount.
 */
#ifndef KUNAI_BPF_EXTRACT_PATH_H
#define KUNAI_BPF_EXTRACT_PATH_H

enum {
	PATH_STEPS_MAX = 128, /* components and mount crossings */
	NAME_READ_MAX = 256,  /* NAME_MAX and NUL */
};

/* d_parent and d_name are neighbours in struct dentry, and so are the first three of struct mount. */
struct dentry_step {
	struct dentry *parent;
	u64 hash_len;
	const unsigned char *name;
};
struct mount_step {
	struct mount *parent;
	struct dentry *mountpoint;
	struct dentry *root;
};

static __always_inline void mount_read(struct mount *m, struct mount_step *step)
{
	bpf_probe_read_kernel(step, sizeof(*step), (void *)m + bpf_core_field_offset(struct mount, mnt_parent));
}

static __always_inline u32 mount_flags(struct mount *m)
{
	u64 ns = (u64)BPF_CORE_READ(m, mnt_ns);

	/* NULL after a lazy unmount, an error pointer for the kernel's internal mounts */
	return ns == 0 || ns >= (u64)-4095 ? PATH_DETACHED : 0;
}

/* Appends the components; returns PATH_* flags. A global function is verified once, however many call it, and
 * takes numbers only. A loop-carried offset must come from memory: known to be a constant it is followed value by
 * value. */
__noinline int path_walk(u32 handle, u64 dentry_address, u64 mnt_address)
{
	struct scratch *s = scratch_of(handle);
	if (!s)
		return PATH_TRUNCATED;

	struct mount *m = (void *)mnt_address - bpf_core_field_offset(struct mount, mnt);
	struct dentry *d = (void *)dentry_address;
	struct mount_step mount = {};
	u32 off = s->used;
	u32 limit = off + WIRE_PATH_MAX;
	int flags = PATH_TRUNCATED;

	mount_read(m, &mount);
	for (int i = 0; i < PATH_STEPS_MAX; i++) {
		if (d == mount.root) {
			if (mount.parent == m) {
				flags = mount_flags(m);
				break;
			}
			d = mount.mountpoint;
			m = mount.parent;
			mount_read(m, &mount);
			continue;
		}
		struct dentry_step step = {};
		bpf_probe_read_kernel(&step, sizeof(step), (void *)d + bpf_core_field_offset(struct dentry, d_parent));

		OPAQUE(off);
		if (off > RECORD_MASK || off >= limit)
			break;
		off &= RECORD_MASK;
		u64 n = bpf_probe_read_kernel_str(s->record + off, NAME_READ_MAX, step.name);
		if (n - 1 >= NAME_READ_MAX)
			break;
		off += n;
		if (step.parent == d) {
			/* a root of its own: memfd, a socket, a file behind a lost mount */
			flags = PATH_DETACHED;
			break;
		}
		d = step.parent;
	}
	s->used = off;
	return flags;
}

static __always_inline void path_put(struct scratch *s, struct wire_path *w, struct dentry *dentry,
				     struct vfsmount *mnt)
{
	w->components.off = s->used;
	w->flags |= path_walk(s->handle, (u64)dentry, (u64)mnt);
	w->components.len = s->used - w->components.off;
}

static __always_inline void path_put_inode(struct wire_path *w, struct inode *inode)
{
	w->inode = BPF_CORE_READ(inode, i_ino);
	w->device = BPF_CORE_READ(inode, i_sb, s_dev);
	w->size = BPF_CORE_READ(inode, i_size);
	w->mtime = inode_mtime(inode);
	w->mode = BPF_CORE_READ(inode, i_mode);
	if (BPF_CORE_READ(inode, i_nlink) == 0)
		w->flags |= PATH_DELETED;
}

/* The file's path and inode. file is not a typed pointer. */
static __always_inline void path_put_file(struct scratch *s, struct wire_path *w, struct file *file)
{
	path_put_inode(w, BPF_CORE_READ(file, f_inode));
	path_put(s, w, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
}

static __always_inline void path_put_cwd(struct scratch *s, struct wire_path *w, struct task_struct *t)
{
	struct fs_struct *fs = TYPED(t, fs);

	if (!fs)
		return;
	w->mode = S_IFDIR;
	path_put(s, w, BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt));
}

#endif
