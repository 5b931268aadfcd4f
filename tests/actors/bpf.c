/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bpf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attr, unsigned size)
{
	return syscall(SYS_bpf, command, attr, size);
}

int bpf_load(enum bpf_prog_type type, const char *name)
{
	/* what programs are charged to before 5.11 */
	const struct rlimit infinity = {RLIM_INFINITY, RLIM_INFINITY};
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = type,
		.insn_cnt = sizeof(code) / sizeof(*code),
		.insns = (uintptr_t)code,
		.license = (uintptr_t) "GPL",
	};

	setrlimit(RLIMIT_MEMLOCK, &infinity);
	strncpy(attr.prog_name, name, sizeof(attr.prog_name) - 1);
	long fd = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0 && errno == ENOSYS)
		actor_skip("no bpf(2) here");
	actor_must(fd >= 0, "load a BPF program");
	return (int)fd;
}

void bpf_tell(int fd, struct bpf_told *ret)
{
	union bpf_attr attr = {.info = {.bpf_fd = (unsigned)fd, .info_len = sizeof(ret->info)}};

	memset(ret, 0, sizeof(*ret));
	ret->info.xlated_prog_len = sizeof(ret->code);
	ret->info.xlated_prog_insns = (uintptr_t)ret->code;
	attr.info.info = (uintptr_t)&ret->info;
	actor_must(bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) == 0, "ask for the program");
}

void bpf_describe(struct fact *fact, const struct bpf_told *told)
{
	char tag[2 * sizeof(told->info.tag) + 1];

	for (size_t i = 0; i < sizeof(told->info.tag); i++)
		snprintf(tag + 2 * i, 3, "%02x", told->info.tag[i]);
	facts_number(fact, "prog_id", told->info.id);
	facts_number(fact, "prog_type", told->info.type);
	facts_string(fact, "prog_tag", tag);
	facts_string(fact, "prog_name", told->info.name);
}
