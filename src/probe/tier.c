/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which events the trampoline tier serves: those whose functions this kernel has and lets programs be attached to. What
 * can be asked beforehand is asked here; what only loading and attaching tells is taken back by tier_refuse().
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/schema.h"
#include "probe/internal.h"

enum { ID_MAPPED_ARGUMENTS = 4 }; /* of vfs_unlink, since 5.12 (6521f8917082) */

#define TRIAL_FUNCTION "vfs_truncate"

void tier_refuse(struct probe *p, const struct hook *hook, const char *why)
{
	uint64_t events = hook->events & p->trampoline;

	for (int i = 0; i < EVENT_COUNT; i++)
		if (events & (1ULL << i))
			snprintf(p->fallbacks[i], sizeof(p->fallbacks[i]), "%s, %s",
				 *p->targets[hook - hooks] ? p->targets[hook - hooks] : hook->name, why);
	p->trampoline &= ~hook->events;
}

/* What the kernel calls the function of a hook: something before its name. NULL: there is none on this architecture. */
static const char *prefix_of(const struct hook *hook)
{
#ifdef __x86_64__
	static const char *const prefixes[] = {"__x64_sys_", "__ia32_compat_sys_", "__ia32_sys_"};
#else
	static const char *const prefixes[] = {"__arm64_sys_", "__arm64_compat_sys_", NULL};
#endif

	return hook->traits & NATIVE_CALL   ? prefixes[0]
	       : hook->traits & COMPAT_CALL ? prefixes[1]
	       : hook->traits & IA32_CALL   ? prefixes[2]
					    : "";
}

/* What a newer kernel calls the same function. */
static const char *newer_name(const char *function)
{
	return strcmp(function, "do_filp_open") == 0 ? "do_file_open" /* 7.0 */ : NULL;
}

/* Its id in the kernel's BTF; 0: there is none. */
static uint32_t find_function(const struct probe *p, const char *name)
{
	int id = btf__find_by_name_kind(p->btf, name, BTF_KIND_FUNC);

	return id > 0 && !words_contain(p->options.without, ',', name) ? (uint32_t)id : 0;
}

static uint32_t find_target(struct probe *p, const struct hook *hook)
{
	uint32_t id = 0;
	char *target = p->targets[hook - hooks];
	const char *prefix = prefix_of(hook);
	const char *newer = newer_name(hook->name);

	if (prefix) {
		snprintf(target, NAME_MAX_LEN, "%s%s", prefix, hook->name);
		id = find_function(p, target);
	}
	if (!id && newer) {
		snprintf(target, NAME_MAX_LEN, "%s", newer);
		id = find_function(p, newer);
	}
	if (!id)
		*target = '\0';
	return id;
}

static uint32_t count_arguments(const struct btf *btf, const char *function)
{
	int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	t = t ? btf__type_by_id(btf, t->type) : NULL;
	return t && btf_is_func_proto(t) ? btf_vlen(t) : 0;
}

/* The smallest program of the kind for that function, by its id. Returns a descriptor. */
static int load_trial(uint32_t function, enum bpf_attach_type kind)
{
	const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = kind, .attach_btf_id = function);

	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "kunai_trial", "GPL", nothing,
			     sizeof(nothing) / sizeof(*nothing), &options);
}

/* Loaded and attached: some kernels load what they refuse to attach. */
static bool kernel_has_trampolines(const struct btf *btf)
{
	int function = btf__find_by_name_kind(btf, TRIAL_FUNCTION, BTF_KIND_FUNC);
	int program = function > 0 ? load_trial((uint32_t)function, BPF_TRACE_FENTRY) : -ENOENT;
	int link = program < 0 ? -1 : bpf_raw_tracepoint_open(NULL, program);
	bool attached = link >= 0;
	if (attached)
		close(link);
	if (program >= 0)
		close(program);
	return attached;
}

/* What is refused here costs next to nothing; a hook's own program that is refused costs loading all the others anew. */
static bool can_be_hooked(uint32_t function, const struct hook *hook)
{
	int program = load_trial(function, hook->traits & AT_ENTRY ? BPF_TRACE_FENTRY : BPF_TRACE_FEXIT);
	if (program < 0)
		return false;
	close(program);
	return true;
}

static uint64_t served_events(void)
{
	uint64_t events = 0;

	for (size_t i = 0; i < hook_count; i++)
		if (hooks[i].traits & TRAMPOLINE_KINDS)
			events |= hooks[i].events;
	return events;
}

/* Why no program can be there; NULL: it can. */
static const char *why_not(struct probe *p, const struct hook *hook)
{
	uint32_t function = find_target(p, hook);

	/* a kernel without 32-bit programs has no functions for their calls */
	if (!function)
		return hook->traits & (FUNCTION | NATIVE_CALL) ? "this kernel has no such function" : NULL;
	return can_be_hooked(function, hook) ? NULL : "the kernel allows no program there";
}

static void find_targets(struct probe *p)
{
	for (size_t i = 0; i < hook_count; i++) {
		const struct hook *hook = &hooks[i];
		if (!(hook->traits & TRAMPOLINE_KINDS) || !(hook->events & p->trampoline))
			continue;
		const char *why = why_not(p, hook);
		if (why)
			tier_refuse(p, hook, why);
	}
}

int tier_choose(struct probe *p, struct buf *ret_message)
{
	p->targets = calloc(hook_count, sizeof(*p->targets));
	if (!p->targets)
		return -ENOMEM;
	if (p->options.tier == PROBE_TIER_TRACEPOINT) {
		p->no_trampolines = "the configured tier is tracepoint";
		return 0;
	}
	if (p->btf && kernel_has_trampolines(p->btf)) {
		p->id_mapped = count_arguments(p->btf, "vfs_unlink") == ID_MAPPED_ARGUMENTS;
		p->trampoline = served_events() & p->options.wanted;
		find_targets(p);
		return 0;
	}
	if (p->options.tier == PROBE_TIER_TRAMPOLINE && !p->options.force) {
		buf_printf(ret_message,
			   "this kernel refuses trampolines (fentry, fexit), which --tier=trampoline "
			   "asks for: leave it out, or go on without them with --force-load");
		return -EOPNOTSUPP;
	}
	p->no_trampolines = "this kernel refuses them";
	return 0;
}
