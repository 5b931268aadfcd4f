/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connect, send_data, dns_query. */
#ifndef KUNAI_BPF_EMIT_NET_H
#define KUNAI_BPF_EMIT_NET_H

enum { DNS_PORT = 53, DNS_HEADER_LEN = 12 };

/* How a system call describes its buffer. */
enum buffer_kind { BUFFER_NONE, BUFFER_FLAT, BUFFER_SEGMENTS };

/* A failed TCP connection has forgotten its peer by now: take what was remembered while it was tried. */
static __always_inline void connect_recall(struct wire_sock *w, struct sock *sk)
{
	u64 key = (u64)sk;
	struct connecting *c = bpf_map_lookup_elem(&connecting, &key);

	if (!c)
		return;
	if (!w->dst_port) {
		w->dst_port = c->dst_port;
		__builtin_memcpy(w->dst, c->dst, sizeof(w->dst));
		w->src_port = c->src_port;
		__builtin_memcpy(w->src, c->src, sizeof(w->src));
	}
	bpf_map_delete_elem(&connecting, &key);
}

/* Done, or going on: a signal ends the wait, not the attempt. */
static __always_inline bool connect_stands(s64 ret)
{
	return ret == 0 || ret == -EINPROGRESS || ret == -EALREADY || ret == -EISCONN || ret == -EINTR ||
	       ret == -ERESTARTSYS;
}

static __always_inline void emit_connect(struct sock *sk, u64 address, u32 len, bool in_kernel, s64 ret,
					 u32 via)
{
	struct scratch *s = record_begin(EVENT_connect, sizeof(struct wire_connect), false, current_task());
	if (!s)
		return;
	struct wire_connect *w = record_fixed(s);
	sock_fill(&w->sock, sk);
	connect_recall(&w->sock, sk);
	record_header(s)->via = via;
	w->connected = connect_stands(ret);
	/* a failed one may have left half of the address in the socket: the port comes last */
	if (ret == 0 ? !sock_has_peer(&w->sock)
		     : !w->sock.dst_port && !sock_fill_any_peer(&w->sock, address, len, in_kernel, false)) {
		/* a disconnect (AF_UNSPEC), or not an address */
		RECORD_DROP(s, EVENT_connect, filtered);
		return;
	}
	record_submit_other(s, EVENT_connect);
}

/* Remembers the addresses of a connection that is being tried. */
static __always_inline void connect_remember(const struct sock *typed, int old_state, int new_state)
{
	struct sock *sk = (struct sock *)typed;
	u64 key = (u64)sk;
	struct connecting c = {};
	u16 family;

	if (new_state == TCP_ESTABLISHED && old_state == TCP_SYN_SENT) {
		/* it knows its peer; a later socket in the same memory must not be taken for it */
		bpf_map_delete_elem(&connecting, &key);
		return;
	}
	if (new_state != TCP_SYN_SENT && !(old_state == TCP_SYN_SENT && new_state == TCP_CLOSE))
		return;
	if (new_state == TCP_CLOSE && !bpf_map_lookup_elem(&connecting, &key))
		return;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return;
	c.dst_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	c.src_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	sock_addresses(sk, family, c.src, c.dst);
	bpf_map_update_elem(&connecting, &key, &c, BPF_ANY);
}

/* One message that was sent or received. */
struct transfer {
	u64 sk;
	u64 buffer;
	u64 segments; /* of BUFFER_SEGMENTS */
	u64 size;
	u64 name; /* where user memory holds the peer's address, for unconnected sockets */
	u32 name_len;
	u32 kind;   /* enum buffer_kind */
	u64 source; /* the file behind it, of BUFFER_NONE */
	u64 source_end;
	u64 compat;    /* a 32-bit program's structures */
	u64 via;       /* of the record's header */
	u64 in_kernel; /* the name and the list of segments are the kernel's copies */
	u64 skip;      /* bytes before the message in the first segment */
};

/* Appends at most WIRE_PAYLOAD_MAX of the message. */
static __always_inline void payload_put(struct scratch *s, struct slot *slot, const struct transfer *m)
{
	slot->off = s->used;
	if (m->kind == BUFFER_SEGMENTS)
		slot->len = user_gather(s, m->buffer, m->segments, m->skip, m->size,
					m->in_kernel ? IOVEC_KERNEL
					: m->compat  ? IOVEC_COMPAT
						     : IOVEC_USER);
	else if (m->kind == BUFFER_FLAT)
		slot->len = scratch_put_user(s, (void *)m->buffer, m->size);
}

static __always_inline struct scratch *send_begin(const struct transfer *m)
{
	struct scratch *s;

	if (m->size < config.send_min_len) {
		COUNT(EVENT_send_data, hits);
		COUNT(EVENT_send_data, filtered);
		return NULL;
	}
	s = record_begin(EVENT_send_data, sizeof(struct wire_send_data), false, current_task());
	if (!s)
		return NULL;
	struct wire_send_data *w = record_fixed(s);
	record_header(s)->via = m->via;
	sock_fill(&w->sock, (struct sock *)m->sk);
	w->data_size = m->size;
	return s;
}

POINTER_FUNCTION int emit_send_data(const struct transfer *m)
{
	struct scratch *s = m ? send_begin(m) : NULL;

	if (!s)
		return 0;
	struct wire_send_data *w = record_fixed(s);
	/* a connected stream ignores a name that is passed */
	if (m->name && !(w->sock.type == SOCK_STREAM && w->sock.dst_port))
		sock_fill_any_peer(&w->sock, m->name, m->name_len, m->in_kernel, true);
	payload_put(s, &w->payload, m);
	if (m->source) {
		path_put_file(s, &w->source, (struct file *)m->source);
		w->source_offset = m->source_end - m->size;
	}
	record_submit_other(s, EVENT_send_data);
	return 0;
}

POINTER_FUNCTION int emit_dns_query(const struct transfer *m)
{
	struct scratch *s;
	struct wire_sock sock = {};

	if (!m)
		return 0;
	struct sock *sk = (struct sock *)m->sk; /* a local: CO-RE would relocate struct transfer as well */
	/* Cheap questions first: every receiving call comes here. */
	sock.dst_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	bool named = sock.dst_port == 0;
	if (named && !(m->name && sock_fill_any_peer(&sock, m->name, m->name_len, m->in_kernel, true)))
		return 0;
	if (sock.dst_port != DNS_PORT || m->size < DNS_HEADER_LEN)
		return 0;

	s = record_begin(EVENT_dns_query, sizeof(struct wire_dns_query), false, current_task());
	if (!s)
		return 0;
	struct wire_dns_query *w = record_fixed(s);
	record_header(s)->via = m->via;
	sock_fill(&w->sock, sk);
	if (named) {
		if (w->sock.family == AF_INET6 && sock.family == AF_INET)
			sock_unmap_source(&w->sock);
		w->sock.family = sock.family;
		w->sock.dst_port = sock.dst_port;
		w->sock.flags = sock.flags;
		__builtin_memcpy(w->sock.dst, sock.dst, sizeof(sock.dst));
	}
	w->payload_size = m->size;
	payload_put(s, &w->payload, m);
	record_submit_other(s, EVENT_dns_query);
	return 0;
}

#endif
