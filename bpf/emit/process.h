/* SPDX-License-Identifier: GPL-2.0-or-later */
/* execve, execve_script, clone, exit, exit_group, process_end, cgroup_move, seed. */
#ifndef KUNAI_BPF_EMIT_PROCESS_H
#define KUNAI_BPF_EMIT_PROCESS_H

enum {
	/* Files closed by one system call: 1024. A loop in a loop, the inner one in a function of its own, is
	 * verified in a thirtieth of the time. */
	PENDING_CHUNK = 32,
	PENDING_CHUNKS = 32,
	ARGS_CHUNK = 4096,
};

/*
 * The file that was passed to exec when the image is its interpreter. exec drops it with fput() before the hook
 * runs, and a last fput waits in task_works until the task returns to user space, newest first. So the oldest
 * file there that was opened for execution is the one: it was dropped first.
 */
__noinline u64 exec_script_entry(u32 handle, u64 address)
{
	struct callback_head *head = (struct callback_head *)address;
	struct scratch *s = scratch_of(handle);

	if (s && (u64)BPF_CORE_READ(head, func) == facts.fput_func) {
		struct file *file = file_of_callback(head);
		if (BPF_CORE_READ(file, f_flags) & FMODE_EXEC)
			s->found = (u64)file;
	}
	return (u64)BPF_CORE_READ(head, next);
}

__noinline u64 exec_script_chunk(u32 handle, u64 head)
{
	for (int i = 0; i < PENDING_CHUNK && head; i++)
		head = exec_script_entry(handle, head);
	return head;
}

static __always_inline struct file *exec_script(struct scratch *s, struct task_struct *t)
{
	u64 head = (u64)BPF_CORE_READ(t, task_works);

	s->found = 0;
	for (int i = 0; i < PENDING_CHUNKS && head; i++)
		head = exec_script_chunk(s->handle, head);
	return (struct file *)s->found;
}

static __always_inline void exec_put_script(struct scratch *s, struct wire_execve *w, struct task_struct *t,
					    struct linux_binprm *bprm)
{
	/* binfmt_misc with the flag O keeps the file open */
	struct file *script = BPF_CORE_READ(bprm, executable);

	if (!script && facts.fput_func)
		script = exec_script(s, t);
	if (script)
		path_put_file(s, &w->script, script);
	else
		w->script.flags = PATH_USER;
}

/* The argument area ends the record. One read is the rule; page by page when a page was swapped out already. */
static __always_inline u32 exec_put_args(struct scratch *s, u64 from, u64 len)
{
	SCRATCH_ROOM(s, off);
	OPAQUE(len);
	if (len > config.max_args)
		len = config.max_args;
	if (!(s->handle & LARGE)) {
		OPAQUE(len);
		if (len > ITEM_MAX)
			len = ITEM_MAX;
		return bpf_probe_read_user(s->record + off, len, (void *)from) ? 0 : len;
	}
	/* a large slot has max_args bytes more, which the caller's pointer to it proves */
	struct scratch *large = scratch_of_large(s->handle);
	if (!large)
		return 0;
	if (!bpf_probe_read_user(large->record + off, len, (void *)from))
		return len;

	u32 got = 0;
	for (u32 i = 0; i < WIRE_ARGS_MAX / ARGS_CHUNK; i++) {
		u32 to = got;
		OPAQUE(to);
		if (to + ARGS_CHUNK > len || to > config.max_args - ARGS_CHUNK)
			break;
		if (bpf_probe_read_user(large->record + off + to, ARGS_CHUNK, (void *)from + to))
			break;
		got += ARGS_CHUNK;
	}
	return got;
}

static __always_inline void exec_submit(struct scratch *s, u32 type, u32 args)
{
	u64 size = s->used;

	if (size > RECORD_MASK) {
		/* the paths are so long that no argument was appended */
		record_submit_process(s, type, true);
		return;
	}
	u64 wakeup = wakeup_process(s, true);
	OPAQUE(size);
	if (size > RECORD_MASK)
		size = RECORD_MASK;
	if (!(s->handle & LARGE)) {
		OPAQUE(args);
		if (args > ITEM_MAX)
			args = ITEM_MAX;
		record_submit(s, type, &ring_process, size + args, wakeup);
		return;
	}
	struct scratch *large = scratch_of_large(s->handle);
	if (!large) {
		RECORD_DROP(s, type, errors);
		return;
	}
	OPAQUE(args);
	if (args > config.max_args)
		args = config.max_args;
	record_submit(large, type, &ring_process, size + args, wakeup);
}

