/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on sockets, and those on files that may be sockets. */
#ifndef KUNAI_BPF_TIER_NET_H
#define KUNAI_BPF_TIER_NET_H

enum { MESSAGES_MAX = 64 }; /* of one sendmmsg or recvmmsg; more are counted as errors */

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_sock_state, const struct sock *sk, int old_state, int new_state)
{
	REENTRANT(ctx, on_sock_state_body);
	connect_remember(sk, old_state, new_state);
	return 0;
}

/* The calls, over their arguments: the native entries, and the one door of old 32-bit programs, share them. */
static __always_inline struct sock *sock_of_fd(u64 fd)
{
	return sock_of_file(file_of_fd(fd));
}

static __always_inline void connected(u64 fd, u64 address, u32 len, long ret)
{
	struct sock *sk = sock_of_fd(fd);

	if (sk)
		emit_connect(sk, address, len, false, ret, 0);
}

static __always_inline void sent_to(u64 fd, u64 buffer, u64 name, u32 name_len, long ret)
{
	struct transfer m = {
		.buffer = buffer, .name = name, .name_len = name_len, .size = ret, .kind = BUFFER_FLAT};

	if (ret < 0)
		return;
	m.sk = (u64)sock_of_fd(fd);
	if (m.sk)
		emit_send_data(&m);
}

/* What is only peeked at is received again. */
static __always_inline void received_from(u64 fd, u64 buffer, u64 flags, u64 name, u64 name_len_at, long ret)
{
	struct transfer m = {.buffer = buffer, .name = name, .size = ret, .kind = BUFFER_FLAT};

	/* with MSG_TRUNC the call tells more than it has delivered, of a stream nothing at all */
	if (ret < DNS_HEADER_LEN || flags & (MSG_PEEK | MSG_TRUNC))
		return;
	m.sk = (u64)sock_of_fd(fd);
	if (!m.sk)
		return;
	if (m.name)
		bpf_probe_read_user(&m.name_len, sizeof(m.name_len), (void *)name_len_at);
	emit_dns_query(&m);
}

static __always_inline bool transfer_from_header(struct transfer *m, u64 header)
{
	struct user_msghdr h;

	m->compat = syscall_is_compat(current_task());
	if (!user_msghdr_read(&h, header, m->compat))
		return false;
	m->buffer = h.iov;
	m->segments = h.iov_len;
	m->name = h.name;
	m->name_len = h.name_len;
	m->kind = BUFFER_SEGMENTS;
	return true;
}

/* One message of sendmsg and sendmmsg, of recvmsg and recvmmsg: loops call them, so they are global. */
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

static __always_inline void sent_message(u64 fd, u64 header, long ret)
{
	struct sock *sk = ret < 0 ? NULL : sock_of_fd(fd);

	if (sk)
		message_sent((u64)sk, header, ret);
}

static __always_inline void received_message(u64 fd, u64 header, u64 flags, long ret)
{
	struct sock *sk = ret < DNS_HEADER_LEN || flags & MSG_PEEK ? NULL : sock_of_fd(fd);

	if (sk)
		message_received((u64)sk, header, ret);
}

static __always_inline void messages(u64 fd, u64 header, long ret, bool sent)
{
	struct sock *sk = ret <= 0 ? NULL : sock_of_fd(fd);
	bool compat = syscall_is_compat(current_task());

	if (!sk)
		return;
	for (u32 i = 0; i < MESSAGES_MAX; i++) {
		u32 len = 0;
		if (i >= ret)
			return;
		bpf_probe_read_user(&len, sizeof(len),
				    (void *)header + (compat ? COMPAT_MSGHDR_SIZE : MSGHDR_SIZE));
		if (sent)
			message_sent((u64)sk, header, len);
		else
			message_received((u64)sk, header, len);
		header += compat ? COMPAT_MMSGHDR_SIZE : MMSGHDR_SIZE;
	}
	if (ret > MESSAGES_MAX) {
		u32 type = sent ? EVENT_send_data : EVENT_dns_query;
		COUNT(type, hits);
		COUNT(type, errors);
	}
}

