/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buffers that a program passed to a system call. */
#ifndef KUNAI_BPF_EXTRACT_USER_H
#define KUNAI_BPF_EXTRACT_USER_H

enum { SEGMENTS_MAX = 128 };

struct user_iovec {
	u64 base;
	u64 len;
};

/* Who wrote the list of segments: a program, a 32-bit one, or the kernel that copied it. */
enum iovec_kind { IOVEC_USER, IOVEC_COMPAT, IOVEC_KERNEL };

struct compat_iovec {
	u32 base;
	u32 len;
};

/* struct user_msghdr of include/linux/socket.h, struct compat_msghdr of include/net/compat.h: what we need of them */
struct user_msghdr {
	u64 name;
	u32 name_len;
	u32 reserved;
	u64 iov;
	u64 iov_len;
};

struct compat_msghdr {
	u32 name;
	u32 name_len;
	u32 iov;
	u32 iov_len;
};

enum { MSGHDR_SIZE = 56, COMPAT_MSGHDR_SIZE = 28, MMSGHDR_SIZE = 64, COMPAT_MMSGHDR_SIZE = 32 };

/* A pointer or long of the program: 4 bytes in a 32-bit one. 0 when it cannot be read. */
static __always_inline u64 user_word(u64 address, bool compat)
{
	u64 word = 0;

	bpf_probe_read_user(&word, compat ? 4 : 8, (void *)address);
	return word;
}

static __always_inline bool user_iovec_read(struct user_iovec *v, u64 iov, u32 i, u32 kind)
{
	struct compat_iovec c;

	if (kind == IOVEC_KERNEL)
		return !bpf_probe_read_kernel(v, sizeof(*v), (void *)(iov + i * sizeof(*v)));
	if (kind == IOVEC_USER)
		return !bpf_probe_read_user(v, sizeof(*v), (void *)(iov + i * sizeof(*v)));
	if (bpf_probe_read_user(&c, sizeof(c), (void *)(iov + i * sizeof(c))))
		return false;
	v->base = c.base;
	v->len = c.len;
	return true;
}

static __always_inline bool user_msghdr_read(struct user_msghdr *h, u64 address, bool compat)
{
	struct compat_msghdr c;

	if (!compat)
		return !bpf_probe_read_user(h, sizeof(*h), (void *)address);
	if (bpf_probe_read_user(&c, sizeof(c), (void *)address))
		return false;
	h->name = c.name;
	h->name_len = c.name_len;
	h->iov = c.iov;
	h->iov_len = c.iov_len;
	return true;
}

/* Appends one segment, from its byte skip on and up to the record's byte end; 0 to go on. skip_and_i: skip << 32 | i. A
 * function of its own: the loop around it is then verified in no time. */
__noinline int user_gather_one(u32 handle, u64 iov, u64 skip_and_i, u32 end, u32 kind)
{
	struct scratch *s = scratch_of(handle);
	u64 skip = skip_and_i >> 32;
	struct user_iovec v;

	if (!s || s->used >= end || !user_iovec_read(&v, iov, (u32)skip_and_i, kind))
		return 1;
	skip = skip < v.len ? skip : v.len;
	v.base += skip;
	v.len -= skip;
	SCRATCH_ROOM(s, off);
	u64 n = v.len < end - s->used ? v.len : end - s->used;
	OPAQUE(n);
	if (n > WIRE_PAYLOAD_MAX || bpf_probe_read_user(s->record + off, n, (void *)v.base))
		return 1;
	s->used = off + n;
	return 0;
}

/* Appends size bytes of the segments, from the byte skip of the first one on, at most WIRE_PAYLOAD_MAX. Returns the bytes
 * appended. */
static __always_inline u32 user_gather(struct scratch *s, u64 iov, u64 segments, u32 skip, u64 size, u32 kind)
{
	u32 start = s->used;
	u32 end = start + (size < WIRE_PAYLOAD_MAX ? size : WIRE_PAYLOAD_MAX);

	for (u32 i = 0; i < SEGMENTS_MAX && i < segments; i++)
		if (user_gather_one(s->handle, iov, i ? i : (u64)skip << 32, end, kind))
			break;
	return s->used - start;
}

#endif
