/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions of sockets, for every way to send and receive. */
#ifndef KUNAI_BPF_TIER_TRAMPOLINE_NET_H
#define KUNAI_BPF_TIER_TRAMPOLINE_NET_H

HOOK(fexit, on_connect)
{
	struct file *file = UNTYPED(struct file *, 0);
	s32 ret = ctx[4];
	struct sock *sk = sock_of_file(file);

	if (sk && call_access() & CALL_CONNECTS)
		emit_connect(sk, UNTYPED(u64, 1), ctx[2], true, ret, 0);
}

/* The message that was sent or received, ret bytes of it. False when it is not of user memory. */
static __always_inline bool transfer_from_message(struct transfer *m, struct msghdr *message)
{
	struct iov_iter *iter = (void *)message + bpf_core_field_offset(message->msg_iter);
	u64 offset = BPF_CORE_READ(iter, iov_offset);
	u32 type = iter_type(iter);

	m->in_kernel = true;
	m->name = (u64)BPF_CORE_READ(message, msg_name);
	m->name_len = BPF_CORE_READ(message, msg_namelen);
	if (iter_is_flat(type)) {
		m->kind = BUFFER_FLAT;
		m->buffer = (u64)BPF_CORE_READ(iter, ubuf) + offset - m->size;
		return true;
	}
	if (type != bpf_core_enum_value(enum iter_type, ITER_IOVEC))
		return false;
	u64 last = iter_segment(iter);
	u64 first = iter_rewind(last, offset, m->size);
	if (first != ITER_LOST) {
		m->kind = BUFFER_SEGMENTS;
		m->segments = (first >> 32) + 1;
		m->buffer = last - (first >> 32) * sizeof(struct user_iovec);
		m->skip = (u32)first;
	}
	return true;
}

/* One function for the hooks of both families; it takes numbers only. */
__noinline int socket_sent(u64 address, u64 message, s64 ret)
{
	struct socket *socket = (struct socket *)address;
	struct transfer m = {.sk = (u64)BPF_CORE_READ(socket, sk), .size = ret};

	if (m.sk && transfer_from_message(&m, (struct msghdr *)message))
		emit_send_data(&m);
	return 0;
}

__noinline int socket_received(u64 address, u64 message, s64 ret)
{
	struct socket *socket = (struct socket *)address;
	struct transfer m = {.sk = (u64)BPF_CORE_READ(socket, sk), .size = ret};

	if (m.sk && transfer_from_message(&m, (struct msghdr *)message))
		emit_dns_query(&m);
	return 0;
}

HOOK(fexit, on_send4)
{
	s32 ret = ctx[3];

	if (ret >= 0 && call_access() & CALL_SENDS)
		socket_sent(UNTYPED(u64, 0), UNTYPED(u64, 1), ret);
}

HOOK(fexit, on_send6)
{
	s32 ret = ctx[3];

	if (ret >= 0 && call_access() & CALL_SENDS)
		socket_sent(UNTYPED(u64, 0), UNTYPED(u64, 1), ret);
}

/* What is only peeked at is received again; with MSG_TRUNC more is told than is delivered. */
static __always_inline bool is_delivered(s32 ret, u32 flags)
{
	return ret >= DNS_HEADER_LEN && !(flags & (MSG_PEEK | MSG_TRUNC));
}

HOOK(fexit, on_receive4)
{
	s32 ret = ctx[4];

	if (is_delivered(ret, ctx[3]) && call_access() & CALL_RECEIVES)
		socket_received(UNTYPED(u64, 0), UNTYPED(u64, 1), ret);
}

HOOK(fexit, on_receive6)
{
	s32 ret = ctx[4];

	if (is_delivered(ret, ctx[3]) && call_access() & CALL_RECEIVES)
		socket_received(UNTYPED(u64, 0), UNTYPED(u64, 1), ret);
}

/* The kernel moves the bytes: they reach the functions above page by page, or not at all. */
HOOK(fexit, on_sendfile)
{
	u64 offset = UNTYPED(u64, 2); /* 5.10 gives no pointer but to structures */
	long ret = ctx[5];
	struct file *file = ret > 0 ? file_of_fd(ctx[0]) : NULL;
	struct file *source = file ? file_of_fd(ctx[1]) : NULL;

	if (file)
		sent_from(file, source, offset, true, ret);
}

HOOK(fexit, on_splice)
{
	long ret = ctx[6];

	if (ret > 0 && call_access() & CALL_SENDS)
		sent_from(UNTYPED(struct file *, 2), NULL, 0, true, ret);
}

HOOK(fexit, on_setsockopt)
{
	option_set(ctx[0], ctx[1], ctx[2], ctx[3], (s32)ctx[5]);
}

#endif
