/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/base/config.h"
#include "probe/internal.h"

enum { CLAIM_SPINS = 1000000 };

/* The pages of a BPF_F_MMAPABLE array, read only. */
static const void *map_memory(const struct probe *p, const char *name, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, bpf_map__fd(load_find_map(p, name)), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static size_t page_round(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

static int on_record(void *context, void *record, size_t len)
{
	struct probe *p = context;

	return p->fn(p->context, record, len);
}

static int map_positions(const struct probe *p, const char *name, struct ring_positions *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = bpf_map__fd(load_find_map(p, name));
	void *consumer = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	void *producer = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);

	ret->consumer = consumer == MAP_FAILED ? NULL : consumer;
	ret->producer = producer == MAP_FAILED ? NULL : producer;
	return ret->consumer && ret->producer ? 0 : -errno;
}

/* The one variable of the kernel side that changes while it runs. */
static int map_muted(struct probe *p)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = bpf_map__fd(load_find_map(p, ".data.muted"));
	void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	p->muted = memory == MAP_FAILED ? NULL : memory;
	return p->muted ? 0 : -errno;
}

bool probe_mute(struct probe *p, uint64_t events)
{
	bool changed = *p->muted != p->mute;

	p->mute = events & p->options.mutable;
	*p->muted = p->mute;
	return changed;
}

int reader_open(struct probe *p)
{
	p->rings = ring_buffer__new(bpf_map__fd(load_find_map(p, "ring_process")), on_record, p, NULL);
	if (!p->rings)
		return -errno;
	int err = ring_buffer__add(p->rings, bpf_map__fd(load_find_map(p, "ring_other")), on_record, p);
	if (!err)
		err = map_positions(p, "ring_process", &p->positions[0]);
	if (!err)
		err = map_positions(p, "ring_other", &p->positions[1]);
	if (err)
		return err;

	p->slots_size = page_round(sizeof(uint64_t) * p->cpus * CPU_SLOTS);
	p->slots = map_memory(p, "slots", p->slots_size);
	p->counters_size = page_round(sizeof(struct wire_counters) * p->cpus * EVENT_COUNT);
	p->counters = map_memory(p, "counters", p->counters_size);
	if (!p->slots || !p->counters)
		return -errno;
	return map_muted(p);
}

static void unmap_positions(struct probe *p)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (int i = 0; i < RINGS; i++) {
		if (p->positions[i].consumer)
			munmap((void *)p->positions[i].consumer, page);
		if (p->positions[i].producer)
			munmap((void *)p->positions[i].producer, page);
	}
}

void reader_close(struct probe *p)
{
	ring_buffer__free(p->rings);
	unmap_positions(p);
	if (p->slots)
		munmap((void *)p->slots, p->slots_size);
	if (p->counters)
		munmap((void *)p->counters, p->counters_size);
	if (p->muted)
		munmap((void *)p->muted, (size_t)sysconf(_SC_PAGESIZE));
}

int probe_fd(const struct probe *p)
{
	return ring_buffer__epoll_fd(p->rings);
}

int probe_read(struct probe *p, probe_record_fn fn, void *context)
{
	uint64_t there[RINGS];

	for (int i = 0; i < RINGS; i++)
		there[i] = __atomic_load_n(p->positions[i].producer, __ATOMIC_ACQUIRE);
	p->fn = fn;
	p->context = context;
	int n = ring_buffer__consume(p->rings);
	p->blocked = false;
	for (int i = 0; i < RINGS; i++)
		p->blocked =
			p->blocked || __atomic_load_n(p->positions[i].consumer, __ATOMIC_ACQUIRE) < there[i];
	return n;
}

bool probe_is_blocked(const struct probe *p)
{
	return p->blocked;
}

uint64_t probe_oldest_busy(const struct probe *p)
{
	uint64_t oldest = UINT64_MAX;

	for (size_t i = 0; i < p->cpus * CPU_SLOTS; i++) {
		uint64_t busy = __atomic_load_n(&p->slots[i], __ATOMIC_ACQUIRE);
		/* claimed, and about to take the time: a few instructions, unless it was preempted right there */
		for (int spin = 0; busy == SLOT_CLAIMED && spin < CLAIM_SPINS; spin++)
			busy = __atomic_load_n(&p->slots[i], __ATOMIC_ACQUIRE);
		if (busy && busy < oldest)
			oldest = busy;
	}
	return oldest;
}

void probe_counters(const struct probe *p, struct wire_counters ret[EVENT_COUNT])
{
	enum { COLUMNS = sizeof(struct wire_counters) / sizeof(uint64_t) };
	uint64_t *sums = (uint64_t *)ret;

	memset(ret, 0, sizeof(*ret) * EVENT_COUNT);
	for (size_t cpu = 0; cpu < p->cpus; cpu++) {
		const volatile uint64_t *row = (const volatile uint64_t *)(p->counters + cpu * EVENT_COUNT);
		for (size_t i = 0; i < EVENT_COUNT * COLUMNS; i++)
			sums[i] += row[i];
	}
}
