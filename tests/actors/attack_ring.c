/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attacks by requests to an io_uring: other ways to the same places in the kernel, some in threads of its own. */
#define _GNU_SOURCE
#include "attack.h"
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { OP_FTRUNCATE = 55 }; /* 6.9 */

static struct ring ring;

static void open_ring(bool polled)
{
	ring_states_helpers = false;
	ring_open(&ring, polled);
}

static int run_request(void)
{
	int result = ring_do(&ring);

	return result < 0 ? -result : 0;
}

/* at_once: by the caller if that is possible; else a worker does it. */
static int ring_write(int fd, const char *text, size_t len, bool polled, bool at_once)
{
	open_ring(polled);
	struct io_uring_sqe *sqe = ring_add(&ring, IORING_OP_WRITE, fd, text, (unsigned)len, 0);
	sqe->flags = at_once ? 0 : IOSQE_ASYNC;
	return run_request();
}

int attack_ring_write(void)
{
	return ring_write(ATTACK_HELD_FD, "x", 1, false, true);
}
int attack_ring_write_worker(void)
{
	return ring_write(ATTACK_HELD_FD, "x", 1, false, false);
}
int attack_ring_write_polled(void)
{
	return ring_write(ATTACK_HELD_FD, "x", 1, true, true);
}

int attack_ring_allocate(void)
{
	open_ring(false);
	ring_add(&ring, IORING_OP_FALLOCATE, ATTACK_HELD_FD, (void *)1UL, 0, 0);
	return run_request();
}

int attack_ring_truncate(void)
{
	open_ring(false);
	ring_add(&ring, OP_FTRUNCATE, ATTACK_HELD_FD, NULL, 0, 0);
	int err = run_request();
	return err == EINVAL ? ENOENT : err;
}

int attack_ring_open(void)
{
	open_ring(false);
	struct io_uring_sqe *sqe = ring_add(&ring, IORING_OP_OPENAT, AT_FDCWD, target.config, 0, 0);
	sqe->open_flags = O_WRONLY;
	return run_request();
}

int attack_ring_delete(void)
{
	open_ring(false);
	ring_add(&ring, IORING_OP_UNLINKAT, AT_FDCWD, target.log, 0, 0);
	return run_request();
}

int attack_ring_rename(void)
{
	static char to[520];

	snprintf(to, sizeof(to), "%s.old", target.config);
	open_ring(false);
	ring_add(&ring, IORING_OP_RENAMEAT, AT_FDCWD, target.config, (unsigned)AT_FDCWD, (unsigned long)to);
	return run_request();
}

static int ring_move(bool at_once)
{
	char number[32];
	int fd = open(attack_other_group("cgroup.procs"), O_WRONLY);

	if (fd < 0)
		return errno;
	int len = snprintf(number, sizeof(number), "%d", target.pid);
	return ring_write(fd, number, (size_t)len, false, at_once);
}

int attack_ring_move(void)
{
	return ring_move(true);
}
int attack_ring_move_worker(void)
{
	return ring_move(false);
}
