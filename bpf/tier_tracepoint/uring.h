/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io_uring. A request is seen when the kernel has taken it from the ring, read and checked it, whoever does that: the
 * process in io_uring_enter(2), or its thread iou-sqp-* that polls the ring (SQPOLL). What it did is seen when it has
 * ended, in the process or in a thread iou-wrk-* of it; but a program can ask for silence about success
 * (IOSQE_CQE_SKIP_SUCCESS), and older kernels do not tell which request has ended. So what a hidden end would hide is
 * made of the request itself: reads and writes always, the others marked as unconfirmed.
 */
#ifndef KUNAI_BPF_TIER_URING_H
#define KUNAI_BPF_TIER_URING_H

static __always_inline u32 uring_written_how(u32 opcode)
{
	u32 how = opcode == URING_FALLOCATE   ? WRITTEN_ALLOCATE
		  : opcode == URING_FTRUNCATE ? WRITTEN_TRUNCATE
		  : opcode == URING_SPLICE    ? WRITTEN_SPLICE
					      : WRITTEN_WRITE;
	return how | WRITTEN_URING;
}

/* A file is read or written for the thread that wants it: once, whoever does it, and whenever it is seen. */
static __always_inline void uring_accessed(struct task_struct *t, struct file *file, u32 opcode)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	bool writes = uring_is(opcode, URING_WRITING);
	u32 access = writes ? ACCESS_WRITE : ACCESS_READ;

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return;
	if (writes && wanted(EVENT_write_close))
		file_mark_written(file, uring_written_how(opcode));
	if (!access_wanted(access))
		return;
	u64 hash = access_hash_of_thread(BPF_CORE_READ(t, start_boottime), BPF_CORE_READ(t, self_exec_id),
					 BPF_CORE_READ(t, pid), access);
	hash = access_hash_of_file(hash, file, inode);
	if (!access_is_known(hash))
		access_new((u64)file, hash, access, VIA_URING);
}

/* Where the request's bytes are, in the program's memory. False: nobody can say. */
static __always_inline bool uring_transfer(struct transfer *m, struct io_kiocb *req, u32 opcode)
{
	void *command = uring_command(req);
	struct io_sr_msg___addressed *addressed = command;
	struct io_sr_msg *message = command;
	struct io_rw *rw = command;

	if (uring_is(opcode, OPS(SENDMSG) | OPS(SENDMSG_ZC) | OPS(RECVMSG)))
		return transfer_from_header(m, (u64)BPF_CORE_READ(message, umsg));
	m->kind = opcode == URING_SPLICE             ? BUFFER_NONE
		  : uring_is(opcode, URING_SEGMENTS) ? BUFFER_SEGMENTS
						     : BUFFER_FLAT;
	if (uring_is(opcode, URING_SENDING | URING_RECEIVING)) {
		m->buffer = (u64)BPF_CORE_READ(message, umsg);
		if (opcode != URING_RECV && bpf_core_field_exists(addressed->addr)) {
			m->name = (u64)BPF_CORE_READ(addressed, addr);
			m->name_len = BPF_CORE_READ(addressed, addr_len);
		}
	} else {
		m->buffer = BPF_CORE_READ(rw, addr);
		m->segments = BPF_CORE_READ(rw, len);
	}
	return true;
}

/* ---- the kernel takes a request ---- */

/* It may yet fail; the file's mode, and that there is something to move, rule out most of that. */
__noinline int uring_file_taken(u64 address, u32 opcode)
{
	struct io_kiocb *req = (struct io_kiocb *)address;
	struct file *file = uring_file(req);
	bool writes = uring_is(opcode, URING_WRITING);

	if (!file || !(BPF_CORE_READ(file, f_mode) & (writes ? FMODE_WRITE : FMODE_READ)))
		return 0;
	if (!writes && !BPF_CORE_READ(file, f_inode, i_size))
		return 0;
	if (uring_is(opcode, URING_SIZED) && !uring_size(req, opcode))
		return 0;
	uring_accessed((struct task_struct *)bpf_get_current_task(), file, opcode);
	return 0;
}

__noinline int uring_names_taken(u64 address, u32 opcode)
{
	struct io_kiocb *req = (struct io_kiocb *)address;
	struct uring_names names = {.dir = AT_FDCWD, .new_dir = AT_FDCWD};
	struct io_rename *rename = uring_command(req);
	struct io_unlink *unlink = uring_command(req);
	u32 type = opcode == URING_RENAMEAT ? EVENT_file_rename : EVENT_file_unlink;
	u32 flags = opcode == URING_RENAMEAT ? BPF_CORE_READ(rename, flags) : BPF_CORE_READ(unlink, flags);

	if (!wanted(type) || self() || (opcode == URING_UNLINKAT && flags & AT_REMOVEDIR))
		return 0;
	uring_names_of(req, opcode, &names);
	held_begin(address, type, &names, flags, uring_is_told(req));
	return 0;
}

