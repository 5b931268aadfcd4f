/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scratch memory in which a record is built, and the counters of what became of it. A hook can be preempted, or
 * interrupted by another one, so a slot of the CPU's scratch is claimed and released.
 */
#ifndef KUNAI_BPF_BASE_SCRATCH_H
#define KUNAI_BPF_BASE_SCRATCH_H

const volatile struct bpf_config config SEC(".rodata.config");
const volatile u16 call_accesses[2 * CALL_NUMBERS] SEC(".rodata.calls");
struct bpf_facts facts;
u64 muted_events SEC(".data.muted"); /* user space writes it when rules change; may name any event */

enum { LARGE = 1u << 31 }; /* handle of a large slot */

#define COUNT(event, outcome) count(event, __builtin_offsetof(struct wire_counters, outcome))

static __always_inline void count(u32 type, u64 outcome)
{
	u32 key = bpf_get_smp_processor_id() * EVENT_COUNT + type;
	struct wire_counters *row = bpf_map_lookup_elem(&counters, &key);
	if (row)
		__sync_fetch_and_add((u64 *)((void *)row + outcome), 1);
}

static __always_inline bool wanted(u32 type)
{
	return config.wanted & (1ULL << type);
}

static __always_inline u64 hash_mix(u64 hash, u64 word)
{
	/* an odd constant of 64 well-mixed bits: 2^64 divided by the golden ratio */
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* No rule asks for it now. */
static __always_inline bool muted(u32 type)
{
	return config.mutable & (1ULL << type) && muted_events & (1ULL << type);
}

/* For an event of which there is no room to remember the beginning. */
#define COUNT_LOST(event)           \
	do {                        \
		COUNT(event, hits); \
		COUNT(event, lost); \
	} while (0)

/* Which tier serves the event is known at load: what is for the other one only is not even verified. */
static __always_inline bool by_tracepoint(u32 type)
{
	return config.wanted & ~config.trampoline & (1ULL << type);
}

static __always_inline bool by_trampoline(u32 type)
{
	return config.trampoline & (1ULL << type);
}

/* io_uring requests are seen at their own hooks on both tiers. how: WRITTEN_URING for what one of them did. */
static __always_inline bool by_tracepoint_or_uring(u32 type, u32 how)
{
	return how & WRITTEN_URING ? wanted(type) : by_tracepoint(type);
}

static __always_inline bool self(void)
{
	return bpf_get_current_pid_tgid() >> 32 == config.self_tgid;
}

/* The same for the current task when it is at hand: two loads where they are typed. */
static __always_inline bool is_self(struct task_struct *t)
{
#if KUNAI_MODERN
	return t->tgid == config.self_tgid;
#else
	return self();
#endif
}

static __always_inline struct slot_state *slot_state(u32 handle)
{
	u32 slot = handle & ~LARGE;
	u32 key;

	if (handle & LARGE)
		key = slot / LARGE_SLOTS * CPU_SLOTS + SMALL_SLOTS + slot % LARGE_SLOTS;
	else
		key = slot / SMALL_SLOTS * CPU_SLOTS + slot % SMALL_SLOTS;
	return bpf_map_lookup_elem(&slots, &key);
}

static __always_inline struct scratch *scratch_of(u32 handle)
{
	u32 slot = handle & ~LARGE;

	if (handle & LARGE)
		return bpf_map_lookup_elem(&scratch_large, &slot);
	return bpf_map_lookup_elem(&scratch_small, &slot);
}

/* Only for handles of large slots: a pointer with max_args more bytes behind it. */
static __always_inline struct scratch *scratch_of_large(u32 handle)
{
	u32 slot = handle & ~LARGE;

	return bpf_map_lookup_elem(&scratch_large, &slot);
}

static __always_inline bool slot_claim(struct slot_state *state)
{
#if KUNAI_MODERN
	return __sync_val_compare_and_swap(&state->busy, 0, SLOT_CLAIMED) == 0;
#else
	/* Programs of these kernels are not preempted: only an interrupt can come between, and it is done before
	 * we go on. */
	if (state->busy)
		return false;
	/* atomic for its barrier: the clock is read after it */
	__sync_fetch_and_add(&state->busy, SLOT_CLAIMED);
	return true;
#endif
}

static __always_inline struct scratch *slot_take(u32 first, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		u32 handle = first + i;
		struct slot_state *state = slot_state(handle);
		if (!state || !slot_claim(state))
			continue;
		struct scratch *s = scratch_of(handle);
		if (!s) {
			state->busy = 0;
			return NULL;
		}
		s->handle = handle;
		return s;
	}
	return NULL;
}

static __always_inline void slot_release(struct scratch *s)
{
	struct slot_state *state = slot_state(s->handle);
	if (state)
		*(volatile u64 *)&state->busy = 0;
}

/* Appending to the record. The offset is masked although it was compared: 5.10 forgets the bounds of what clang puts on
 * the stack in between. Each returns the bytes appended, 0 for none. */
#define SCRATCH_ROOM(s, off)   \
	u32 off = (s)->used;   \
	if (off > RECORD_MASK) \
		return 0;      \
	OPAQUE(off);           \
	off &= RECORD_MASK

/* A string of the kernel with its NUL. */
static __always_inline u32 scratch_put_kernel_str(struct scratch *s, const void *from, u32 max)
{
	SCRATCH_ROOM(s, off);
	long n = bpf_probe_read_kernel_str(s->record + off, max, from);
	if (n <= 0)
		return 0;
	s->used = off + n;
	return n;
}

static __always_inline u32 scratch_put_user_str(struct scratch *s, const void *from, u32 max)
{
	SCRATCH_ROOM(s, off);
	long n = bpf_probe_read_user_str(s->record + off, max, from);
	if (n <= 0)
		return 0;
	s->used = off + n;
	return n;
}

/* len <= ITEM_MAX */
static __always_inline u32 scratch_put_kernel(struct scratch *s, const void *from, u64 len)
{
	SCRATCH_ROOM(s, off);
	OPAQUE(len);
	if (len > ITEM_MAX)
		len = ITEM_MAX;
	if (bpf_probe_read_kernel(s->record + off, len, from))
		return 0;
	s->used = off + len;
	return len;
}

/* len <= ITEM_MAX */
static __always_inline u32 scratch_put_user(struct scratch *s, const void *from, u64 len)
{
	SCRATCH_ROOM(s, off);
	OPAQUE(len);
	if (len > ITEM_MAX)
		len = ITEM_MAX;
	if (bpf_probe_read_user(s->record + off, len, from))
		return 0;
	s->used = off + len;
	return len;
}

#endif
