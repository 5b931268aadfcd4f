/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a tracepoint sees the last reference to a file go. A last fput() in a system call is deferred: the file
 * waits in current->task_works, whole, until the task returns to user space, which is after sys_exit. So every
 * sys_exit with pending work is looked at, whatever the call was: close, dup2, munmap, recvmsg that drops passed
 * descriptors. Since 6.6 (021a160abf62, "fs: use __fput_sync in close(2)") close itself frees at once: there, and
 * only there, it is watched at sys_enter. The files of a dying process are read from its file table at
 * sched_process_exit, before exit_files().
 */
#ifndef KUNAI_BPF_TIER_CLOSING_H
#define KUNAI_BPF_TIER_CLOSING_H

enum {
	FD_WORDS_MAX = 1024, /* of 64 descriptors: the first 65,536 of an exiting process */
	WORD_BITS = 64,
};

static __always_inline void closing_pending(struct task_struct *t)
{
	struct callback_head *head = BPF_CORE_READ(t, task_works);

	for (int i = 0; i < PENDING_FILES_MAX && head; i++) {
		file_closing((u64)file_of_callback(head));
		head = BPF_CORE_READ(head, next);
	}
	if (head) {
		COUNT(EVENT_write_close, hits);
		COUNT(EVENT_write_close, errors);
	}
}

/* One more reference that goes with this process; the file closes when these are all. A process looks through its
 * table at most twice, which round tells. */
__noinline int closing_reference(u64 address, u32 round)
{
	struct written_file *written = bpf_map_lookup_elem(&written_files, &address);
	u64 me = (u32)bpf_get_current_pid_tgid() | (u64)round << 32;

	if (!written)
		return 0;
	if (written->seen_by != me) {
		written->seen_by = me;
		written->seen = 0;
	}
	written->seen++;
	if (written->seen >= file_references((struct file *)address))
		file_closing(address);
	return 0;
}

__noinline int closing_word(u64 files, u64 bits, u32 round)
{
	for (u32 bit = 0; bit < WORD_BITS; bit++) {
		u64 file = 0;

		if (!(bits >> bit))
			break;
		if (!(bits >> bit & 1))
			continue;
		bpf_probe_read_kernel(&file, sizeof(file), (void *)(files + bit * sizeof(file)));
		if (file)
			closing_reference(file, round);
	}
	return 0;
}

/* Every file of the table; called when nobody but the dying thread group uses it. */
static __always_inline void closing_table(struct files_struct *files, u32 round)
{
	struct fdtable *table = BPF_CORE_READ(files, fdt);
	u32 max = BPF_CORE_READ(table, max_fds);
	u64 fd = (u64)BPF_CORE_READ(table, fd);
	unsigned long *open_fds = BPF_CORE_READ(table, open_fds);

	for (u32 i = 0; i < FD_WORDS_MAX; i++) {
		u64 bits = 0;

		if (i * WORD_BITS >= max)
			return;
		bpf_probe_read_kernel(&bits, sizeof(bits), open_fds + i);
		if (bits)
			closing_word(fd + i * WORD_BITS * sizeof(fd), bits, round);
	}
	COUNT(EVENT_write_close, hits);
	COUNT(EVENT_write_close, errors);
}

/* The thread group is dead when no thread is live; its threads that still hold the table are on their way out. */
static __always_inline void closing_exit(struct task_struct *t, bool group_dead, u32 round)
{
	struct files_struct *files = BPF_CORE_READ(t, files);

	if (files && group_dead && BPF_CORE_READ(files, count.counter) <= BPF_CORE_READ(t, signal, nr_threads))
		closing_table(files, round);
	closing_pending(t);
}

#endif