static __always_inline void emit_exec(struct task_struct *t, struct linux_binprm *bprm)
{
	const char *filename = BPF_CORE_READ(bprm, filename);
	bool is_script = filename != BPF_CORE_READ(bprm, interp);
	u32 type = is_script ? EVENT_execve_script : EVENT_execve;

	struct scratch *s = record_begin(type, sizeof(struct wire_execve), true, t);
	if (!s)
		return;
	struct wire_execve *w = record_fixed(s);
	struct mm_struct *mm = BPF_CORE_READ(t, mm);

	path_put_file(s, &w->image, BPF_CORE_READ(mm, exe_file));
	if (is_script)
		exec_put_script(s, w, t, bprm);
	path_put_cwd(s, &w->cwd_path, t);
	cgroup_put(s, &w->cgroup, t);

	w->filename.off = s->used;
	w->filename.len = scratch_put_kernel_str(s, filename, ITEM_MAX);
	w->nodename.off = s->used;
	w->nodename.len = scratch_put_kernel_str(s, nodename_of(t), WIRE_NODENAME_LEN);

	u64 from = BPF_CORE_READ(mm, arg_start);
	w->args_length = BPF_CORE_READ(mm, arg_end) - from;
	w->args.off = s->used;
	u32 args = exec_put_args(s, from, w->args_length);
	w->args.len = args;
	exec_submit(s, type, args);
}

static __always_inline void emit_clone(struct task_struct *t, u64 flags)
{
	struct scratch *s;
	s32 signal;

	if (!TYPED(t, mm))
		return; /* not an event: kernel threads, and helpers of the kernel, have no program yet */
	s = record_begin(EVENT_clone, sizeof(struct wire_clone), false, t);
	if (!s)
		return;
	struct wire_clone *w = record_fixed(s);
	signal = TYPED(t, exit_signal);
	w->flags = flags | (signal > 0 ? signal & 0xff : 0);
	struct task_struct *creator = current_task();
	struct task_struct *leader = TYPED(creator, group_leader);
	w->creator_start = TYPED(leader, start_boottime);
	w->creator_tgid = TYPED(creator, tgid);
	/* clone3 can put the new process into another cgroup */
	if (TYPED(t, cgroups) != TYPED(creator, cgroups))
		cgroup_put(s, &w->cgroup, t);
	w->nodename.off = s->used;
	w->nodename.len = scratch_put_kernel_str(s, nodename_of(t), WIRE_NODENAME_LEN);
	record_submit_process(s, EVENT_clone, false);
}

/* wire_exit and wire_exit_group are the same. */
static __always_inline void emit_exit(struct task_struct *t, u32 type, u32 code, bool last)
{
	struct scratch *s = record_begin(type, sizeof(struct wire_exit), false, t);
	if (!s)
		return;
	struct wire_exit *w = record_fixed(s);
	w->error_code = code;
	w->last = last;
	record_submit_process(s, type, false);
}

/* A process for the start's snapshot: a record like the others, written to the iterator's file. */
static __always_inline void emit_seed(struct seq_file *seq, struct task_struct *t)
{
	struct scratch *s = record_open(EVENT_seed, sizeof(struct wire_seed), false, t);
	if (!s) {
		COUNT(EVENT_seed, hits);
		COUNT(EVENT_seed, lost);
		return;
	}
	struct wire_seed *w = record_fixed(s);
	struct file *image = BPF_CORE_READ(t, mm, exe_file);

	if (image)
		path_put_file(s, &w->image, image);
	cgroup_put(s, &w->cgroup, t);
	w->nodename.off = s->used;
	w->nodename.len = scratch_put_kernel_str(s, nodename_of(t), WIRE_NODENAME_LEN);

	u64 size = s->used;
	OPAQUE(size);
	if (size > RECORD_MASK)
		size = RECORD_MASK;
	size = (size + 7) & ~7ULL; /* the next one is read in place */
	record_header(s)->length = size;
	bpf_seq_write(seq, s->record, size);
	slot_release(s);
}

static __always_inline void emit_cgroup_move(struct task_struct *t)
{
	struct scratch *s = record_begin(EVENT_cgroup_move, sizeof(struct wire_cgroup_move), false, t);
	if (!s)
		return;
	struct wire_cgroup_move *w = record_fixed(s);
	cgroup_put(s, &w->cgroup, t);
	record_submit_process(s, EVENT_cgroup_move, true);
}

static __always_inline void emit_process_end(struct task_struct *t)
{
	struct scratch *s = record_begin(EVENT_process_end, sizeof(struct wire_process_end), false, t);
	if (s)
		record_submit_process(s, EVENT_process_end, false);
}

#endif
