/* SPDX-License-Identifier: GPL-2.0-or-later */
/* init_module. */
#ifndef KUNAI_BPF_EMIT_MODULE_H
#define KUNAI_BPF_EMIT_MODULE_H

enum {
	MODULE_ARGS_READ = WIRE_MODULE_ARGS_MAX + 2
}; /* with the NUL, and one more byte that tells a longer text */

/* The kernel names a module once its image has been accepted. Takes the name, for the call that is about to return. */
static __always_inline void module_put_name(struct scratch *s, struct slot *slot)
{
	u64 key = bpf_get_current_pid_tgid();
	struct module_name *name = bpf_map_lookup_elem(&loading_modules, &key);

	slot->off = s->used;
	if (!name)
		return;
	slot->len = scratch_put_kernel_str(s, name->text, sizeof(name->text));
	bpf_map_delete_elem(&loading_modules, &key);
}

/* On 5.10 the helper that reads strings returns 0 for an empty one, as scratch_put_user_str() does for none. */
static __always_inline void module_put_args(struct scratch *s, struct slot *slot, const void *args)
{
	char first = 1;

	slot->off = s->used;
	slot->len = scratch_put_user_str(s, args, MODULE_ARGS_READ);
	if (!slot->len && !bpf_probe_read_user(&first, sizeof(first), args) && !first)
		slot->len = scratch_put_kernel(s, &first, sizeof(first));
}

/* file: of finit_module, else NULL. */
static __always_inline void emit_init_module(bool by_file, struct file *file, u64 args, u64 flags, s64 ret)
{
	struct scratch *s =
		record_begin(EVENT_init_module, sizeof(struct wire_init_module), false, current_task());
	if (!s)
		return;
	struct wire_init_module *w = record_fixed(s);
	w->by_file = by_file;
	w->flag_bits = flags;
	w->result = ret;
	w->loaded = ret == 0;
	module_put_name(s, &w->name);
	module_put_args(s, &w->text, (void *)args);
	if (file)
		path_put_file(s, &w->image, file);
	record_submit_at_once(s, EVENT_init_module);
}

#endif
