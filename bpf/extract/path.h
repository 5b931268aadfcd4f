/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths. bpf_d_path() is allowed in few hooks, so we walk dentries and mounts ourselves, leaf first, to the root
 * of the mount namespace. The walk is nine tenths of an event's cost: one read a dentry, one a mount.
 */
#ifndef KUNAI_BPF_EXTRACT_PATH_H
#define KUNAI_BPF_EXTRACT_PATH_H

enum {
	/* 128 components and mount crossings; the verifier follows the chunk step by step, once in each program */
	PATH_CHUNK = 4,
	PATH_CHUNKS = 32,
	NAME_READ_MAX = 256, /* NAME_MAX and NUL */
};

/* d_parent and d_name are neighbours in struct dentry. */
struct dentry_step {
	struct dentry *parent;
	u64 hash_len;
	const unsigned char *name;
};

/* So are the first three of struct mount: struct walk begins like it. */
static __always_inline void walk_mount(struct walk *w, u64 mount)
{
	w->mount = mount;
	bpf_probe_read_kernel(w, WALK_MOUNT_SIZE,
			      (void *)mount + bpf_core_field_offset(struct mount, mnt_parent));
}

static __always_inline u32 mount_flags(struct mount *m)
{
	u64 ns = (u64)BPF_CORE_READ(m, mnt_ns);

	/* NULL after a lazy unmount, an error pointer for the kernel's internal mounts */
	return ns == 0 || ns >= (u64)-4095 ? PATH_DETACHED : 0;
}

/*
 * Some steps of the walk, from the state in scratch. Done: not 0. A function of its own is verified once, and the loop
 * around it in no time; it takes numbers only. An offset that a loop carries must come from memory: known to be a
 * constant, it would be followed value by value.
 */
__noinline int path_steps(u32 handle)
{
	struct scratch *s = scratch_of(handle);
	if (!s)
		return 1;

	struct walk *w = &s->walk;
	u32 off = s->used;
	int done = 1;
	for (int i = 0; i < PATH_CHUNK; i++) {
		if (w->dentry == w->root) {
			if (w->parent == w->mount) {
				w->flags = mount_flags((struct mount *)w->mount);
				goto out;
			}
			w->dentry = w->mountpoint;
			walk_mount(w, w->parent);
			continue;
		}
		struct dentry_step step = {};
		bpf_probe_read_kernel(&step, sizeof(step),
				      (void *)w->dentry + bpf_core_field_offset(struct dentry, d_parent));
		OPAQUE(off);
		if (off > RECORD_MASK || off >= w->limit)
			goto out;
		off &= RECORD_MASK;
		u64 n = bpf_probe_read_kernel_str(s->record + off, NAME_READ_MAX, step.name);
		if (n - 1 >= NAME_READ_MAX)
			goto out;
		off += n;
		if ((u64)step.parent == w->dentry) {
			/* a root of its own: memfd, a socket, a file behind a lost mount */
			w->flags = PATH_DETACHED;
			goto out;
		}
		w->dentry = (u64)step.parent;
	}
	done = 0;
out:
	s->used = off;
	return done;
}

/*
 * Below which directory of the root a path is, without reading any name but that one's: what a walk costs is copying
 * names. TOP_OTHER also for a path of one component, and for one that is too deep to be followed.
 */
enum top { TOP_OTHER, TOP_ETC };
enum { TOP_STEPS = PATH_CHUNK * PATH_CHUNKS };

struct climb {
	struct walk walk;
	u64 top, below; /* the last two components; no counter, which the verifier would follow */
};
enum climbed { CLIMB_ON, CLIMB_WHOLE, CLIMB_LOST };

POINTER_FUNCTION int path_climb(struct climb *c)
{
	if (!c)
		return CLIMB_LOST;
	struct walk *w = &c->walk;
	if (w->dentry == w->root) {
		if (w->parent == w->mount)
			return CLIMB_WHOLE;
		w->dentry = w->mountpoint;
		walk_mount(w, w->parent);
		return CLIMB_ON;
	}
	struct dentry *dentry =
		(struct dentry *)w->dentry; /* a local: CO-RE would relocate struct walk as well */
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	if (parent == dentry)
		return CLIMB_LOST;
	c->below = c->top;
	c->top = (u64)dentry;
	w->dentry = (u64)parent;
	return CLIMB_ON;
}

