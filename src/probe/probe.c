/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/probe.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bpf/base/config.h"
#include "event/catalogue.h"
#include "probe/internal.h"

static void raise_memlock(void)
{
	/* Before 5.11 maps are charged to this limit; afterwards it does not matter. */
	struct rlimit infinity = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &infinity);
}

static void unload(struct probe *p)
{
	probe_detach(p);
	free(p->links);
	free(p->missed_before);
	p->links = NULL;
	p->missed_before = NULL;
	bpf_object__close(p->object);
	p->object = NULL;
}

/* Loads all programs, and attaches those of the trampoline tier. -EAGAIN: some cannot be. */
static int load_and_try(struct probe *p, struct buf *ret_message)
{
	p->links = calloc(hook_count * TURN_ENTRIES + 1, sizeof(*p->links));
	p->missed_before = calloc(hook_count, sizeof(*p->missed_before));
	if (!p->links || !p->missed_before)
		return -ENOMEM;

	int err = load_programs(p);
	if (err) {
		buf_printf(ret_message, "cannot load the BPF programs: %s", strerror(-err));
		return err;
	}
	err = learn_kernel_facts(p->object, &p->facts);
	if (err) {
		buf_printf(ret_message, "the kernel refuses to attach BPF tracing programs: %s",
			   strerror(-err));
		return err;
	}
	err = attach_fill_tables(p);
	if (!err)
		err = attach_trampolines(p);
	if (err == -EAGAIN)
		unload(p);
	return err;
}

static int refuse_fallbacks(const struct probe *p, struct buf *ret_message)
{
	if (p->options.tier != PROBE_TIER_TRAMPOLINE || p->options.force)
		return 0;
	for (int i = 0; i < EVENT_COUNT; i++) {
		if (!*p->fallbacks[i])
			continue;
		buf_printf(
			ret_message, "%s%.*s: %s",
			ret_message->len
				? "; "
				: "not every event can be on a trampoline, and --force-load is not given: ",
			STR_ARG(event_catalogue[i].name), p->fallbacks[i]);
	}
	return ret_message->len ? -EOPNOTSUPP : 0;
}

int probe_open(const struct probe_options *options, struct probe **ret, struct buf *ret_message)
{
	struct probe *p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;

	p->options = *options;
	raise_memlock();
	int cpus = libbpf_num_possible_cpus();
	int err = cpus < 0 ? cpus : 0;
	if (err)
		goto fail;
	p->cpus = (uint32_t)cpus;

	p->btf = btf__load_vmlinux_btf();
	err = tier_choose(p, ret_message);
	if (!err)
		err = refuse_fallbacks(p, ret_message);
	if (err)
		goto fail;
	/* each further time with fewer events on the trampoline tier */
	do
		err = load_and_try(p, ret_message);
	while (err == -EAGAIN);
	btf__free(p->btf);
	p->btf = NULL;
	if (!err)
		err = refuse_fallbacks(p, ret_message);
	if (!err)
		err = reader_open(p);
	if (err) {
		if (!ret_message->len)
			buf_printf(ret_message, "cannot set up the BPF maps: %s", strerror(-err));
		goto fail;
	}
	*ret = p;
	return 0;
fail:
	probe_close(p);
	return err;
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
	probe_detach(p);
	reader_close(p);
	unload(p);
	btf__free(p->btf);
	free(p->targets);
	buf_fini(&p->skipped);
	free(p);
}

const char *probe_facts(const struct probe *p)
{
	static const char *const texts[2][2] = {
		{"close waits, tracepoints are not preempted", "close waits, tracepoints are preempted"},
		{"close is final, tracepoints are not preempted",
		 "close is final, tracepoints are preempted"},
	};

	return texts[p->facts.close_is_final][p->facts.preemptible];
}

uint64_t probe_trampoline(const struct probe *p)
{
	return p->trampoline;
}

const char *probe_fallback(const struct probe *p, int event)
{
	return p->fallbacks[event];
}

const char *probe_no_trampolines(const struct probe *p)
{
	return p->no_trampolines;
}

const char *probe_skipped(const struct probe *p)
{
	return p->skipped.len ? p->skipped.p : "";
}
