/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small io_uring with facts. The ring is the caller's memory; a case has one, or one after the other. */
#ifndef KUNAI_TESTS_RING_H
#define KUNAI_TESTS_RING_H

#include "sock.h"

#include <linux/io_uring.h>

enum { RING_ENTRIES = 64 };

#ifndef IOSQE_CQE_SKIP_SUCCESS
#define IOSQE_CQE_SKIP_SUCCESS (1U << 6)
#endif

struct ring {
	int fd;
	bool crowded;      /* results find no room in its queue */
	bool polled;       /* a thread of the kernel takes the requests */
	struct who poller; /* that thread */
	unsigned *sq_head, *sq_tail, *sq_flags, *sq_index, sq_mask;
	unsigned tail; /* with what was added and not yet handed over */
	unsigned *cq_head, *cq_tail, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	int results[RING_ENTRIES]; /* of the last ring_run(), by user_data */
	bool silent[RING_ENTRIES]; /* these say nothing when they succeed */
	unsigned stated;           /* facts since then: they are stated in the order of the requests */
};

/* Whether threads that the kernel makes for rings are stated; not in a process that nobody judges. */
extern bool ring_states_helpers;

/* Skips the case where there is no io_uring. */
void ring_open(struct ring *ring, bool polled);

/* The next free entry, zeroed but for these; its user_data is its number since the last ring_run(). */
struct io_uring_sqe *ring_add(struct ring *ring, unsigned opcode, int fd, const void *address, unsigned len,
			      unsigned long long offset);

/* Hands over what was added. */
void ring_submit(struct ring *ring);
/* Waits for n results and takes them. */
void ring_collect(struct ring *ring, unsigned n);
/* Both, for all that was added. */
void ring_run(struct ring *ring);
/* For a single request: its result. */
int ring_do(struct ring *ring);

/* The number and name of an operation. */
#define RING_OP(name) IORING_OP_##name, "IORING_OP_" #name

/* Begins the fact of an ordinary event that a request caused. by_helper: some thread of the kernel did it. */
void ring_fact_of(struct fact *fact, const struct ring *ring, const char *op, bool by_helper);
/* The same for one that is all path: create. */
void ring_fact_done(const struct ring *ring, const char *op, bool by_helper, const char *path);

/* Begins the fact that the ring was given a request: the next one of the last ring_run(). */
void ring_fact(struct fact *fact, struct ring *ring, unsigned opcode, const char *name);
void ring_fact_plain(struct ring *ring, unsigned opcode, const char *name);
void ring_fact_path(struct ring *ring, unsigned opcode, const char *name, const char *path,
		    const char *new_path);

/* Facts of what it caused. untold: it asked for silence. */
void ring_fact_unlinked(const struct ring *ring, const char *path, bool untold);
void ring_fact_renamed(const struct ring *ring, const char *old, const char *new, bool untold);
void ring_fact_peer(struct ring *ring, unsigned opcode, const char *name, int fd, const union address *to,
		    size_t size);
void ring_fact_connected(const struct ring *ring, int fd, const union address *to, bool connected,
			 bool untold);
void ring_fact_sent(const struct ring *ring, int fd, const union address *to, const void *data, size_t len,
		    bool untold);

#endif
