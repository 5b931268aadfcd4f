/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is mounted over a guarded file, or over a directory on the way to one, hides it from the sensor's next start. */
#ifndef KUNAI_BPF_HARDEN_MOUNTS_H
#define KUNAI_BPF_HARDEN_MOUNTS_H

/* include/uapi/linux/mount.h: the mount is there already and changes only */
enum { MS_CHANGES = 1 << 5 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20 };

/* Services and containers have namespaces of their own, where they hide what they like: it must not come to ours. */
static __always_inline bool is_seen_by_sensor(struct vfsmount *mnt)
{
	struct mount *m = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
	struct guard_state *state = guard();

	return BPF_CORE_READ(m, mnt_group_id) ||
	       (state && BPF_CORE_READ(m, mnt_ns, ns.inum) == (u32)state->mounts);
}

static __always_inline int mount_over(struct path *path)
{
	struct dentry *dentry = BPF_CORE_READ(path, dentry);

	if (by_guarded() || !guard_of_inode(BPF_CORE_READ(dentry, d_inode)) ||
	    !is_seen_by_sensor(BPF_CORE_READ(path, mnt)))
		return 0;
	return REFUSE(ERROR_DENIED_NAME, 0, BPF_CORE_READ(dentry, d_name.name));
}

SEC("lsm/sb_mount")
int guard_sb_mount(u64 *ctx)
{
	u64 flags = ctx[3];

	return flags & MS_CHANGES ? 0 : mount_over((void *)ctx[1]);
}

SEC("lsm/move_mount")
int guard_move_mount(u64 *ctx)
{
	return mount_over((void *)ctx[1]);
}

#endif
