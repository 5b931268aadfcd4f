/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that open, access, change and close files, for system calls. */
#ifndef KUNAI_BPF_TIER_TRAMPOLINE_FILE_H
#define KUNAI_BPF_TIER_TRAMPOLINE_FILE_H

/* The last reference goes, whoever drops it. What a process takes with it is told when it begins to exit: here it would
 * have no namespaces any more. */
HOOK(fentry, on_fput)
{
	u64 key = ctx[0];

	if (bpf_map_lookup_elem(&written_files, &key))
		file_closing(UNTYPED(u64, 0));
}

/* Of all that ioctl(2) does, only cloning is an access. */
static __always_inline bool is_clone(u32 access)
{
	struct task_struct *t = current_task();

	if (!(access & WRITTEN_CLONE))
		return true;
	u32 command = ENTRY_ARG1(t, syscall_is_compat(t));
	return command == FICLONE || command == FICLONERANGE;
}

enum { MAY_WRITE = 2, MAY_READ = 4 };

/*
 * The file and its inode come with their types here: reading them calls no helper, which is most of what an access costs that
 * is known already.
 */
static __noinline int regular_permission(u64 *ctx)
{
	struct file *file = (struct file *)ctx[0];
	u32 mask = ctx[1];
	struct inode *inode = file->f_inode;
	struct task_struct *t = current_task();

	if (file->f_mode & FMODE_NOACCOUNT)
		return 0;
	u32 access = call_access_of(t) & ~CALL_SOCKETS;
	if (!access || !is_clone(access))
		return 0;
	bool writes = mask & MAY_WRITE && access & ~CALL_READS;
	if (!writes && !(mask & MAY_READ && access & CALL_READS))
		return 0;
	u32 how = access & ~CALL_READS;
	if (access_wanted(writes ? ACCESS_WRITE : ACCESS_READ)) {
		u64 hash = access_hash_of_typed(t, file, inode, writes);
		if (!access_is_known(hash))
			access_new(UNTYPED(u64, 0), hash, writes, 0);
	}
	if (writes && wanted(EVENT_write_close) && !mark_is_fresh(file, inode, inode->i_ino, how))
		file_mark_written(UNTYPED(struct file *, 0), how);
	return 0;
}

/*
 * Every way to read and to write asks here first: plain and vectored calls, sendfile, splice, copy_file_range, clones,
 * fallocate, aio. Files that the kernel opened for itself, below an overlay, do not count. What is no regular file does not
 * even pay for the registers that the rest needs.
 */
HOOK(fentry, on_file_permission)
{
	struct file *file = (struct file *)ctx[0];

	if ((file->f_inode->i_mode & S_IFMT) == S_IFREG)
		regular_permission(ctx);
}

/* ftruncate(2), and open(2) with O_TRUNC. For truncate(2) there is no file: see below. */
HOOK(fexit, on_truncate)
{
	u32 arguments = config.id_mapped ? 5 : 4;
	struct file *file = UNTYPED(struct file *, arguments - 1);
	s32 ret = UNTYPED(s32, arguments);

	if (ret == 0 && file && call_access() & WRITTEN_TRUNCATE)
		file_written(file, WRITTEN_TRUNCATE);
}

HOOK(fexit, on_truncate_path)
{
	struct path *path = UNTYPED(struct path *, 0);
	long ret = ctx[2];

	if (ret == 0 && !(TYPED(current_task(), flags) & PF_KTHREAD))
		emit_truncated(BPF_CORE_READ(path, dentry), BPF_CORE_READ(path, mnt));
}

/* What the kernel opens for itself, to execute it or to leave a core, no program has asked for. */
HOOK(fexit, on_open)
{
	struct file *file = UNTYPED(struct file *, 3);

	if ((u64)file >= (u64)-4095)
		return;
	if (by_trampoline(EVENT_ptrace) && !by_uring())
		opened_proc(file);
	if (!by_trampoline(EVENT_file_create) || !(BPF_CORE_READ(file, f_mode) & FMODE_CREATED))
		return;
	if (call_access() & WRITTEN_TRUNCATE)
		emit_file_create(file, 0);
}

/*
 * A name is deleted or changed in two steps: the mount is known when security modules are asked, what came of it when
 * the function on the inode returns. A file system that lies on another one makes the same calls, but asks nobody.
 */
HOOK(fexit, on_unlink)
{
	struct dentry *dentry = UNTYPED(struct dentry *, 1);
	struct path *dir = UNTYPED(struct path *, 0);
	struct changing_name name = {.mnt = (u64)BPF_CORE_READ(dir, mnt)};
	u64 key = (u64)dentry;
	s32 ret = ctx[2];

	if (by_uring())
		return;
	if (ret)
		emit_file_deleted(key, name.mnt, false);
	else if (bpf_map_update_elem(&changing_names, &key, &name, BPF_ANY))
		COUNT_LOST(EVENT_file_unlink);
}

HOOK(fexit, on_unlinked)
{
	u32 arguments = config.id_mapped ? 4 : 3;
	u64 key = UNTYPED(u64, arguments - 2);
	s32 ret = UNTYPED(s32, arguments);
	struct changing_name *name = bpf_map_lookup_elem(&changing_names, &key);

	if (!name)
		return;
	/* who holds a lease on the file is told first, then it is tried again */
	if (ret == -EAGAIN)
		return;
	if (!found_no_file(ret))
		emit_file_deleted(key, name->mnt, ret == 0);
	bpf_map_delete_elem(&changing_names, &key);
}

HOOK(fexit, on_rename)
{
	struct path *old_dir = UNTYPED(struct path *, 0);
	struct dentry *dentry = UNTYPED(struct dentry *, 1);
	struct path *new_dir = UNTYPED(struct path *, 2);
	struct changing_name name = {};
	u64 key = (u64)dentry;
	s32 ret = ctx[5];

	if (ret || by_uring())
		return;
	name.mnt = (u64)BPF_CORE_READ(old_dir, mnt);
	name.old_dir = (u64)BPF_CORE_READ(old_dir, dentry);
	name.new_dir = (u64)BPF_CORE_READ(new_dir, dentry);
	bpf_probe_read_kernel_str(name.old_name, sizeof(name.old_name), BPF_CORE_READ(dentry, d_name.name));
	if (bpf_map_update_elem(&changing_names, &key, &name, BPF_ANY))
		COUNT_LOST(EVENT_file_rename);
}

HOOK(fexit, on_renamed)
{
	struct renamedata *data = UNTYPED(struct renamedata *, 0);
	u64 key = (u64)BPF_CORE_READ(data, old_dentry);
	s32 ret = ctx[1];
	struct changing_name *name = bpf_map_lookup_elem(&changing_names, &key);

	if (!name)
		return;
	if (ret == 0)
		emit_file_moved(data, name);
	bpf_map_delete_elem(&changing_names, &key);
}

#endif
