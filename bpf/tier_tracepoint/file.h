/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls that create and write files. The descriptor's file is the kernel's object. */
#ifndef KUNAI_BPF_TIER_FILE_H
#define KUNAI_BPF_TIER_FILE_H

/* include/uapi/linux/fs.h: the commands end the call in a common ioctl, so ask cheaply */
enum { FICLONE = 0x40049409, FICLONERANGE = 0x4020940d };

/* /proc/PID/mem, which opens a process's memory. */
static __always_inline void opened_proc(struct file *file)
{
	struct task_struct *target;
	const unsigned char *name;
	u64 text = 0;

	/* with O_PATH nothing is opened that could be read */
	if (!is_procfs(file) || !(BPF_CORE_READ(file, f_mode) & (FMODE_READ | FMODE_WRITE)))
		return;
	name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	bpf_probe_read_kernel(&text, 4, name);
	if (text != ('m' | 'e' << 8 | 'm' << 16))
		return;
	target = task_of_pid(pid_of_file(file));
	if (target && BPF_CORE_READ(target, tgid) != bpf_get_current_pid_tgid() >> 32)
		emit_ptrace(target, 0, ACCESS_PROC_MEM, true);
}

static __always_inline void opened_file(struct file *file, u64 flags, u32 how)
{
	if (by_tracepoint_or_uring(EVENT_ptrace, how))
		opened_proc(file);
	u32 mode = BPF_CORE_READ(file, f_mode);
	if (mode & FMODE_CREATED) {
		if (by_tracepoint_or_uring(EVENT_file_create, how))
			emit_file_create(file, via_of(how));
	} else if (flags & O_TRUNC && mode & FMODE_WRITE) {
		file_written(file, WRITTEN_TRUNCATE | how);
	}
}

static __always_inline void opened(long fd, u64 flags)
{
	struct file *file = file_of_fd(fd);

	if (file)
		opened_file(file, flags, 0);
}

/* The regular file behind fd was written. */
static __always_inline void written(u64 fd, u32 how)
{
	struct file *file = file_of_fd(fd);

	if (file)
		file_written(file, how);
}

static __always_inline void was_read(u64 fd)
{
	struct file *file = file_of_fd(fd);

	if (file)
		file_read(file);
}

#ifdef __TARGET_ARCH_arm64
enum { NR_open = -1, NR_creat = -1 };
#else
enum { NR_open = 2, NR_creat = 85 };
#endif
enum { NR_openat2 = 437, NR_compat_open = 5, NR_compat_creat = 8 }; /* the first one everywhere */

/* Where the flags are depends on the call. */
static __always_inline u64 open_flags(struct pt_regs *regs)
{
	bool compat = syscall_is_compat(current_task());
	s64 number = regs_syscall(regs) & ~X32_BIT;
	u64 flags = 0;

	if (number == (compat ? NR_compat_creat : NR_creat))
		return O_TRUNC;
	if (number == (compat ? NR_compat_open : NR_open))
		return regs_arg(regs, 1);
	if (number != NR_openat2)
		return regs_arg(regs, 2);
	/* the first member of struct open_how */
	bpf_probe_read_user(&flags, sizeof(flags), (void *)regs_arg(regs, 2));
	return flags;
}

EXIT(exit_open)
{
	if (ret >= 0)
		opened(ret, open_flags(regs));
	return 0;
}

EXIT(exit_pwrite)
{
	if (ret > 0)
		written(regs_arg(regs, 0), WRITTEN_WRITE);
	return 0;
}

EXIT(exit_pread)
{
	if (ret > 0)
		was_read(regs_arg(regs, 0));
	return 0;
}

EXIT(exit_ftruncate)
{
	if (ret == 0)
		written(regs_arg(regs, 0), WRITTEN_TRUNCATE);
	return 0;
}

EXIT(exit_truncate)
{
	if (ret == 0 && by_tracepoint(EVENT_write_close))
		emit_truncate(regs_arg(regs, 0));
	if (ret == 0 && (by_tracepoint(EVENT_write) || by_tracepoint(EVENT_write_config)))
		emit_truncate_access(regs_arg(regs, 0));
	return 0;
}

/* What says that there was nothing to delete, or no way to it: no file, no event. */
static __always_inline bool found_no_file(long ret)
{
	return ret == -ENOENT || ret == -EINTR || ret == -EBADF || ret == -EFAULT || ret == -ENOTDIR ||
	       ret == -EINVAL || ret == -EROFS || ret == -ENAMETOOLONG || ret == -ELOOP;
}

