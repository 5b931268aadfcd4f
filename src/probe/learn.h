/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Facts about the running kernel that are found by trying them. */
#ifndef KUNAI_PROBE_LEARN_H
#define KUNAI_PROBE_LEARN_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_object;

struct kernel_facts {
	bool close_is_final; /* close(2) frees a file at once, so that nothing is left to see when it returns */
	bool preemptible;    /* a tracepoint's programs can be preempted: see turns.h of the kernel side */
};

/*
 * With the loaded programs, none of them attached yet. Tells them, besides, the callback of a deferred last fput().
 * -errno when it could not be tried.
 */
int learn_kernel_facts(struct bpf_object *object, struct kernel_facts *ret);

#endif
