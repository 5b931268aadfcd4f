/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	HELPERS_MAX = 256,
	IDLE_MS = 2000, /* until the poller sleeps */
	/* CLONE_* of create_io_thread() in kernel/fork.c */
	IO_WORKER = 0x10, /* PF_IO_WORKER of linux/sched.h */
	HELPER_FLAGS = CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_VM | CLONE_UNTRACED,
};
#define HELPER_IO 0x80000000LL /* CLONE_IO */

bool ring_states_helpers = true;

static pid_t helpers[HELPERS_MAX];
static int helper_count;

static bool is_known(pid_t tid)
{
	for (int i = 0; i < helper_count; i++)
		if (helpers[i] == tid)
			return true;
	return false;
}

static void state_helper(pid_t tid)
{
	struct who who = facts_self();
	struct fact fact;

	if (!ring_states_helpers)
		return;
	who.pid = tid;
	facts_begin_for(&fact, "clone", &who);
	facts_number(&fact, "flags", HELPER_FLAGS | HELPER_IO);
	facts_number(&fact, "start_ticks", (long long)actor_start_ticks());
	facts_bool(&fact, "helper", true);
	facts_end(&fact);
	actor_must(helper_count < HELPERS_MAX, "remember a helper");
	helpers[helper_count++] = tid;
}

/*
 * The kernel makes threads for the ring, which are seen like all others: states those that are new. They are
 * told by their flag, which they have from the start; their name comes when they first run.
 */
static void state_helpers(struct ring *ring)
{
	char path[300];
	DIR *dir = opendir("/proc/self/task");

	actor_must(dir, "/proc/self/task");
	for (struct dirent *entry; (entry = readdir(dir));) {
		char comm[32] = "";
		unsigned flags = 0;
		pid_t tid = atoi(entry->d_name);
		FILE *stream;

		snprintf(path, sizeof(path), "/proc/self/task/%s/stat", entry->d_name);
		stream = tid ? fopen(path, "re") : NULL;
		if (!stream)
			continue;
		if (fscanf(stream, "%*d (%31[^)]) %*c %*d %*d %*d %*d %*d %u", comm, &flags) == 2 &&
		    flags & IO_WORKER && !is_known(tid))
			state_helper(tid);
		fclose(stream);
		if (ring && strncmp(comm, "iou-sqp", 7) == 0) {
			ring->poller = facts_self();
			ring->poller.pid = tid;
			snprintf(ring->poller.comm, sizeof(ring->poller.comm), "%s", comm);
		}
	}
	closedir(dir);
}

/* A worker may be made for a request whose result is there already. */
static void state_last_helpers(void)
{
	state_helpers(NULL);
}

static void *map(const struct ring *ring, size_t size, off_t offset)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, offset);

	actor_must(memory != MAP_FAILED, "map the ring");
	return memory;
}

