/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Facts about the running kernel that are found by trying them. */
#ifndef KUNAI_PROBE_LEARN_H
#define KUNAI_PROBE_LEARN_H

#include <stdbool.h>
#include <stdint.h>

struct kernel_facts {
	uint64_t fput_func;  /* callback of a deferred last fput(); 0 if unknown */
	bool close_is_final; /* close(2) frees the file at once: nothing is left to see when it returns */
};

/* -errno when the trial could not be made. */
int learn_kernel_facts(struct kernel_facts *ret);

#endif
