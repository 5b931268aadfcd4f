/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets: addresses from the kernel's object, else from user memory, which is marked. */
#ifndef KUNAI_BPF_EXTRACT_SOCK_H
#define KUNAI_BPF_EXTRACT_SOCK_H

/* include/uapi/linux/in.h, in6.h: both begin with the family and the port */
struct user_sockaddr {
	u16 family;
	__be16 port;
	u8 ip4_or_flowinfo[4];
	u8 ip6[16];
	u32 scope;
};

enum { SOCKADDR_IN_LEN = 16, SOCKADDR_IN6_MIN_LEN = 24 };

/* The socket of any family behind a file, or NULL. */
static __always_inline struct sock *sock_of_any_file(struct file *file)
{
	if (!file || (file_mode(file) & S_IFMT) != S_IFSOCK)
		return NULL;
	struct socket *socket = BPF_CORE_READ(file, private_data);

	return BPF_CORE_READ(socket, sk);
}

/* The INET or INET6 socket behind a file, or NULL. */
static __always_inline struct sock *sock_of_file(struct file *file)
{
	struct sock *sk = sock_of_any_file(file);

	if (!sk)
		return NULL;
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	return family == AF_INET || family == AF_INET6 ? sk : NULL;
}

static __always_inline void sock_addresses(struct sock *sk, u16 family, u8 *src, u8 *dst)
{
	if (family == AF_INET) {
		bpf_core_read(src, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(dst, 4, &sk->__sk_common.skc_daddr);
	} else {
		bpf_core_read(src, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(dst, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

/* What kind of socket it is, of any family. */
static __always_inline void sock_fill_kind(struct wire_sock *w, struct sock *sk)
{
	w->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	w->type = BPF_CORE_READ(sk, sk_type);
	w->protocol = BPF_CORE_READ(sk, sk_protocol);
}

static __always_inline void sock_fill(struct wire_sock *w, struct sock *sk)
{
	sock_fill_kind(w, sk);
	w->src_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	w->dst_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	sock_addresses(sk, w->family, w->src, w->dst);
}

static __always_inline bool sock_has_peer(const struct wire_sock *w)
{
	const u64 *dst = (const u64 *)w->dst;

	return w->dst_port || dst[0] || dst[1];
}

/* The IPv4 source of an IPv6 socket: what its address maps, or none. */
static __always_inline void sock_unmap_source(struct wire_sock *w)
{
	u32 source = 0;

	if (*(u64 *)w->src == 0 && *(u32 *)(w->src + 8) == bpf_htonl(0xffff))
		source = *(u32 *)(w->src + 12);
	__builtin_memset(w->src, 0, sizeof(w->src));
	*(u32 *)w->src = source;
}

/* Takes the peer from a struct sockaddr; false when it is not an internet address. A sending call takes AF_UNSPEC for
 * AF_INET; for connect it means to disconnect. */
static __always_inline bool sock_fill_peer(struct wire_sock *w, const struct user_sockaddr *a, u32 len,
					   bool sending)
{
	if (a->family == AF_INET || (sending && a->family == AF_UNSPEC && w->family == AF_INET)) {
		/* an IPv6 socket may send to an IPv4 address: Linux takes it for the mapped one */
		if (w->family == AF_INET6)
			sock_unmap_source(w);
		w->family = AF_INET;
		__builtin_memset(w->dst, 0, sizeof(w->dst));
		__builtin_memcpy(w->dst, a->ip4_or_flowinfo, 4);
	} else if (a->family == AF_INET6 && len >= SOCKADDR_IN6_MIN_LEN) {
		w->family = AF_INET6;
		__builtin_memcpy(w->dst, a->ip6, 16);
	} else {
		return false;
	}
	w->dst_port = bpf_ntohs(a->port);
	return true;
}

/* The same from user memory, which is marked. */
POINTER_FUNCTION int sock_fill_user_peer(struct wire_sock *w, u64 address, u32 len, u32 sending)
{
	struct user_sockaddr a = {};
	u64 size =
		len; /* 64 bits: older verifiers forget the bounds of a shorter one that is put on the stack */

	if (!w || !address || len < SOCKADDR_IN_LEN)
		return false;
	OPAQUE(size);
	if (size > sizeof(a))
		size = sizeof(a);
	OPAQUE(size); /* or clang takes what was compared from the stack again, where it has no bound */
	if (bpf_probe_read_user(&a, size, (void *)address) || !sock_fill_peer(w, &a, size, sending))
		return false;
	w->flags |= SOCK_USER_ADDRESS;
	return true;
}

/* The same from the kernel's copy. */
POINTER_FUNCTION int sock_fill_kernel_peer(struct wire_sock *w, u64 address, u32 len, u32 sending)
{
	struct user_sockaddr a = {};
	u64 size = len;

	if (!w || !address || len < SOCKADDR_IN_LEN)
		return false;
	OPAQUE(size);
	if (size > sizeof(a))
		size = sizeof(a);
	OPAQUE(size);
	return !bpf_probe_read_kernel(&a, size, (void *)address) && sock_fill_peer(w, &a, size, sending);
}

static __always_inline bool sock_fill_any_peer(struct wire_sock *w, u64 address, u32 len, bool in_kernel,
					       bool sending)
{
	return in_kernel ? sock_fill_kernel_peer(w, address, len, sending)
			 : sock_fill_user_peer(w, address, len, sending);
}

#endif
