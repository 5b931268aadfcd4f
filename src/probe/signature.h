/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a tracepoint hands to its programs differs between kernels; their BTF tells. */
#ifndef KUNAI_PROBE_SIGNATURE_H
#define KUNAI_PROBE_SIGNATURE_H

struct btf;

struct signature {
	int arguments;
	int pointers; /* how many of them, from the first one on, are pointers */
};

/* btf: the kernel's, or NULL. -ENOENT: it has no such tracepoint. */
int signature_read(const struct btf *btf, const char *tracepoint, struct signature *ret);

#endif
