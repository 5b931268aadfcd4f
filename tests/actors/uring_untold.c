/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests whose end the kernel does not tell. */
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Requests that succeed in silence. What they open is not seen to be new. */
static void do_silently(struct ring *ring, struct io_uring_sqe *sqe)
{
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS | IOSQE_IO_LINK;
	ring_add(ring, IORING_OP_NOP, -1, NULL, 0, 0)->user_data = 1;
	ring_submit(ring);
	ring_collect(ring, 1);
	if (ring->results[0] == -EINVAL)
		actor_skip("no silent requests in this kernel");
	actor_must(ring->results[1] == 0, "a silent request");
}

static void silent(const struct actor_case *self)
{
	char data[257], file[PATH_MAX], other[PATH_MAX], opened[PATH_MAX];
	union address address;
	struct ring ring;
	int client;

	sock_isolate();
	sock_listen("127.0.0.1", SOCK_STREAM, 0, &address);
	client = sock_open("127.0.0.1", SOCK_STREAM);
	actor_fill(data, sizeof(data), 5);
	actor_must(mknod("file", S_IFREG | 0600, 0) == 0, "mknod");
	actor_path(file, "file");
	actor_path(other, "other");
	actor_path(opened, "opened");
	ring_open(&ring, self->c);
	ring.results[0] = 0;
	do_silently(&ring, ring_add(&ring, IORING_OP_RENAMEAT, AT_FDCWD, file, (unsigned)AT_FDCWD,
				    (unsigned long)other));
	ring_fact_path(&ring, RING_OP(RENAMEAT), file, other);
	ring_fact_plain(&ring, RING_OP(NOP));
	ring_fact_renamed(&ring, file, other, true);
	do_silently(&ring, ring_add(&ring, IORING_OP_UNLINKAT, AT_FDCWD, other, 0, 0));
	ring_fact_path(&ring, RING_OP(UNLINKAT), other, NULL);
	ring_fact_plain(&ring, RING_OP(NOP));
	ring_fact_unlinked(&ring, other, true);
	do_silently(&ring, ring_add(&ring, IORING_OP_CONNECT, client, &address, 0, sock_length(&address)));
	ring_fact_peer(&ring, RING_OP(CONNECT), client, &address, 0);
	ring_fact_plain(&ring, RING_OP(NOP));
	ring_fact_connected(&ring, client, &address, true, true);
	do_silently(&ring, ring_add(&ring, IORING_OP_SEND, client, data, sizeof(data), 0));
	ring_fact_peer(&ring, RING_OP(SEND), client, &address, sizeof(data));
	ring_fact_plain(&ring, RING_OP(NOP));
	ring_fact_sent(&ring, client, &address, data, sizeof(data), true);
	struct io_uring_sqe *open = ring_add(&ring, IORING_OP_OPENAT, AT_FDCWD, opened, 0644, 0);
	open->open_flags = O_RDWR | O_CREAT;
	do_silently(&ring, open);
	ring_fact_path(&ring, RING_OP(OPENAT), opened, NULL);
	ring_fact_plain(&ring, RING_OP(NOP));
	close(client);
}

enum {
	RESULTS = 2 * RING_ENTRIES, /* that the ring's queue has room for */
	ENDED_US = 200000,
};

static void add_nops(struct ring *ring, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ring_add(ring, IORING_OP_NOP, -1, NULL, 0, 0);
}

static void state_nops(struct ring *ring, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ring_fact_plain(ring, RING_OP(NOP));
}

/* Nobody takes the results of what went before: the queue is full when these requests end. */
static void crowded(const struct actor_case *self)
{
	char opened[PATH_MAX];
	union address address;
	struct ring ring;

	sock_isolate();
	sock_listen("127.0.0.1", SOCK_DGRAM, 0, &address);
	int client = sock_open("127.0.0.1", SOCK_DGRAM);
	actor_path(opened, "opened");
	ring_open(&ring, self->c);
	for (int i = 0; i < RESULTS / RING_ENTRIES; i++) {
		add_nops(&ring, RING_ENTRIES);
		ring_submit(&ring);
		state_nops(&ring, RING_ENTRIES);
	}
	ring_add(&ring, IORING_OP_CONNECT, client, &address, 0, sock_length(&address));
	ring_add(&ring, IORING_OP_OPENAT, AT_FDCWD, opened, 0644, 0)->open_flags = O_RDWR | O_CREAT;
	ring_submit(&ring);
	/* a thread of the kernel opens the file; when that is done, its result must find the queue full as well */
	for (int tries = 0; tries < 1000 && access(opened, F_OK); tries++)
		usleep(1000);
	usleep(ENDED_US);
	ring_collect(&ring, RESULTS + 2);
	actor_must(!ring.results[0] && ring.results[1] >= 0, "connect and open");
	ring_fact_peer(&ring, RING_OP(CONNECT), client, &address, 0);
	ring_fact_path(&ring, RING_OP(OPENAT), opened, NULL);
	ring.crowded = true;
	ring_fact_connected(&ring, client, &address, true, false);
	ring_fact_done(&ring, "create", true, opened);
	close(client);
}

void actor_add_uring_untold(void)
{
	actor_add(silent, 0, 0, false, "io_uring.silent");
	actor_add(silent, 0, 0, true, "io_uring.silent.polled");
	actor_add(crowded, 0, 0, false, "io_uring.crowded");
}
