/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eBPF programs by bare bpf(2). Descriptors are the caller's. */
#ifndef KUNAI_TESTS_BPF_H
#define KUNAI_TESTS_BPF_H

#include "actor.h"

#include <linux/bpf.h>

enum { BPF_CODE_MAX = 4096 }; /* bytes of a translated program */

/* What the kernel tells of a program. */
struct bpf_told {
	struct bpf_prog_info info;
	unsigned char code[BPF_CODE_MAX]; /* as the kernel translated it */
};

/* A small program of that type; a kernel that knows no bpf(2) skips the case. */
int bpf_load(enum bpf_prog_type type, const char *name);

void bpf_tell(int fd, struct bpf_told *ret);

/* Adds prog_id, prog_type, prog_tag and prog_name to a fact. */
void bpf_describe(struct fact *fact, const struct bpf_told *told);

#endif