enum { ASKED_SEGMENTS = 64 }; /* that are added up */

/* Nothing of one that cannot be read. */
__noinline u64 uring_segment_size(u64 iov, u32 i, u32 compat)
{
	struct user_iovec v;

	return user_iovec_read(&v, iov, i, compat ? IOVEC_COMPAT : IOVEC_USER) ? v.len : 0;
}

__noinline u64 uring_segments_size(u64 iov, u64 segments, u32 compat)
{
	u64 size = 0;

	for (u32 i = 0; i < ASKED_SEGMENTS && i < segments; i++)
		size += uring_segment_size(iov, i, compat);
	return size;
}

static __always_inline void uring_send_taken(struct sock *sk, struct io_kiocb *req, u32 opcode)
{
	struct transfer m = {.sk = (u64)sk, .via = VIA_URING | VIA_UNCONFIRMED};

	if (!uring_transfer(&m, req, opcode))
		return;
	m.size = m.kind == BUFFER_SEGMENTS ? uring_segments_size(m.buffer, m.segments, m.compat)
					   : uring_size(req, opcode);
	emit_send_asked(&m, req, opcode);
}

/* What nobody will be told of is believed. */
__noinline int uring_socket_taken(u64 address, u32 opcode)
{
	struct io_kiocb *req = (struct io_kiocb *)address;
	struct file *file = uring_file(req);
	struct sock *sk = file ? sock_of_file(file) : NULL;

	if (!sk)
		return 0;
	if (opcode != URING_CONNECT && wanted(EVENT_send_data))
		uring_send_taken(sk, req, opcode);
	else if (opcode == URING_CONNECT && wanted(EVENT_connect))
		emit_connect_asked(sk, req);
	return 0;
}

__noinline int uring_close_taken(u64 address)
{
	struct io_kiocb *req = (struct io_kiocb *)address;
	struct file *file = uring_closed_file(req);

	if (file && file_references(file) == 1)
		file_closing((u64)file);
	return 0;
}

static __always_inline void uring_taken(struct io_kiocb *req)
{
	u32 opcode = BPF_CORE_READ(req, opcode);
	u64 address = (u64)req;

	if (wanted(EVENT_file_unlink) || wanted(EVENT_file_rename))
		held_send(address, true, VIA_UNCONFIRMED); /* that of the request before it in this memory */
	if (uring_is(opcode, URING_READING | URING_WRITING)) {
		uring_file_taken(address, opcode);
	} else if (uring_is(opcode, OPS(UNLINKAT) | OPS(RENAMEAT))) {
		uring_names_taken(address, opcode);
		return;
	}
	if (uring_is_told(req) && !(uring_is(opcode, URING_SENDING) && uring_forgets_peer(req)))
		return;
	if (uring_is(opcode, URING_SENDING | OPS(CONNECT)))
		uring_socket_taken(address, opcode);
	else if (opcode == URING_CLOSE && by_tracepoint(EVENT_write_close))
		uring_close_taken(address);
}

/* io_uring_submit_req since 6.4, else io_uring_submit_sqe, where config.uring_request says which argument is the
 * request: the first one since 6.0, the second one before. */
SEC("tp_btf/io_uring_submit_req")
int on_uring_submit(u64 *ctx)
{
	REENTRANT(ctx, on_uring_submit_body);
	struct io_kiocb *req = NULL;

	/* a copy has no type: it may be handed to functions of their own */
	bpf_probe_read_kernel(&req, sizeof(req), ctx + (config.uring_request ? 1 : 0));
	if (wanted(EVENT_io_uring_sqe))
		emit_uring(req);
	uring_taken(req);
	return 0;
}

/* ---- a request has ended ---- */

/* The thread that handed over the request. */
static __always_inline struct task_struct *uring_task(struct io_kiocb *req)
{
	if (bpf_core_field_exists(req->tctx))
		return BPF_CORE_READ(req, tctx, task);
	return BPF_CORE_READ(req, task);
}

/* What is only peeked at is received again. */
static __always_inline void uring_received(const struct transfer *m, struct io_kiocb *req, u32 opcode)
{
	struct io_sr_msg *message = uring_command(req);

	if (uring_is(opcode, URING_RECEIVING) && BPF_CORE_READ(message, msg_flags) & (MSG_PEEK | MSG_TRUNC))
		return;
	emit_dns_query(m);
}

__noinline int uring_socket_moved(u64 address, u64 sk, u32 opcode, s32 res)
{
	struct io_kiocb *req = (struct io_kiocb *)address;
	struct transfer m = {.sk = sk, .size = res, .via = VIA_URING};

	/* the kernel has forgotten the peer: told before */
	if (uring_is(opcode, URING_SENDING | URING_WRITING)) {
		if (wanted(EVENT_send_data) && uring_transfer(&m, req, opcode) &&
		    (m.name || BPF_CORE_READ((struct sock *)sk, __sk_common.skc_dport)))
			emit_send_data(&m);
	} else if (wanted(EVENT_dns_query) && res >= DNS_HEADER_LEN && uring_transfer(&m, req, opcode)) {
		uring_received(&m, req, opcode);
	}
	return 0;
}

