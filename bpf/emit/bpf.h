/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf_prog_load, bpf_socket_filter. */
#ifndef KUNAI_BPF_EMIT_BPF_H
#define KUNAI_BPF_EMIT_BPF_H

enum { PROG_STRING_MAX = 512 };

static __always_inline void prog_put_str(struct scratch *s, struct slot *slot, const void *from, u32 max)
{
	slot->off = s->used;
	slot->len = from ? scratch_put_kernel_str(s, from, max) : 0;
}

static __always_inline void prog_put_loaded(struct scratch *s, struct wire_bpf_prog_load *w,
					    struct bpf_prog *prog)
{
	struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);

	w->instructions = BPF_CORE_READ(prog, len);
	w->type_number = BPF_CORE_READ(prog, type);
	bpf_core_read(&w->tag_bytes, sizeof(w->tag_bytes), &prog->tag);
	w->id = BPF_CORE_READ(aux, id);
	if (bpf_core_field_exists(aux->verified_insns))
		w->verified = BPF_CORE_READ(aux, verified_insns);
	prog_put_str(s, &w->func, BPF_CORE_READ(aux, attach_func_name), PROG_STRING_MAX);
	prog_put_str(s, &w->prog_name, (void *)aux + bpf_core_field_offset(aux->name), sizeof(aux->name));
	prog_put_str(s, &w->symbol, (void *)aux + bpf_core_field_offset(aux->ksym.name), PROG_STRING_MAX);
}

/* The beginning of union bpf_attr, which is the same for 32-bit programs. A shorter one ends in zeros. */
struct user_prog_attr {
	u32 type;
	u32 instructions;
	u64 code, license;
	u32 log_level, log_size;
	u64 log;
	u32 version, flags;
	char name[16];
};

static __always_inline void prog_put_refused(struct scratch *s, struct wire_bpf_prog_load *w, u64 attr,
					     u32 size)
{
	struct user_prog_attr a = {};

	w->user = true;
	OPAQUE(size);
	if (size > sizeof(a))
		size = sizeof(a);
	if (bpf_probe_read_user(&a, size, (void *)attr))
		return;
	w->type_number = a.type;
	w->instructions = a.instructions;
	prog_put_str(s, &w->prog_name, a.name, sizeof(a.name));
}

static __always_inline void emit_bpf_prog_load(u64 attr, u32 size, s64 ret)
{
	struct scratch *s =
		record_begin(EVENT_bpf_prog_load, sizeof(struct wire_bpf_prog_load), false, current_task());
	if (!s)
		return;
	struct wire_bpf_prog_load *w = record_fixed(s);
	struct bpf_prog *prog = ret < 0 ? NULL : bpf_prog_of_fd(ret);
	w->result = ret;
	w->loaded = ret >= 0;
	if (prog)
		prog_put_loaded(s, w, prog);
	else
		prog_put_refused(s, w, attr, size); /* or another thread has put another file there */
	record_submit_at_once(s, EVENT_bpf_prog_load);
}

static __always_inline bool option_is_classic(u64 option)
{
	return option == SO_ATTACH_FILTER || option == SO_ATTACH_REUSEPORT_CBPF;
}

static __always_inline void filter_put_ebpf(struct scratch *s, struct wire_bpf_socket_filter *w,
					    struct bpf_prog *prog)
{
	struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);

	w->instructions = BPF_CORE_READ(prog, len);
	w->ebpf_type = BPF_CORE_READ(prog, type);
	bpf_core_read(&w->ebpf_tag, sizeof(w->ebpf_tag), &prog->tag);
	w->ebpf_id = BPF_CORE_READ(aux, id);
	w->ebpf_name.off = s->used;
	w->ebpf_name.len =
		scratch_put_kernel_str(s, (void *)aux + bpf_core_field_offset(aux->name), sizeof(aux->name));
}

/* What the socket has now. */
static __always_inline void filter_put_attached(struct scratch *s, struct wire_bpf_socket_filter *w,
						struct sock *sk)
{
	bool reuseport =
		w->option_number == SO_ATTACH_REUSEPORT_CBPF || w->option_number == SO_ATTACH_REUSEPORT_EBPF;
	struct bpf_prog *prog =
		reuseport ? BPF_CORE_READ(sk, sk_reuseport_cb, prog) : BPF_CORE_READ(sk, sk_filter, prog);

	if (!prog)
		return;
	if (!option_is_classic(w->option_number)) {
		filter_put_ebpf(s, w, prog);
		return;
	}
	w->instructions = BPF_CORE_READ(prog, orig_prog, len);
	code_put(s, &w->code, (u64)BPF_CORE_READ(prog, orig_prog, filter), w->instructions * INSTRUCTION_SIZE,
		 false);
}

/* What the kernel refused is left in user memory only. */
static __always_inline void filter_put_refused(struct scratch *s, struct wire_bpf_socket_filter *w, u64 value)
{
	struct user_fprog program = {};
	u32 fd = 0;

	w->user = true;
	if (!option_is_classic(w->option_number)) {
		struct bpf_prog *prog = NULL;
		if (!bpf_probe_read_user(&fd, sizeof(fd), (void *)value))
			prog = bpf_prog_of_fd(fd);
		if (prog)
			filter_put_ebpf(s, w, prog);
		return;
	}
	if (!user_fprog_read(&program, value, syscall_is_compat(current_task())))
		return;
	w->instructions = program.len;
	code_put(s, &w->code, program.filter, w->instructions * INSTRUCTION_SIZE, true);
}

static __always_inline void emit_bpf_socket_filter(struct sock *sk, u64 option, u64 value, s64 ret)
{
	struct scratch *s = record_begin(EVENT_bpf_socket_filter, sizeof(struct wire_bpf_socket_filter),
					 false, current_task());
	if (!s)
		return;
	struct wire_bpf_socket_filter *w = record_fixed(s);
	sock_fill_kind(&w->sock, sk);
	w->option_number = option;
	w->result = ret;
	w->attached = ret == 0;
	if (ret == 0)
		filter_put_attached(s, w, sk);
	else
		filter_put_refused(s, w, value);
	record_submit_at_once(s, EVENT_bpf_socket_filter);
}

#endif
