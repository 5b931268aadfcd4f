/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on sockets, and those on files that may be sockets. */
#ifndef KUNAI_BPF_TIER_NET_H
#define KUNAI_BPF_TIER_NET_H

enum { MESSAGES_MAX = 64 }; /* of one sendmmsg or recvmmsg; more are counted as errors */

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_sock_state, const struct sock *sk, int old_state, int new_state)
{
	connect_remember(sk, old_state, new_state);
	return 0;
}

EXIT(exit_connect)
{
	struct sock *sk = sock_of_file(file_of_fd(regs_arg(regs, 0)));

	if (sk)
		emit_connect(sk, regs_arg(regs, 1), regs_arg(regs, 2), ret);
	return 0;
}

/* write and writev: a regular file is marked, a socket sends. */
static __always_inline void write_or_send(struct pt_regs *regs, long ret, u32 kind)
{
	struct file *file = file_of_fd(regs_arg(regs, 0));

	if (ret < 0 || !file)
		return;
	u32 type = file_mode(file) & S_IFMT;
	if (type == S_IFREG && ret > 0 && wanted(EVENT_write_close))
		file_mark_written(file, WRITTEN_WRITE);
	if (type != S_IFSOCK || !wanted(EVENT_send_data))
		return;
	struct transfer m = {.sk = (u64)sock_of_file(file), .size = ret, .kind = kind};
	m.buffer = regs_arg(regs, 1);
	m.segments = regs_arg(regs, 2);
	if (m.sk)
		emit_send_data(&m);
}

EXIT(exit_write)
{
	write_or_send(regs, ret, BUFFER_FLAT);
	return 0;
}

EXIT(exit_writev)
{
	write_or_send(regs, ret, BUFFER_SEGMENTS);
	return 0;
}

/* sendfile and splice: the kernel moves the bytes, none are in user memory. */
static __always_inline void moved(u64 fd, long ret, u32 how)
{
	struct file *file = file_of_fd(fd);

	if (ret <= 0 || !file)
		return;
	if (wanted(EVENT_write_close) && (file_mode(file) & S_IFMT) == S_IFREG)
		file_mark_written(file, how);
	if (!wanted(EVENT_send_data))
		return;
	struct transfer m = {.sk = (u64)sock_of_file(file), .size = ret, .kind = BUFFER_NONE};
	if (m.sk)
		emit_send_data(&m);
}

EXIT(exit_sendfile)
{
	moved(regs_arg(regs, 0), ret, WRITTEN_SENDFILE);
	return 0;
}

EXIT(exit_splice)
{
	moved(regs_arg(regs, 2), ret, WRITTEN_SPLICE);
	return 0;
}

EXIT(exit_sendto)
{
	struct transfer m = {.size = ret, .kind = BUFFER_FLAT};

	if (ret < 0)
		return 0;
	m.sk = (u64)sock_of_file(file_of_fd(regs_arg(regs, 0)));
	m.buffer = regs_arg(regs, 1);
	m.name = regs_arg(regs, 4);
	m.name_len = regs_arg(regs, 5);
	if (m.sk)
		emit_send_data(&m);
	return 0;
}

static __always_inline bool transfer_from_header(struct transfer *m, u64 header)
{
	struct user_msghdr h;

	if (bpf_probe_read_user(&h, sizeof(h), (void *)header))
		return false;
	m->buffer = (u64)h.iov;
	m->segments = h.iov_len;
	m->name = h.name;
	m->name_len = h.name_len;
	m->kind = BUFFER_SEGMENTS;
	return true;
}

/* Messages of sendmsg and sendmmsg, recvmsg and recvmmsg: loops call them, so they are global. */
__noinline int message_sent(u64 sk, u64 header, u64 size)
{
	struct transfer m = {.sk = sk, .size = size};

	if (transfer_from_header(&m, header))
		emit_send_data(&m);
	return 0;
}

__noinline int message_received(u64 sk, u64 header, u64 size)
{
	struct transfer m = {.sk = sk, .size = size};

	if (transfer_from_header(&m, header))
		emit_dns_query(&m);
	return 0;
}

EXIT(exit_sendmsg)
{
	struct sock *sk;

	if (ret < 0)
		return 0;
	sk = sock_of_file(file_of_fd(regs_arg(regs, 0)));
	if (sk)
		message_sent((u64)sk, regs_arg(regs, 1), ret);
	return 0;
}

static __always_inline void messages(struct pt_regs *regs, long ret, bool sent)
{
	struct sock *sk;
	u64 header = regs_arg(regs, 1);

	if (ret <= 0)
		return;
	sk = sock_of_file(file_of_fd(regs_arg(regs, 0)));
	if (!sk)
		return;
	for (u32 i = 0; i < MESSAGES_MAX; i++) {
		u32 len = 0;
		if (i >= ret)
			return;
		bpf_probe_read_user(&len, sizeof(len), (void *)header + sizeof(struct user_msghdr));
		if (sent)
			message_sent((u64)sk, header, len);
		else
			message_received((u64)sk, header, len);
		header += sizeof(struct user_mmsghdr);
	}
	if (ret > MESSAGES_MAX) {
		u32 type = sent ? EVENT_send_data : EVENT_dns_query;
		COUNT(type, hits);
		COUNT(type, errors);
	}
}

EXIT(exit_sendmmsg)
{
	messages(regs, ret, true);
	return 0;
}

static __always_inline void received(struct pt_regs *regs, long ret, u32 kind)
{
	struct transfer m = {.size = ret, .kind = kind};

	if (ret < DNS_HEADER_LEN)
		return;
	m.sk = (u64)sock_of_file(file_of_fd(regs_arg(regs, 0)));
	if (!m.sk)
		return;
	m.buffer = regs_arg(regs, 1);
	m.segments = regs_arg(regs, 2);
	emit_dns_query(&m);
}

EXIT(exit_read)
{
	received(regs, ret, BUFFER_FLAT);
	return 0;
}

EXIT(exit_readv)
{
	received(regs, ret, BUFFER_SEGMENTS);
	return 0;
}

EXIT(exit_recvfrom)
{
	struct transfer m = {.size = ret, .kind = BUFFER_FLAT};
	u64 len_at = regs_arg(regs, 5);

	/* what is only peeked at is received again */
	if (ret < DNS_HEADER_LEN || regs_arg(regs, 3) & MSG_PEEK)
		return 0;
	m.sk = (u64)sock_of_file(file_of_fd(regs_arg(regs, 0)));
	if (!m.sk)
		return 0;
	m.buffer = regs_arg(regs, 1);
	m.name = regs_arg(regs, 4);
	if (m.name)
		bpf_probe_read_user(&m.name_len, sizeof(m.name_len), (void *)len_at);
	emit_dns_query(&m);
	return 0;
}

EXIT(exit_recvmsg)
{
	struct sock *sk;

	if (ret < DNS_HEADER_LEN || regs_arg(regs, 2) & MSG_PEEK)
		return 0;
	sk = sock_of_file(file_of_fd(regs_arg(regs, 0)));
	if (sk)
		message_received((u64)sk, regs_arg(regs, 1), ret);
	return 0;
}

EXIT(exit_recvmmsg)
{
	if (regs_arg(regs, 3) & MSG_PEEK)
		return 0;
	messages(regs, ret, false);
	return 0;
}

#endif
