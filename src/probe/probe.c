/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/probe.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "probe/internal.h"

static void raise_memlock(void)
{
	/* Before 5.11 maps are charged to this limit; afterwards it does not matter. */
	struct rlimit infinity = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &infinity);
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

	err = load_programs(p);
	if (err) {
		buf_printf(ret_message, "cannot load the BPF programs: %s", strerror(-err));
		goto fail;
	}
	err = learn_kernel_facts(p->object, &p->facts);
	if (err) {
		buf_printf(ret_message, "the kernel refuses to attach BPF tracing programs: %s",
			   strerror(-err));
		goto fail;
	}
	err = attach_fill_tables(p);
	if (!err)
		err = reader_open(p);
	if (err) {
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
	free(p->links);
	free(p->missed_before);
	reader_close(p);
	bpf_object__close(p->object);
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

const char *probe_skipped(const struct probe *p)
{
	return p->skipped.len ? p->skipped.p : "";
}