/* Whether reading or writing a descriptor is nothing new, by plain loads. False also when they cannot tell. */
static __always_inline bool transfer_is_done(u32 fd, u32 access)
{
#if KUNAI_MODERN
	struct task_struct *t = current_task();
	struct file *file = typed_file_of_fd(t, fd);

	if (!file)
		return false;
	struct inode *inode = file->f_inode;
	u32 type = inode->i_mode & S_IFMT;
	if (type == S_IFREG)
		return access_is_done(t, file, inode, access, WRITTEN_WRITE);
	return type != S_IFSOCK;
#else
	return false;
#endif
}

/* write and writev: a regular file is marked, a socket sends. */
static __always_inline void write_or_send(struct pt_regs *regs, long ret, u32 kind)
{
	u64 fd = regs_arg(regs, 0);

	if (ret < 0 || transfer_is_done(fd, ACCESS_WRITE))
		return;
	struct file *file = file_of_fd(fd);
	if (!file)
		return;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	if (type == S_IFREG && ret > 0)
		regular_written(file, inode, WRITTEN_WRITE);
	if (type != S_IFSOCK || !by_tracepoint(EVENT_send_data))
		return;
	struct transfer m = {.sk = (u64)sock_of_file(file), .size = ret, .kind = kind};
	m.buffer = regs_arg(regs, 1);
	m.segments = regs_arg(regs, 2);
	m.compat = syscall_is_compat(current_task());
	if (m.sk)
		emit_send_data(&m);
}

static __always_inline void read_from(struct pt_regs *regs, long ret, u32 kind)
{
	u64 fd = regs_arg(regs, 0);

	if (ret <= 0 || transfer_is_done(fd, ACCESS_READ))
		return;
	struct transfer m = {.size = ret, .kind = kind};
	struct file *file = file_of_fd(fd);
	if (!file)
		return;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	if (type == S_IFREG)
		regular_read(file, inode);
	if (type != S_IFSOCK || !by_tracepoint(EVENT_dns_query) || ret < DNS_HEADER_LEN)
		return;
	m.sk = (u64)sock_of_file(file);
	if (!m.sk)
		return;
	m.buffer = regs_arg(regs, 1);
	m.segments = regs_arg(regs, 2);
	m.compat = syscall_is_compat(current_task());
	emit_dns_query(&m);
}

/* ret bytes were moved to a socket by the kernel: none are in user memory, but those of a file can be read again. offset:
 * where the call left its place in the source, if it was given one. */
static __always_inline void sent_from(struct file *file, struct file *source, u64 offset, bool in_kernel,
				      long ret)
{
	struct transfer m = {.sk = (u64)sock_of_file(file), .size = ret, .kind = BUFFER_NONE};

	if (!m.sk)
		return;
	if (source && (file_mode(source) & S_IFMT) == S_IFREG) {
		m.source = (u64)source;
		/* the call moved one of the two to the end of what it sent */
		if (!offset ||
		    (in_kernel ? bpf_probe_read_kernel(&m.source_end, sizeof(m.source_end), (void *)offset)
			       : bpf_probe_read_user(&m.source_end, sizeof(m.source_end), (void *)offset)))
			m.source_end = BPF_CORE_READ(source, f_pos);
	}
	emit_send_data(&m);
}

/* sendfile and splice. */
static __always_inline void moved(u64 fd, u64 from, u64 offset, long ret, u32 how)
{
	struct file *file = file_of_fd(fd);

	if (ret <= 0 || !file)
		return;
	struct file *source = file_of_fd(from);
	file_written(file, how);
	if (source)
		file_read(source);
	if (by_tracepoint(EVENT_send_data))
		sent_from(file, source, offset, false, ret);
}