EXIT(exit_unlink)
{
	if (!found_no_file(ret))
		emit_file_unlink(AT_FDCWD, regs_arg(regs, 0), ret == 0);
	return 0;
}

EXIT(exit_unlinkat)
{
	if (!found_no_file(ret) && !(regs_arg(regs, 2) & AT_REMOVEDIR))
		emit_file_unlink(regs_arg(regs, 0), regs_arg(regs, 1), ret == 0);
	return 0;
}

EXIT(exit_rename)
{
	if (ret == 0)
		emit_file_rename(AT_FDCWD, regs_arg(regs, 0), AT_FDCWD, regs_arg(regs, 1), 0);
	return 0;
}

EXIT(exit_renameat)
{
	if (ret == 0)
		emit_file_rename(regs_arg(regs, 0), regs_arg(regs, 1), regs_arg(regs, 2), regs_arg(regs, 3),
				 0);
	return 0;
}

EXIT(exit_renameat2)
{
	if (ret == 0)
		emit_file_rename(regs_arg(regs, 0), regs_arg(regs, 1), regs_arg(regs, 2), regs_arg(regs, 3),
				 regs_arg(regs, 4));
	return 0;
}

EXIT(exit_fallocate)
{
	if (ret == 0)
		written(regs_arg(regs, 0), WRITTEN_ALLOCATE);
	return 0;
}

EXIT(exit_copy_file_range)
{
	if (ret > 0) {
		written(regs_arg(regs, 2), WRITTEN_COPY);
		was_read(regs_arg(regs, 0));
	}
	return 0;
}

EXIT(exit_ioctl)
{
	u32 command = regs_arg(regs, 1);

	if (ret != 0 || (command != FICLONE && command != FICLONERANGE))
		return 0;
	written(regs_arg(regs, 0), WRITTEN_CLONE);
	u64 source = regs_arg(regs, 2);
	/* the first member of struct file_clone_range */
	if (command == FICLONERANGE && bpf_probe_read_user(&source, sizeof(source), (void *)source))
		return 0;
	was_read(source);
	return 0;
}

/* struct iocb of include/uapi/linux/aio_abi.h */
struct user_iocb {
	u64 data;
	u32 key;
	u32 rw_flags;
	u16 opcode;
	u16 priority;
	u32 fd;
};
enum {
	IOCB_CMD_PREAD = 0,
	IOCB_CMD_PWRITE = 1,
	IOCB_CMD_PREADV = 7,
	IOCB_CMD_PWRITEV = 8,
	IOCBS_MAX = 64,
};

/* A request that could not be looked at may have been of any kind. */
static __always_inline void aio_unseen(void)
{
	if (by_tracepoint(EVENT_write_close)) {
		COUNT(EVENT_write_close, hits);
		COUNT(EVENT_write_close, errors);
	}
	if (access_wanted(ACCESS_WRITE)) {
		COUNT(EVENT_write, hits);
		COUNT(EVENT_write, errors);
	}
	if (access_wanted(ACCESS_READ)) {
		COUNT(EVENT_read, hits);
		COUNT(EVENT_read, errors);
	}
}

/* One request of the list; false where it cannot be read. A global function, because a list has many. */
__noinline int aio_submitted(u64 list, u32 i, u32 compat)
{
	struct user_iocb iocb;
	u64 at = user_word(list + i * (compat ? 4 : 8), compat);

	if (bpf_probe_read_user(&iocb, sizeof(iocb), (void *)at))
		return false;
	if (iocb.opcode == IOCB_CMD_PWRITE || iocb.opcode == IOCB_CMD_PWRITEV)
		written(iocb.fd, WRITTEN_AIO);
	else if (iocb.opcode == IOCB_CMD_PREAD || iocb.opcode == IOCB_CMD_PREADV)
		was_read(iocb.fd);
	return true;
}

EXIT(exit_io_submit)
{
	bool compat = syscall_is_compat(current_task());
	u64 list = regs_arg(regs, 2);
	long seen = 0;

	while (seen < IOCBS_MAX && seen < ret && aio_submitted(list, seen, compat))
		seen++;
	if (seen < ret)
		aio_unseen();
	return 0;
}

#endif
