/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The buffer of a message in the kernel's hands. Functions move through it as they copy: when they return it stands at its
 * end, so its beginning is found by going back over what was copied.
 */
#ifndef KUNAI_BPF_EXTRACT_ITER_H
#define KUNAI_BPF_EXTRACT_ITER_H

enum { ITER_DIRECTION = 1 }; /* in iov_iter.type */

static __always_inline u64 iter_segment(struct iov_iter *iter)
{
	struct iov_iter___iov *named = (void *)iter;

	if (bpf_core_field_exists(named->iov))
		return (u64)BPF_CORE_READ(named, iov);
	return (u64)BPF_CORE_READ(iter, __iov);
}

static __always_inline u32 iter_type(struct iov_iter *iter)
{
	struct iov_iter___type *typed = (void *)iter;

	if (bpf_core_field_exists(typed->type))
		return BPF_CORE_READ(typed, type) & ~ITER_DIRECTION;
	return BPF_CORE_READ(iter, iter_type);
}

/* One buffer of user memory, since 6.0. */
static __always_inline bool iter_is_flat(u32 type)
{
	return bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
	       type == bpf_core_enum_value(enum iter_type, ITER_UBUF);
}

#define ITER_LOST (~0ULL)

/*
 * Where the message of done bytes begins that ends at the byte offset of a segment (struct iovec of the kernel): how many
 * segments before it << 32 | byte of that one, ITER_LOST when that is too far away. A function of its own: what follows
 * is not verified anew for each way out of the loop.
 */
__noinline u64 iter_rewind(u64 segment, u64 offset, u64 done)
{
	struct user_iovec v;

	if (done <= offset)
		return (offset - done) >> 32 ? ITER_LOST : offset - done;
	done -= offset;
	for (u64 i = 1; i < SEGMENTS_MAX; i++) {
		if (bpf_probe_read_kernel(&v, sizeof(v), (void *)(segment - i * sizeof(v))))
			return ITER_LOST;
		if (done <= v.len)
			return (v.len - done) >> 32 ? ITER_LOST : i << 32 | (v.len - done);
		done -= v.len;
	}
	return ITER_LOST;
}

#endif
