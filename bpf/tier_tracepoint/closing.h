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
	/* 64 descriptors each: the first 65,536 of an exiting process */
	WORDS_CHUNK = 32,
	WORDS_CHUNKS = 32,
	WORD_BITS = 64,
};

__noinline u64 closing_pending_chunk(u64 address)
{
	struct callback_head *head = (struct callback_head *)address;

	for (int i = 0; i < PENDING_CHUNK && head; i++) {
		file_closing((u64)file_of_callback(head));
		head = BPF_CORE_READ(head, next);
	}
	return (u64)head;
}

static __always_inline void closing_pending(struct task_struct *t)
{
	u64 head = (u64)BPF_CORE_READ(t, task_works);

	for (int i = 0; i < PENDING_CHUNKS && head; i++)
		head = closing_pending_chunk(head);
	if (head) {
		COUNT(EVENT_write_close, hits);
		COUNT(EVENT_write_close, errors);
	}
}

/* One more reference that goes with this process, from that place of its table; the file closes when these are all. A
 * process looks through its table at most twice, which round tells. */
__noinline int closing_reference(u64 at, u32 round)
{
	u64 address = 0;
	bpf_probe_read_kernel(&address, sizeof(address), (void *)at);
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

/* The descriptors of one word of the bit map. */
__noinline int closing_word(u64 open_fds, u64 files, u32 round)
{
	u64 bits = 0;

	bpf_probe_read_kernel(&bits, sizeof(bits), (void *)open_fds);
	for (u32 bit = 0; bit < WORD_BITS; bit++) {
		if (!(bits >> bit))
			break;
		if (bits >> bit & 1)
			closing_reference(files + bit * sizeof(files), round);
	}
	return 0;
}

__noinline int closing_words(u64 open_fds, u64 files, u32 words, u32 round)
{
	for (u32 i = 0; i < WORDS_CHUNK && i < words; i++)
		closing_word(open_fds + i * sizeof(u64), files + i * WORD_BITS * sizeof(files), round);
	return 0;
}

/* Every file of the table; called when nobody but the dying thread group uses it. */
__noinline int closing_table(u64 address, u32 round)
{
	struct files_struct *files = (struct files_struct *)address;
	struct fdtable *table = BPF_CORE_READ(files, fdt);
	u32 words = BPF_CORE_READ(table, max_fds) / WORD_BITS;
	u64 fd = (u64)BPF_CORE_READ(table, fd);
	u64 open_fds = (u64)BPF_CORE_READ(table, open_fds);

	for (u32 i = 0; i < WORDS_CHUNKS; i++) {
		u32 first = i * WORDS_CHUNK;

		if (first >= words)
			return 0;
		closing_words(open_fds + first * sizeof(u64), fd + first * WORD_BITS * sizeof(u64),
			      words - first, round);
	}
	if (words > WORDS_CHUNKS * WORDS_CHUNK) {
		COUNT(EVENT_write_close, hits);
		COUNT(EVENT_write_close, errors);
	}
	return 0;
}

/* Several threads can find themselves the last one. Who comes while another looks through the table leaves it to it. */
static __always_inline void closing_table_once(struct files_struct *files, bool alone, u32 round)
{
	u64 key = (u64)files;

	if (!alone && bpf_map_update_elem(&closing_tables, &key, &round, BPF_NOEXIST))
		return;
	closing_table(key, round);
	if (!alone)
		bpf_map_delete_elem(&closing_tables, &key);
}

/*
 * The table goes when all who use it are on their way out: the threads of a dead group that still have it, or this
 * thread alone when it has one of its own. A leader that ended before its group has no files any more.
 */
static __always_inline void closing_exit(struct task_struct *t, bool group_dead, u32 round)
{
	struct files_struct *files = BPF_CORE_READ(t, files);
	s32 threads = group_dead ? BPF_CORE_READ(t, signal, nr_threads) : 1;

	if (group_dead && !BPF_CORE_READ(t, group_leader, files))
		threads--;

	if (files && BPF_CORE_READ(files, count.counter) <= threads)
		closing_table_once(files, threads <= 1, round);
	closing_pending(t);
}

#endif
