/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_unlink and file_rename of io_uring requests. The names are there when the kernel takes the request, the result when
 * it has ended: meanwhile the record is held, by the request's address. A request that ends untold leaves its record; it
 * is sent, marked as unconfirmed, when the kernel uses that memory for another request. What cannot be held is sent at
 * once, marked like that.
 */
#ifndef KUNAI_BPF_EMIT_HELD_H
#define KUNAI_BPF_EMIT_HELD_H

/* Both records begin alike: the first path. wire_file_rename is the larger one. */
_Static_assert(__builtin_offsetof(struct wire_file_rename, old) == 0 &&
		       __builtin_offsetof(struct wire_file_rename, new) == sizeof(struct wire_path) &&
		       __builtin_offsetof(struct wire_file_unlink, path) == 0,
	       "paths come first");

__noinline int held_put_name(u32 handle, u64 name, s32 dir, u32 second)
{
	struct scratch *s = scratch_of(handle);

	if (!s)
		return 0;
	struct wire_file_rename *w = record_fixed(s);
	path_put_kernel_name(s, second ? &w->new : &w->old, current_task(), dir, name);
	return 0;
}

/* Counts it, and sends the record that stands in s. */
static __always_inline void held_submit(struct scratch *s, u32 type, bool success, u8 via)
{
	struct wire_header *head = record_header(s);

	if (is_throttled(type)) {
		slot_release(s);
		return;
	}
	COUNT(type, hits);
	head->via |= via;
	if (type == EVENT_file_unlink) {
		struct wire_file_unlink *w = record_fixed(s);
		w->success = success;
	}
	record_submit_other(s, type);
}

/* What was held of the request, if anything. */
__noinline int held_send(u64 request, u32 success, u32 via)
{
	struct held_record *held = bpf_map_lookup_elem(&held_records, &request);
	u32 cpu = bpf_get_smp_processor_id();
	u32 type;
	u64 now;

	if (!held)
		return 0;
	type = ((struct wire_header *)held->bytes)->type == EVENT_file_rename ? EVENT_file_rename
									      : EVENT_file_unlink;
	struct scratch *s = record_take(cpu, false, &now);
	if (s) {
		struct wire_header *head = record_header(s);
		bpf_probe_read_kernel(s->record, HELD_SIZE, held->bytes);
		head->cpu = cpu;
		head->time = now;
		s->used = head->length;
		held_submit(s, type, success, via);
	} else {
		COUNT(type, hits);
		COUNT(type, lost);
	}
	bpf_map_delete_elem(&held_records, &request);
	return 0;
}

static __always_inline void held_drop(u64 request)
{
	bpf_map_delete_elem(&held_records, &request);
}

/* told: the end of the request will be. */
static __always_inline void held_begin(u64 request, u32 type, const struct uring_names *names, u64 flags,
				       bool told)
{
	struct scratch *s = record_open(type, sizeof(struct wire_file_rename), false, current_task());

	if (!s) {
		COUNT(type, hits);
		COUNT(type, lost);
		return;
	}
	record_header(s)->via = VIA_URING;
	held_put_name(s->handle, names->name, names->dir, false);
	if (type == EVENT_file_rename) {
		struct wire_file_rename *w = record_fixed(s);
		held_put_name(s->handle, names->new_name, names->new_dir, true);
		w->flags = flags;
	}
	record_header(s)->length = s->used;
	if (told && s->used <= HELD_SIZE && !bpf_map_update_elem(&held_records, &request, s->record, BPF_ANY))
		slot_release(s);
	else
		held_submit(s, type, true, VIA_UNCONFIRMED);
}

#endif
