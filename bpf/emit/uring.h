/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io_uring_sqe. */
#ifndef KUNAI_BPF_EMIT_URING_H
#define KUNAI_BPF_EMIT_URING_H

/* Two names share this: a function of its own is verified once. */
__noinline int uring_put_name(u32 handle, u64 name, s32 dir, u32 is_new)
{
	struct scratch *s = scratch_of(handle);
	if (!s)
		return 0;
	struct wire_io_uring_sqe *w = record_fixed(s);
	path_put_kernel_name(s, is_new ? &w->new_name : &w->name, current_task(), dir, name);
	return 0;
}

__noinline int uring_put_names(u32 handle, u64 address, u32 opcode)
{
	struct uring_names names = {.dir = AT_FDCWD, .new_dir = AT_FDCWD};
	struct scratch *s = scratch_of(handle);

	if (!s)
		return 0;
	uring_names_of((struct io_kiocb *)address, opcode, &names);
	if (opcode == URING_SYMLINKAT) {
		struct wire_io_uring_sqe *w = record_fixed(s);
		path_put_text(s, &w->name, names.name);
	} else if (names.name) {
		uring_put_name(handle, names.name, names.dir, false);
	}
	if (names.new_name)
		uring_put_name(handle, names.new_name, names.new_dir, true);
	return 0;
}

__noinline int uring_put_file(u32 handle, u64 address, u32 opcode)
{
	struct io_kiocb *req = (struct io_kiocb *)address;
	struct scratch *s = scratch_of(handle);
	struct file *file = opcode == URING_CLOSE ? uring_closed_file(req) : uring_file(req);

	if (!s || !file)
		return 0;
	struct wire_io_uring_sqe *w = record_fixed(s);
	struct sock *sk = sock_of_file(file);
	if (sk) {
		sock_fill(&w->sock, sk);
		uring_fill_peer(&w->sock, req, opcode);
	} else {
		path_put_file(s, &w->name, file);
	}
	return 0;
}

static __always_inline void emit_uring(struct io_kiocb *req)
{
	u32 opcode = BPF_CORE_READ(req, opcode);
	struct scratch *s =
		record_begin(EVENT_io_uring_sqe, sizeof(struct wire_io_uring_sqe), false, current_task());
	if (!s)
		return;
	struct wire_io_uring_sqe *w = record_fixed(s);
	w->opcode = opcode;
	w->size = uring_size(req, opcode);
	w->request = (u64)req;
	w->told = uring_is_told(req);
	if (uring_is(opcode, URING_WITH_NAME))
		uring_put_names(s->handle, (u64)req, opcode);
	else if (uring_is(opcode, URING_WITH_FILE | OPS(CLOSE)))
		uring_put_file(s->handle, (u64)req, opcode);
	record_submit_other(s, EVENT_io_uring_sqe);
}

/* Only joined to the request's own record: of the header it has what the reader of a ring needs. */
__noinline int emit_uring_end(u64 request, s32 res)
{
	u32 cpu = bpf_get_smp_processor_id();
	u64 now;

	if (self())
		return 0;
	COUNT(EVENT_uring_end, hits);
	struct scratch *s = record_take(cpu, false, &now);
	if (!s) {
		COUNT(EVENT_uring_end, lost);
		return 0;
	}
	struct wire_header *head = record_header(s);
	struct wire_uring_end *w = record_fixed(s);
	__builtin_memset(head, 0, sizeof(*head));
	head->type = EVENT_uring_end;
	head->tier = TIER_TRACEPOINT;
	head->cpu = cpu;
	head->time = now;
	w->request = request;
	w->result = 1ULL << 32 | (u32)res;
	s->used = sizeof(*head) + sizeof(*w);
	record_submit_other(s, EVENT_uring_end);
	return 0;
}

/* A connection that the request asks for, whatever becomes of it. */
static __always_inline void emit_connect_asked(struct sock *sk, struct io_kiocb *req)
{
	struct scratch *s = record_begin(EVENT_connect, sizeof(struct wire_connect), false, current_task());
	struct io_connect *connect = uring_command(req);

	if (!s)
		return;
	struct wire_connect *w = record_fixed(s);
	sock_fill(&w->sock, sk);
	if (!sock_fill_user_peer(&w->sock, (u64)BPF_CORE_READ(connect, addr),
				 BPF_CORE_READ(connect, addr_len), false)) {
		RECORD_DROP(s, EVENT_connect, filtered);
		return;
	}
	w->connected = true;
	record_header(s)->via = VIA_URING | VIA_UNCONFIRMED;
	record_submit_other(s, EVENT_connect);
}

/* A message that it asks to send; m has all but the peer. */
static __always_inline void emit_send_asked(const struct transfer *m, struct io_kiocb *req, u32 opcode)
{
	struct scratch *s = send_begin(m);

	if (!s)
		return;
	struct wire_send_data *w = record_fixed(s);
	uring_fill_peer(&w->sock, req, opcode);
	payload_put(s, &w->payload, m);
	record_submit_other(s, EVENT_send_data);
}

#endif