__noinline int uring_moved(u64 address, u32 opcode, s32 res)
{
	struct io_kiocb *req = (struct io_kiocb *)address;
	struct file *file = BPF_CORE_READ(req, file);

	if (!file || self())
		return 0;
	struct sock *sk = sock_of_file(file);
	if (sk)
		uring_socket_moved(address, (u64)sk, opcode, res);
	else if (uring_is(opcode, URING_READING | URING_WRITING) &&
		 (res > 0 || uring_is(opcode, OPS(FALLOCATE) | OPS(FTRUNCATE))))
		uring_accessed(uring_task(req), file, opcode);
	return 0;
}

__noinline int uring_opened(u64 address, s32 res)
{
	struct io_kiocb *req = (struct io_kiocb *)address;
	struct io_open *open = uring_command(req);
	u32 slot = BPF_CORE_READ(open, file_slot);
	struct file *file;

	if (slot == URING_ANY_SLOT)
		file = uring_registered_file(req, res);
	else
		file = slot ? uring_registered_file(req, slot - 1) : file_of_fd(res);
	if (file && !self())
		opened_file(file, BPF_CORE_READ(open, how.flags), WRITTEN_URING);
	return 0;
}

/* The address of a connect is where the program had it. */
__noinline int uring_connected(u64 address, s32 res)
{
	struct io_kiocb *req = (struct io_kiocb *)address;
	struct io_connect *connect = uring_command(req);
	struct file *file = BPF_CORE_READ(req, file);
	struct sock *sk = file ? sock_of_file(file) : NULL;

	if (sk)
		emit_connect(sk, (u64)BPF_CORE_READ(connect, addr), BPF_CORE_READ(connect, addr_len), false,
			     res, VIA_URING);
	return 0;
}

/* The request holds its file, and lets it go after this. */
__noinline int uring_last_reference(u64 address)
{
	struct io_kiocb *req = (struct io_kiocb *)address;
	struct file *file = BPF_CORE_READ(req, file);

	if (file && !(BPF_CORE_READ(req, flags) & REQ_F_FIXED_FILE) && file_references(file) == 1)
		file_closing((u64)file);
	return 0;
}

static __always_inline void uring_done(struct io_kiocb *req)
{
	u32 opcode = BPF_CORE_READ(req, opcode);
	s32 res = BPF_CORE_READ(req, cqe.res);
	u64 address = (u64)req;

	if (wanted(EVENT_uring_end))
		emit_uring_end(address, res);
	if (res >= 0 && uring_is(opcode, URING_READING | URING_WRITING | URING_SENDING | URING_RECEIVING))
		uring_moved(address, opcode, res);
	else if (res >= 0 && uring_is(opcode, OPS(OPENAT) | OPS(OPENAT2)))
		uring_opened(address, res);
	else if (opcode == URING_CONNECT && wanted(EVENT_connect))
		uring_connected(address, res);
	else if (uring_is(opcode, OPS(UNLINKAT) | OPS(RENAMEAT))) {
		if (opcode == URING_RENAMEAT ? res == 0 : !found_no_file(res))
			held_send(address, res == 0, 0);
		else
			held_drop(address);
	}
	if (by_tracepoint(EVENT_write_close))
		uring_last_reference(address);
}

/*
 * Files whose last reference went in a request wait in task_works, like those of a system call, but the kernel may let
 * them go before that call returns. Completions that are not of a request (of multishot ones) have none.
 */
SEC("tp_btf/io_uring_complete")
int on_uring_complete(u64 *ctx)
{
	REENTRANT(ctx, on_uring_complete_body);
	struct task_struct *t = current_task();
	struct io_kiocb *req = NULL;

	if (by_tracepoint(EVENT_write_close) && TYPED(t, task_works))
		closing_pending(t);
	if (!config.uring_told)
		return 0;
	bpf_probe_read_kernel(&req, sizeof(req), ctx + 1);
	if (req && bpf_core_field_exists(req->cqe))
		uring_done(req);
	return 0;
}

/*
 * Requests that ended in a thread of the ring, or that wait for others, let go of their files when the task that handed
 * them over does its work, which may be before its call returns; a thread that polls a ring returns from no call.
 */
static __always_inline void uring_worked(void)
{
	struct task_struct *t = current_task();

	if (TYPED(t, task_works))
		closing_pending(t);
}

SEC("tp_btf/io_uring_task_work_run")
int on_uring_work(u64 *ctx)
{
	REENTRANT(ctx, on_uring_work_body);
	uring_worked();
	return 0;
}

SEC("tp_btf/io_uring_local_work_run")
int on_uring_local_work(u64 *ctx)
{
	REENTRANT(ctx, on_uring_local_work_body);
	uring_worked();
	return 0;
}

#endif
