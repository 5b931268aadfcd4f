/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an event to a record on a ring:
 *
 *   record_begin() -> fill record_fixed(), scratch_put_*() -> record_submit_*() or RECORD_DROP()
 *
 * Whatever happens is counted, so that hits = emitted + filtered + throttled + lost + errors.
 */
#ifndef KUNAI_BPF_EMIT_RECORD_H
#define KUNAI_BPF_EMIT_RECORD_H

static __always_inline struct wire_header *record_header(struct scratch *s)
{
	return (struct wire_header *)s->record;
}

static __always_inline void *record_fixed(struct scratch *s)
{
	return s->record + sizeof(struct wire_header);
}

/* Takes a slot, from whose time on the record counts, or NULL. Who wants a large slot gets a small one when both large ones
 * are busy. */
static __always_inline struct scratch *record_take(u32 cpu, bool large, u64 *ret_now)
{
	struct scratch *s = NULL;

	if (large)
		s = slot_take(LARGE | (cpu * LARGE_SLOTS), LARGE_SLOTS);
	if (!s)
		s = slot_take(cpu * SMALL_SLOTS, SMALL_SLOTS);
	if (!s)
		return NULL;

	struct slot_state *state = slot_state(s->handle);
	*ret_now = bpf_ktime_get_boot_ns();
	if (state)
		*(volatile u64 *)&state->busy = *ret_now;
	return s;
}

static __always_inline struct scratch *record_open(u32 type, u32 fixed_size, bool large,
						   struct task_struct *t)
{
	u32 cpu = bpf_get_smp_processor_id();
	u64 now;
	struct scratch *s = record_take(cpu, large, &now);

	if (!s)
		return NULL;
	struct wire_header *head = record_header(s);
	__builtin_memset(s->record, 0, sizeof(*head) + fixed_size);
	head->type = type;
	head->tier = config.trampoline & (1ULL << type) ? TIER_TRAMPOLINE : TIER_TRACEPOINT;
	head->cpu = cpu;
	head->time = now;
	task_fill(&head->task, t);
	task_fill_session(&head->task, t);
	task_fill(&head->parent, TYPED(t, real_parent));
	s->used = sizeof(*head) + fixed_size;
	return s;
}

/* Begins the record of an event that happened. NULL: counted, nothing more to do. */
static __always_inline struct scratch *record_begin(u32 type, u32 fixed_size, bool large,
						    struct task_struct *t)
{
	struct scratch *s;

	COUNT(type, hits);
	if (!wanted(type) || muted(type) || self()) {
		COUNT(type, filtered);
		return NULL;
	}
	s = record_open(type, fixed_size, large, t);
	if (!s)
		COUNT(type, lost);
	return s;
}

static __always_inline void record_drop(struct scratch *s, u32 type, u64 outcome)
{
	count(type, outcome);
	slot_release(s);
}

#define RECORD_DROP(s, type, outcome) record_drop(s, type, __builtin_offsetof(struct wire_counters, outcome))

/* Sends the first size bytes of the record, and frees the slot. False when it was lost. */
static __always_inline bool record_submit(struct scratch *s, u32 type, void *ring, u64 size, u64 wakeup)
{
	record_header(s)->length = size;
	bool sent = bpf_ringbuf_output(ring, s->record, size, wakeup) == 0;

	if (sent)
		COUNT(type, emitted);
	else
		COUNT(type, lost);
	slot_release(s);
	return sent;
}

/* Records wait for the reader's timer, unless the ring fills up. */
static __always_inline u64 wakeup_when(void *ring, u32 bytes)
{
	return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > bytes ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* After its wake-up the reader looks at the rings every other millisecond for a while. */
#define WAKEUP_INTERVAL_NS 1000000

static u64 wakeup_time; /* of the last one */

/* soon: the process may be gone in a moment. */
static __always_inline u64 wakeup_process(struct scratch *s, bool soon)
{
	u64 now = record_header(s)->time;

	if (!soon || now - wakeup_time < WAKEUP_INTERVAL_NS)
		return wakeup_when(&ring_process, config.wakeup_process);
	wakeup_time = now;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void record_submit_process(struct scratch *s, u32 type, bool soon)
{
	u64 wakeup = wakeup_process(s, soon);
	u64 size = s->used;

	OPAQUE(size);
	if (size > RECORD_MASK + ITEM_MAX)
		size = RECORD_MASK + ITEM_MAX;
	record_submit(s, type, &ring_process, size, wakeup);
}

/* For what must be looked at before it is gone. */
static __always_inline void record_submit_at_once(struct scratch *s, u32 type)
{
	u64 size = s->used;

	OPAQUE(size);
	if (size > RECORD_MASK + ITEM_MAX)
		size = RECORD_MASK + ITEM_MAX;
	record_submit(s, type, &ring_other, size, BPF_RB_FORCE_WAKEUP);
}

static __always_inline bool record_submit_other(struct scratch *s, u32 type)
{
	u64 wakeup = wakeup_when(&ring_other, config.wakeup_other);

	/* bounded last: 5.10 forgets the bounds of what clang puts on the stack meanwhile */
	u64 size = s->used;
	OPAQUE(size);
	if (size > RECORD_MASK + ITEM_MAX)
		size = RECORD_MASK + ITEM_MAX;
	return record_submit(s, type, &ring_other, size, wakeup);
}

#endif