__noinline int path_top(u64 dentry, u64 mnt)
{
	struct climb c = {.walk.dentry = dentry};
	char name[6] = {};
	int climbed = CLIMB_ON;

	walk_mount(&c.walk, mnt - bpf_core_field_offset(struct mount, mnt));
	for (int i = 0; i < TOP_STEPS && climbed == CLIMB_ON; i++)
		climbed = path_climb(&c);
	if (climbed != CLIMB_WHOLE || !c.below)
		return TOP_OTHER;
	struct dentry *top = (struct dentry *)c.top;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(top, d_name.name));
	if (name[0] == 'e' && name[1] == 't' && name[2] == 'c' && name[3] == 0)
		return TOP_ETC;
	return TOP_OTHER;
}

__noinline u32 path_follow(u32 handle, u64 dentry, u64 mnt)
{
	struct scratch *s = scratch_of(handle);
	if (!s)
		return PATH_TRUNCATED;

	struct walk *w = &s->walk;
	w->dentry = dentry;
	w->limit = s->used + WIRE_PATH_MAX;
	w->flags = PATH_TRUNCATED;
	walk_mount(w, mnt - bpf_core_field_offset(struct mount, mnt));
	for (int i = 0; i < PATH_CHUNKS; i++)
		if (path_steps(handle))
			break;
	return w->flags;
}

/* Appends the components; returns PATH_* flags. */
static __always_inline u32 path_walk(struct scratch *s, struct dentry *dentry, struct vfsmount *mnt)
{
	return path_follow(s->handle, (u64)dentry, (u64)mnt);
}

static __always_inline void path_put(struct scratch *s, struct wire_path *w, struct dentry *dentry,
				     struct vfsmount *mnt)
{
	w->components.off = s->used;
	w->flags |= path_walk(s, dentry, mnt);
	w->components.len = s->used - w->components.off;
}

static __always_inline void path_put_inode(struct wire_path *w, struct inode *inode)
{
	w->inode = BPF_CORE_READ(inode, i_ino);
	w->device = BPF_CORE_READ(inode, i_sb, s_dev);
	w->size = BPF_CORE_READ(inode, i_size);
	w->mtime = inode_mtime(inode);
	w->ctime = inode_ctime(inode);
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

/* The same of a name that is in use. */
static __always_inline void path_put_entry(struct scratch *s, struct wire_path *w, struct dentry *dentry,
					   struct vfsmount *mnt)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	if (inode)
		path_put_inode(w, inode);
	path_put(s, w, dentry, mnt);
}

/*
 * The path by which a mapped file was opened. Mapped from an overlay, the file is one of a layer, whose own path means
 * nothing to its users. Which files are such is told by a bit of f_mode that moved twice, so look at what stands
 * behind a struct file: two pointers that agree on an overlay's superblock are no accident.
 */
static __always_inline void path_put_mapped(struct scratch *s, struct wire_path *w, struct file *file)
{
	struct backing_file *backing = (void *)file;

	if (bpf_core_field_exists(backing->user_path)) {
		struct dentry *dentry = BPF_CORE_READ(backing, user_path.dentry);
		struct vfsmount *mnt = BPF_CORE_READ(backing, user_path.mnt);
		struct super_block *sb = BPF_CORE_READ(dentry, d_sb);

		if (sb && sb == BPF_CORE_READ(mnt, mnt_sb) &&
		    BPF_CORE_READ(sb, s_magic) == OVERLAYFS_SUPER_MAGIC) {
			path_put_inode(w, BPF_CORE_READ(dentry, d_inode));
			path_put(s, w, dentry, mnt);
			return;
		}
	}
	path_put_file(s, w, file);
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
