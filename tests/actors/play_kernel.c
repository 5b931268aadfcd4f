/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "play.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* bpf TYPE [NAME]: a program that returns 1. */
void do_bpf(struct step *s)
{
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = (unsigned)atoi(s->words[1]),
		.license = (uintptr_t) "GPL",
		.insns = (uintptr_t)code,
		.insn_cnt = 2,
	};

	if (s->count > 2)
		snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", s->words[2]);
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		play_fail("load bpf", s->words[1]);
	usleep(20000);
	close(fd);
}

/* module FILE ARGUMENTS */
void do_module(struct step *s)
{
	do_have(s);
	int fd = open(s->words[1], O_RDONLY | O_CLOEXEC);
	if (syscall(SYS_finit_module, fd, s->count > 2 ? s->words[2] : "", 0) < 0)
		play_fail("load", s->words[1]);
	close(fd);
}

static void submit(int fd, const struct io_uring_params *p, const struct io_uring_sqe *request)
{
	char *ring = mmap(NULL, p->sq_off.array + p->sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQ_RING);
	struct io_uring_sqe *entries = mmap(NULL, p->sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQES);

	if (ring == MAP_FAILED || entries == MAP_FAILED) {
		play_fail("map", "a ring");
		return;
	}
	entries[0] = *request;
	*(unsigned *)(ring + p->sq_off.array) = 0;
	__atomic_store_n((unsigned *)(ring + p->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		play_fail("enter", "a ring");
}

/* uring OPCODE [FILE] */
void do_uring(struct step *s)
{
	struct io_uring_params p = {0};
	struct io_uring_sqe request = {.opcode = (unsigned char)atoi(s->words[1]), .fd = AT_FDCWD};
	struct peer peer = play_peer_of("192.0.2.44", "4444");

	if (request.opcode == IORING_OP_CONNECT) {
		request.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		request.addr = (uintptr_t)&peer.address;
		request.off = peer.len;
	} else if (s->count > 2) {
		request.addr = (uintptr_t)s->words[2];
	}
	int fd = (int)syscall(SYS_io_uring_setup, 4, &p);
	if (fd < 0) {
		play_fail("make", "a ring");
		return;
	}
	submit(fd, &p, &request);
	close(fd);
}
