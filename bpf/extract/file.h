/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files: from a descriptor to the kernel's object, its references and its inode. */
#ifndef KUNAI_BPF_EXTRACT_FILE_H
#define KUNAI_BPF_EXTRACT_FILE_H

/* The file behind a descriptor of the current task, or NULL. */
static __always_inline struct file *file_of_fd(u32 fd)
{
	struct task_struct *t = current_task();
	struct files_struct *files = TYPED(t, files);
	struct file *file = NULL;

	if (!files)
		return NULL;
	struct fdtable *table = TYPED(files, fdt);
	if (!table || fd >= TYPED(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), TYPED(table, fd) + fd);
	return file;
}

/*
 * The same with its type, so that plain loads read it, for small descriptors of a process that never had more than 64 files
 * open: its table is part of struct files_struct. The verifier knows types at constant places only. Else NULL.
 */
#if KUNAI_MODERN
#define FD4(n)  FD1(n) FD1((n) + 1) FD1((n) + 2) FD1((n) + 3)
#define FD16(n) FD4(n) FD4((n) + 4) FD4((n) + 8) FD4((n) + 12)
#define FD1(n)                                 \
	case n:                                \
		file = files->fd_array[n];     \
		asm volatile("" : "+r"(file)); \
		return file;
static __always_inline struct file *typed_file_of_fd(struct task_struct *t, u32 fd)
{
	struct files_struct *files = t->files;
	struct file *file;

	if (!files)
		return NULL;
	struct fdtable *table = files->fdt;
	if (!table || table->max_fds != NR_OPEN_DEFAULT)
		return NULL;
	switch (fd) {
		FD16(0)
	}
	return NULL;
}
#undef FD1
#undef FD4
#undef FD16
#endif

static __always_inline u32 file_mode(struct file *file)
{
	return BPF_CORE_READ(file, f_inode, i_mode);
}

/* References to the file: 1 is the last one, 0 or less is none. */
static __always_inline s64 file_references(struct file *file)
{
	struct file___counted *counted = (void *)file;
	struct file___referenced *referenced = (void *)file;

	if (bpf_core_field_exists(counted->f_count))
		return BPF_CORE_READ(counted, f_count.counter);
	return BPF_CORE_READ(referenced, f_ref.refcnt.counter) + 1;
}

/* The file whose deferred last fput is this callback. */
static __always_inline struct file *file_of_callback(struct callback_head *head)
{
	struct file___task_work *task_work = NULL;
	struct file___rcuhead *rcuhead = NULL;
	struct file___f_u *f_u = NULL;

	if (bpf_core_field_exists(task_work->f_task_work))
		return (void *)head - bpf_core_field_offset(task_work->f_task_work);
	if (bpf_core_field_exists(rcuhead->f_rcuhead))
		return (void *)head - bpf_core_field_offset(rcuhead->f_rcuhead);
	return (void *)head - bpf_core_field_offset(f_u->f_u);
}

/* ns since the epoch: mtime or ctime */
enum { CTIME_NSEC_MASK = 0x7fffffff };
#define INODE_TIME(inode, which)                                                         \
	({                                                                               \
		struct inode___mtime_renamed *renamed_ = (void *)(inode);                \
		struct inode___mtime_split *split_ = (void *)(inode);                    \
		u64 seconds_, ns_;                                                       \
		if (bpf_core_field_exists(split_->i_##which##_sec)) {                    \
			seconds_ = BPF_CORE_READ(split_, i_##which##_sec);               \
			ns_ = BPF_CORE_READ(split_, i_##which##_nsec) & CTIME_NSEC_MASK; \
		} else if (bpf_core_field_exists(renamed_->__i_##which)) {               \
			seconds_ = BPF_CORE_READ(renamed_, __i_##which.tv_sec);          \
			ns_ = BPF_CORE_READ(renamed_, __i_##which.tv_nsec);              \
		} else {                                                                 \
			seconds_ = BPF_CORE_READ(inode, i_##which.tv_sec);               \
			ns_ = BPF_CORE_READ(inode, i_##which.tv_nsec);                   \
		}                                                                        \
		seconds_ * 1000000000ULL + ns_;                                          \
	})

static __always_inline u64 inode_mtime(struct inode *inode)
{
	return INODE_TIME(inode, mtime);
}

static __always_inline u64 inode_ctime(struct inode *inode)
{
	return INODE_TIME(inode, ctime);
}

#endif