void ring_open(struct ring *ring, bool polled)
{
	struct io_uring_params p = {.flags = polled ? IORING_SETUP_SQPOLL : 0, .sq_thread_idle = IDLE_MS};
	char *sq, *cq;

	memset(ring, 0, sizeof(*ring));
	ring->polled = polled;
	actor_before_exit = state_last_helpers;
	ring->fd = (int)syscall(__NR_io_uring_setup, RING_ENTRIES, &p);
	if (ring->fd < 0 && (errno == ENOSYS || errno == EPERM))
		actor_skip("no io_uring here");
	actor_must(ring->fd >= 0 && fcntl(ring->fd, F_SETFD, FD_CLOEXEC) == 0, "io_uring_setup");
	sq = map(ring, p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	cq = map(ring, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	ring->sqes = map(ring, p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	ring->sq_head = (unsigned *)(sq + p.sq_off.head);
	ring->sq_tail = (unsigned *)(sq + p.sq_off.tail);
	ring->sq_flags = (unsigned *)(sq + p.sq_off.flags);
	ring->sq_index = (unsigned *)(sq + p.sq_off.array);
	ring->sq_mask = *(unsigned *)(sq + p.sq_off.ring_mask);
	ring->cq_head = (unsigned *)(cq + p.cq_off.head);
	ring->cq_tail = (unsigned *)(cq + p.cq_off.tail);
	ring->cq_mask = *(unsigned *)(cq + p.cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	/* the poller takes its name when it first runs */
	for (int tries = 0; tries < 1000; tries++) {
		state_helpers(ring);
		if (!polled || ring->poller.pid)
			return;
		usleep(1000);
	}
	actor_must(false, "the ring's poller is there");
}

struct io_uring_sqe *ring_add(struct ring *ring, unsigned opcode, int fd, const void *address, unsigned len,
			      unsigned long long offset)
{
	unsigned index = ring->tail & ring->sq_mask;
	struct io_uring_sqe *sqe = &ring->sqes[index];

	actor_must(ring->tail - *ring->sq_tail < RING_ENTRIES, "room in the ring");
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = (unsigned char)opcode;
	sqe->fd = fd;
	sqe->addr = (unsigned long)address;
	sqe->len = len;
	sqe->off = offset;
	sqe->user_data = ring->tail - *ring->sq_tail;
	ring->sq_index[index] = index;
	ring->tail++;
	return sqe;
}

static void enter(const struct ring *ring, unsigned submit, unsigned wait)
{
	unsigned flags = wait ? IORING_ENTER_GETEVENTS : 0;
	long status;

	if (ring->polled && __atomic_load_n(ring->sq_flags, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP)
		flags |= IORING_ENTER_SQ_WAKEUP;
	do {
		status = syscall(__NR_io_uring_enter, ring->fd, submit, wait, flags, NULL, 0);
	} while (status < 0 && errno == EINTR);
	actor_must(status >= 0, "io_uring_enter");
}

void ring_submit(struct ring *ring)
{
	unsigned n = ring->tail - *ring->sq_tail;

	for (unsigned i = 0; i < n; i++)
		ring->silent[i] =
			ring->sqes[(*ring->sq_tail + i) & ring->sq_mask].flags & IOSQE_CQE_SKIP_SUCCESS;
	ring->stated = 0;
	__atomic_store_n(ring->sq_tail, ring->tail, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	enter(ring, n, 0);
}

void ring_collect(struct ring *ring, unsigned n)
{
	while (n > 0) {
		unsigned head = *ring->cq_head;

		if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) {
			enter(ring, 0, 1);
			continue;
		}
		const struct io_uring_cqe *cqe = &ring->cqes[head & ring->cq_mask];
		if (cqe->user_data < RING_ENTRIES)
			ring->results[cqe->user_data] = cqe->res;
		__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
		n--;
	}
	state_helpers(NULL);
}

void ring_run(struct ring *ring)
{
	unsigned n = ring->tail - *ring->sq_tail;

	ring_submit(ring);
	ring_collect(ring, n);
}

int ring_do(struct ring *ring)
{
	ring_run(ring);
	return ring->results[0];
}

void ring_fact(struct fact *fact, struct ring *ring, unsigned opcode, const char *name)
{
	if (ring->polled)
		facts_begin_for(fact, "uring", &ring->poller);
	else
		facts_begin(fact, "uring");
	facts_number(fact, "code", opcode);
	facts_string(fact, "name", name);
	if (ring->stated < RING_ENTRIES && !ring->silent[ring->stated])
		facts_number(fact, "result", ring->results[ring->stated]);
	ring->stated++;
}

void ring_fact_plain(struct ring *ring, unsigned opcode, const char *name)
{
	struct fact fact;

	ring_fact(&fact, ring, opcode, name);
	facts_end(&fact);
}

void ring_fact_path(struct ring *ring, unsigned opcode, const char *name, const char *path,
		    const char *new_path)
{
	struct fact fact;

	ring_fact(&fact, ring, opcode, name);
	facts_string(&fact, "path", path);
	if (new_path)
		facts_string(&fact, "new_path", new_path);
	facts_end(&fact);
}

void ring_fact_of(struct fact *fact, const struct ring *ring, const char *op, bool by_helper)
{
	if (ring->polled)
		facts_begin_for(fact, op, &ring->poller);
	else
		facts_begin(fact, op);
	facts_bool(fact, "uring", true);
	facts_bool(fact, "crowded", ring->crowded);
	facts_bool(fact, "by_helper", by_helper);
}

void ring_fact_done(const struct ring *ring, const char *op, bool by_helper, const char *path)
{
	struct fact fact;

	ring_fact_of(&fact, ring, op, by_helper);
	facts_string(&fact, "path", path);
	facts_end(&fact);
}

void ring_fact_unlinked(const struct ring *ring, const char *path, bool untold)
{
	struct fact fact;

	ring_fact_of(&fact, ring, "unlink", false);
	facts_string(&fact, "path", path);
	facts_bool(&fact, "success", true);
	facts_bool(&fact, "untold", untold);
	facts_end(&fact);
}

void ring_fact_renamed(const struct ring *ring, const char *old, const char *new, bool untold)
{
	struct fact fact;

	ring_fact_of(&fact, ring, "rename", false);
	facts_string(&fact, "old", old);
	facts_string(&fact, "new", new);
	facts_bool(&fact, "untold", untold);
	facts_end(&fact);
}

void ring_fact_peer(struct ring *ring, unsigned opcode, const char *name, int fd, const union address *to,
		    size_t size)
{
	struct fact fact;

	ring_fact(&fact, ring, opcode, name);
	sock_describe(&fact, fd, to);
	if (size)
		facts_number(&fact, "size", (long long)size);
	facts_end(&fact);
}

void ring_fact_connected(const struct ring *ring, int fd, const union address *to, bool connected,
			 bool untold)
{
	struct fact fact;

	ring_fact_of(&fact, ring, "connect", true);
	sock_describe(&fact, fd, to);
	facts_bool(&fact, "connected", connected);
	facts_string(&fact, "hostname", "?");
	facts_bool(&fact, "untold", untold);
	facts_end(&fact);
}

void ring_fact_sent(const struct ring *ring, int fd, const union address *to, const void *data, size_t len,
		    bool untold)
{
	struct fact fact;

	ring_fact_of(&fact, ring, "send", true);
	sock_describe(&fact, fd, to);
	facts_number(&fact, "size", (long long)len);
	facts_bytes(&fact, "data", data, len);
	facts_string(&fact, "hostname", "?");
	facts_bool(&fact, "untold", untold);
	facts_end(&fact);
}
