/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of a probe share: load.c chooses and loads the programs, attach.c puts them on their hooks, reader.c reads
 * what they write, snapshot.c asks for the processes that exist. The probe owns all that its members point to.
 */
#ifndef KUNAI_PROBE_INTERNAL_H
#define KUNAI_PROBE_INTERNAL_H

#include "probe/hooks.h"
#include "probe/learn.h"
#include "probe/probe.h"

enum {
	RINGS = 2,
	NAME_MAX_LEN = 64, /* of a program or map */
};

/* The positions of a ring, as the kernel and libbpf keep them in its first pages. */
struct ring_positions {
	const volatile uint64_t *consumer, *producer;
};

struct probe {
	struct probe_options options;
	uint32_t cpus;
	bool modern;
	bool pending_alone; /* the kernel refuses tail calls in a program that calls functions */
	bool uring_request_known;
	uint32_t uring_request; /* which argument of io_uring_submit_sqe is the request */
	bool uring_told_known;
	bool uring_told; /* the second argument of io_uring_complete is the request */
	struct btf *btf; /* the kernel's, until the programs are loaded; NULL: it has none */
	struct bpf_object *object;
	uint64_t trampoline; /* events, by enum event_type, that the trampoline tier serves */
	uint32_t id_mapped;
	char (*targets)[NAME_MAX_LEN]; /* by hook: the kernel's function */
	const char *no_trampolines;    /* why no event is on that tier, NULL otherwise */
	struct buf skipped;
	char fallbacks[EVENT_COUNT][2 * NAME_MAX_LEN]; /* why an event is not on that tier; "" */
	struct kernel_facts facts;
	struct bpf_link **links;
	size_t link_count;
	uint64_t *missed_before; /* by hook, until all were attached */
	struct ring_buffer *rings;
	struct ring_positions positions[RINGS];
	bool blocked;
	const volatile uint64_t *slots;
	size_t slots_size;
	const struct wire_counters *counters;
	volatile uint64_t *muted; /* the kernel side's variable */
	uint64_t mute;            /* what it was set to */
	size_t counters_size;
	probe_record_fn fn;
	void *context;
};

/* Loads the programs that the options ask for; one that the kernel refuses is left out and named in p->skipped. */
int load_programs(struct probe *p);
/* Of the events, those that are wanted and that the tracepoint tier serves. */
bool load_wants(const struct probe *p, uint64_t events);
bool load_wants_hook(const struct probe *p, const struct hook *hook);
/* The hook of a program or of an entry, NULL for other programs. */
const struct hook *load_find_hook(const char *program);
struct bpf_map *load_find_map(const struct probe *p, const char *name);
void load_skip_program(struct probe *p, const char *name);
bool load_was_refused(const struct probe *p, const char *name);

/* The tail calls of the loaded programs, by syscall number. */
int attach_fill_tables(struct probe *p);

/* Chooses the events of the trampoline tier by what this kernel has; see tier.c. */
int tier_choose(struct probe *p, struct buf *ret_message);
/* The hook was refused: its events go to the tracepoint tier. */
void tier_refuse(struct probe *p, const struct hook *hook, const char *why);

/* Attaches the trampoline tier. -EAGAIN: some events had to go to the other one, and the programs must be loaded anew. */
int attach_trampolines(struct probe *p);

int reader_open(struct probe *p);
void reader_close(struct probe *p);

#endif
