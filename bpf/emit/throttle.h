/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * max_eps_fs: how many file events a second a CPU may send, and a task two thirds of that. Process and network events, and
 * those of files below /etc, are never left out. An event that is over the limit is counted as throttled; the first one
 * of a second is told.
 */
#ifndef KUNAI_BPF_EMIT_THROTTLE_H
#define KUNAI_BPF_EMIT_THROTTLE_H

enum { SECOND_SHIFT = 32 };
#define NS_PER_SECOND 1000000000ULL

/* One more in this second. A cell is the second and its count. */
static __always_inline u64 rate_count(u64 *cell, u64 second)
{
	u64 old = *(volatile u64 *)cell;
#if KUNAI_MODERN
	/* who comes between counts, so that each number is had once */
	if (old >> SECOND_SHIFT != second)
		__sync_val_compare_and_swap(cell, old, second << SECOND_SHIFT);
	return (u32)__sync_fetch_and_add(cell, 1) + 1;
#else
	if (old >> SECOND_SHIFT != second)
		old = second << SECOND_SHIFT;
	*(volatile u64 *)cell = ++old;
	return (u32)old;
#endif
}

static __always_inline u64 *rate_of_task(u32 cpu)
{
	u64 key = bpf_get_current_pid_tgid() << 32 | cpu;
	u64 none = 0;
	u64 *cell = bpf_map_lookup_elem(&task_file_rates, &key);

	if (cell)
		return cell;
	bpf_map_update_elem(&task_file_rates, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&task_file_rates, &key);
}

static __always_inline void emit_throttle(u32 code)
{
	struct scratch *s = record_begin(EVENT_throttle, sizeof(struct wire_throttle), false, current_task());
	if (!s)
		return;
	struct wire_throttle *w = record_fixed(s);
	w->code = code;
	record_submit_other(s, EVENT_throttle);
}

/* What a task has left out does not count for the CPU. A global function: many programs enter it. */
__noinline int throttle_refuses(u32 cpu)
{
	u64 second = bpf_ktime_get_boot_ns() / NS_PER_SECOND;
	u64 limit = config.files_limit_task;
	u32 code = ERROR_THROTTLE_TASK;
	u64 *cell = rate_of_task(cpu);
	u64 n = cell ? rate_count(cell, second) : 0;

	if (n < limit) {
		limit = config.files_limit;
		code = ERROR_THROTTLE_ALL;
		cell = bpf_map_lookup_elem(&file_rates, &cpu);
		n = cell ? rate_count(cell, second) : 0;
	}
	if (n == limit)
		emit_throttle(code);
	return n >= limit;
}

/* A file event that happened is left out; it is counted then. */
static __always_inline bool is_throttled(u32 type)
{
	if (!config.files_limit || !wanted(type) || muted(type) || self() ||
	    !throttle_refuses(bpf_get_smp_processor_id()))
		return false;
	COUNT(type, hits);
	COUNT(type, throttled);
	return true;
}

/* record_begin() of a file event. */
static __always_inline struct scratch *record_begin_file(u32 type, u32 fixed_size, struct task_struct *t)
{
	return is_throttled(type) ? NULL : record_begin(type, fixed_size, false, t);
}

#endif
