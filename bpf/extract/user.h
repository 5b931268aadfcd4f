/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buffers that a program passed to a system call. */
#ifndef KUNAI_BPF_EXTRACT_USER_H
#define KUNAI_BPF_EXTRACT_USER_H

enum { SEGMENTS_MAX = 128 };

struct user_iovec {
	u64 base;
	u64 len;
};

/* struct user_msghdr of include/linux/socket.h */
struct user_msghdr {
	u64 name;
	u32 name_len;
	u32 reserved;
	struct user_iovec *iov;
	u64 iov_len;
	u64 control;
	u64 control_len;
	u32 flags;
	u32 reserved_too;
};

struct user_mmsghdr {
	struct user_msghdr header;
	u32 len;
	u32 reserved;
};

/* Appends the first size bytes of the segments, at most WIRE_PAYLOAD_MAX. Returns the bytes appended. The offset
 * lives in memory, so that the verifier sees each round of the loop begin alike. */
__noinline int user_gather(u32 handle, u64 iov, u64 segments, u64 size)
{
	struct scratch *s = scratch_of(handle);
	if (!s)
		return 0;

	u32 start = s->used;
	u32 end = start + (size < WIRE_PAYLOAD_MAX ? size : WIRE_PAYLOAD_MAX);
	struct user_iovec v;

	for (u32 i = 0; i < SEGMENTS_MAX; i++) {
		u32 off = *(volatile u32 *)&s->used;
		if (i >= segments || off >= end || off > RECORD_MASK)
			break;
		if (bpf_probe_read_user(&v, sizeof(v), (void *)(iov + i * sizeof(v))))
			break;
		u64 n = v.len < end - off ? v.len : end - off;
		OPAQUE(n);
		if (n > WIRE_PAYLOAD_MAX)
			break;
		OPAQUE(off);
		off &= RECORD_MASK;
		if (bpf_probe_read_user(s->record + off, n, (void *)v.base))
			break;
		s->used = off + n;
	}
	return s->used - start;
}

#endif
