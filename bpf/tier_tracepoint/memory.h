/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls that make memory executable. */
#ifndef KUNAI_BPF_TIER_MEMORY_H
#define KUNAI_BPF_TIER_MEMORY_H

EXIT(exit_mprotect)
{
	u64 prot = regs_arg(regs, 2);

	if (prot_is_exec(prot))
		emit_mprotect_exec(regs_arg(regs, 0), regs_arg(regs, 1), prot, ret);
	return 0;
}

/*
 * Stores through a shared mapping pass no system call: remember the file's mtime, and look again when it closes. A
 * mapping of a file that is open for writing can be made writable later. What is mapped can be read without a call,
 * and what is mapped writable can be written: so that is what a mapping counts as. But not as reading what everybody
 * may read: each program that is executed maps its libraries and /etc/ld.so.cache.
 */
static __always_inline void mapped_file(struct file *file, u64 prot, bool shared)
{
	if (access_wanted(ACCESS_READ) && prot & PROT_READ && !(file_mode(file) & S_IROTH))
		file_read(file);
	if (!shared || !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE))
		return;
	if (wanted(EVENT_write_close))
		file_mark_written(file, WRITTEN_MAPPING);
	if (access_wanted(ACCESS_WRITE) && prot & PROT_WRITE)
		file_written_by_mapping(file);
}

/* The file was mapped, or should have been. */
static __always_inline void mapped(struct file *file, u64 prot, u64 flags, long ret, bool tell_exec)
{
	bool success = (u64)ret < (u64)-4095;

	if (success)
		mapped_file(file, prot, flags & MAP_SHARED);
	if (tell_exec && prot_is_exec(prot))
		emit_mmap_exec(file, prot, success);
}

static __always_inline void mapped_fd(u64 prot, u64 flags, u64 fd, long ret)
{
	struct file *file = (s32)fd < 0 || flags & MAP_ANONYMOUS ? NULL : file_of_fd(fd);

	if (file)
		mapped(file, prot, flags, ret, by_tracepoint(EVENT_mmap_exec));
}

EXIT(exit_mmap)
{
	mapped_fd(regs_arg(regs, 2), regs_arg(regs, 3), regs_arg(regs, 4), ret);
	return 0;
}

/* The first mmap of 32-bit programs has one argument: a struct mmap_arg_struct32 in user memory. */
struct old_mmap_args {
	u32 addr, len, prot, flags, fd, offset;
};

EXIT(exit_old_mmap)
{
	struct old_mmap_args args;

	if (!bpf_probe_read_user(&args, sizeof(args), (void *)regs_arg(regs, 0)))
		mapped_fd(args.prot, args.flags, args.fd, ret);
	return 0;
}

#endif