EXIT(exit_connect)
{
	connected(regs_arg(regs, 0), regs_arg(regs, 1), regs_arg(regs, 2), ret);
	return 0;
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

EXIT(exit_sendfile)
{
	moved(regs_arg(regs, 0), regs_arg(regs, 1), regs_arg(regs, 2), ret, WRITTEN_SENDFILE);
	return 0;
}

EXIT(exit_splice)
{
	moved(regs_arg(regs, 2), regs_arg(regs, 0), regs_arg(regs, 1), ret, WRITTEN_SPLICE);
	return 0;
}

EXIT(exit_sendto)
{
	sent_to(regs_arg(regs, 0), regs_arg(regs, 1), regs_arg(regs, 4), regs_arg(regs, 5), ret);
	return 0;
}

EXIT(exit_send)
{
	sent_to(regs_arg(regs, 0), regs_arg(regs, 1), 0, 0, ret);
	return 0;
}

EXIT(exit_recv)
{
	received_from(regs_arg(regs, 0), regs_arg(regs, 1), regs_arg(regs, 3), 0, 0, ret);
	return 0;
}

EXIT(exit_sendmsg)
{
	sent_message(regs_arg(regs, 0), regs_arg(regs, 1), ret);
	return 0;
}

EXIT(exit_sendmmsg)
{
	messages(regs_arg(regs, 0), regs_arg(regs, 1), ret, true);
	return 0;
}

EXIT(exit_read)
{
	read_from(regs, ret, BUFFER_FLAT);
	return 0;
}

EXIT(exit_readv)
{
	read_from(regs, ret, BUFFER_SEGMENTS);
	return 0;
}

EXIT(exit_recvfrom)
{
	received_from(regs_arg(regs, 0), regs_arg(regs, 1), regs_arg(regs, 3), regs_arg(regs, 4),
		      regs_arg(regs, 5), ret);
	return 0;
}

EXIT(exit_recvmsg)
{
	received_message(regs_arg(regs, 0), regs_arg(regs, 1), regs_arg(regs, 2), ret);
	return 0;
}

EXIT(exit_recvmmsg)
{
	if (!(regs_arg(regs, 3) & MSG_PEEK))
		messages(regs_arg(regs, 0), regs_arg(regs, 1), ret, false);
	return 0;
}

/* include/uapi/linux/net.h: until 4.3 the only door to sockets for 32-bit programs, and still open */
enum {
	SYS_CONNECT = 3,
	SYS_SEND = 9,
	SYS_RECV = 10,
	SYS_SENDTO = 11,
	SYS_RECVFROM = 12,
	SYS_SETSOCKOPT = 14,
	SYS_SENDMSG = 16,
	SYS_RECVMSG = 17,
	SYS_RECVMMSG = 19,
	SYS_SENDMMSG = 20,
};

/* Functions of their own: exit_socketcall holds all of the calls, and a chain of frames may take 512 bytes. */
__noinline int socketcall_sent_to(u64 fd, u64 buffer, u64 name, u64 name_len, s64 ret)
{
	sent_to(fd, buffer, name, name_len, ret);
	return 0;
}

__noinline int socketcall_received_from(u64 fd, u64 buffer, u64 name, u64 name_len_at, s64 ret)
{
	received_from(fd, buffer, 0, name, name_len_at, ret);
	return 0;
}

EXIT(exit_socketcall)
{
	u32 call = regs_arg(regs, 0);
	u32 a[6] = {};

	/* send has four arguments, and what follows them may not be there to read */
	if (bpf_probe_read_user(a, sizeof(a), (void *)regs_arg(regs, 1)))
		bpf_probe_read_user(a, 4 * sizeof(a[0]), (void *)regs_arg(regs, 1));
	if (call == SYS_CONNECT && by_tracepoint(EVENT_connect))
		connected(a[0], a[1], a[2], ret);
	if (call == SYS_SETSOCKOPT && by_tracepoint(EVENT_bpf_socket_filter))
		option_set(a[0], a[1], a[2], a[3], ret);
	if (by_tracepoint(EVENT_send_data)) {
		if (call == SYS_SEND || call == SYS_SENDTO)
			socketcall_sent_to(a[0], a[1], call == SYS_SENDTO ? a[4] : 0, a[5], ret);
		else if (call == SYS_SENDMSG)
			sent_message(a[0], a[1], ret);
		else if (call == SYS_SENDMMSG)
			messages(a[0], a[1], ret, true);
	}
	if (by_tracepoint(EVENT_dns_query)) {
		if ((call == SYS_RECV || call == SYS_RECVFROM) && !(a[3] & (MSG_PEEK | MSG_TRUNC)))
			socketcall_received_from(a[0], a[1], call == SYS_RECVFROM ? a[4] : 0, a[5], ret);
		else if (call == SYS_RECVMSG)
			received_message(a[0], a[1], a[2], ret);
		else if (call == SYS_RECVMMSG && !(a[3] & MSG_PEEK))
			messages(a[0], a[1], ret, false);
	}
	return 0;
}

#endif
