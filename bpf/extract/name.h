/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that a program passed to a call that leaves no object behind: the directory they start from is the kernel's,
 * the rest is user memory. User space looks them up as soon as it reads the record.
 */
#ifndef KUNAI_BPF_EXTRACT_NAME_H
#define KUNAI_BPF_EXTRACT_NAME_H

enum { ROOT_MOUNTS_MAX = 4 }; /* one on top of the other at the root of a namespace */

/* Whether the task's root is another than that of its mount namespace. */
static __always_inline bool is_chrooted(struct fs_struct *fs)
{
	u64 dentry = (u64)BPF_CORE_READ(fs, root.dentry);
	u64 mount = (u64)BPF_CORE_READ(fs, root.mnt) - bpf_core_field_offset(struct mount, mnt);

	for (int i = 0; i < ROOT_MOUNTS_MAX; i++) {
		struct walk w = {};

		walk_mount(&w, mount);
		if (dentry != w.root)
			return true;
		if (w.parent == mount)
			return false;
		dentry = w.mountpoint;
		mount = w.parent;
	}
	return true;
}

/* The name at that address, taken from the directory dir. What cannot be read is left out; the rest is sent. */
static __always_inline void path_put_name_from(struct scratch *s, struct wire_path *w, struct task_struct *t,
					       s32 dir, u64 name, bool in_kernel)
{
	struct fs_struct *fs = TYPED(t, fs);
	struct dentry *dentry = NULL;
	struct vfsmount *mnt = NULL;
	char first = 0;

	w->flags = PATH_USER;
	w->name.off = s->used;
	if (in_kernel) {
		w->name.len = scratch_put_kernel_str(s, (void *)name, ITEM_MAX);
		bpf_probe_read_kernel(&first, sizeof(first), (void *)name);
	} else {
		w->name.len = scratch_put_user_str(s, (void *)name, ITEM_MAX);
		bpf_probe_read_user(&first, sizeof(first), (void *)name);
	}
	if (!fs)
		return;
	if (is_chrooted(fs))
		w->flags |= PATH_CHROOTED;
	if (first == '/') {
		dentry = BPF_CORE_READ(fs, root.dentry);
		mnt = BPF_CORE_READ(fs, root.mnt);
	} else if (dir == AT_FDCWD) {
		dentry = BPF_CORE_READ(fs, pwd.dentry);
		mnt = BPF_CORE_READ(fs, pwd.mnt);
	} else {
		struct file *file = file_of_fd(dir);
		if (file) {
			dentry = BPF_CORE_READ(file, f_path.dentry);
			mnt = BPF_CORE_READ(file, f_path.mnt);
		}
	}
	if (!dentry)
		return;
	w->inode = BPF_CORE_READ(dentry, d_inode, i_ino);
	path_put(s, w, dentry, mnt);
}

static __always_inline void path_put_name(struct scratch *s, struct wire_path *w, struct task_struct *t,
					  s32 dir, u64 name)
{
	path_put_name_from(s, w, t, dir, name, false);
}

/* The same for a copy of the name that the kernel has made. */
static __always_inline void path_put_kernel_name(struct scratch *s, struct wire_path *w,
						 struct task_struct *t, s32 dir, u64 name)
{
	path_put_name_from(s, w, t, dir, name, true);
}

/* Text in kernel memory that is no path until somebody follows it: that of a symbolic link. */
static __always_inline void path_put_text(struct scratch *s, struct wire_path *w, u64 text)
{
	w->flags = PATH_DETACHED;
	w->components.off = s->used;
	w->components.len = scratch_put_kernel_str(s, (void *)text, ITEM_MAX);
}

#endif
