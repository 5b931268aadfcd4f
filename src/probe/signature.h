/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a tracepoint hands to its programs differs between kernels; their BTF tells. */
#ifndef KUNAI_PROBE_SIGNATURE_H
#define KUNAI_PROBE_SIGNATURE_H

struct signature {
	int arguments;
	int pointers; /* how many of them, from the first one on, are pointers */
};

/* -ENOENT: the kernel has no such tracepoint. Loads the kernel's BTF: some milliseconds. */
int signature_read(const char *tracepoint, struct signature *ret);

#endif
