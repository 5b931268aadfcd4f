/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eBPF programs by bare bpf(2), with the facts about them. Descriptors are the caller's. */
#ifndef KUNAI_TESTS_BPF_H
#define KUNAI_TESTS_BPF_H

#include "actor.h"

#include <linux/bpf.h>

enum { BPF_CODE_MAX = 65536 }; /* bytes of a translated program */

/* What the kernel tells of a program. */
struct bpf_told {
	struct bpf_prog_info info;
	unsigned char code[BPF_CODE_MAX]; /* as the kernel translated it */
};

/* bpf(2), by whichever door. */
typedef long (*bpf_call)(int command, union bpf_attr *attr, unsigned size);
long bpf_native(int command, union bpf_attr *attr, unsigned size);

/* A program that returns 1, of that type. */
union bpf_attr bpf_attr_of(enum bpf_prog_type type, const char *name);

/* Loads it, states that and waits until it has been looked at. A kernel that knows no bpf(2) skips the case. */
int bpf_load(bpf_call call, union bpf_attr *attr, const char *attached_func);

/* The same for a program that the kernel refuses; errno as it left it. */
void bpf_load_refused(bpf_call call, union bpf_attr *attr, unsigned size);

void bpf_tell(int fd, struct bpf_told *ret);

/* Adds prog_id, prog_type, prog_tag, prog_name and the code to a fact. */
void bpf_describe(struct fact *fact, const struct bpf_told *told);

#endif
