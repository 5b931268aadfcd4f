/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The process table: who runs what, and who started whom. It owns its entries. An entry outlives its process while
 * descendants live, and for PROCESS_LINGER_NS, because events of dying threads are still on their way.
 */
#ifndef KUNAI_ENRICH_PROCESS_H
#define KUNAI_ENRICH_PROCESS_H

#include <uthash.h>

#include "base/str.h"
#include "base/buf.h"
#include "enrich/container_table.h"
#include "enrich/dns_names.h"
#include "enrich/text.h"
#include "schema/wire.h"

enum {
	PROCESS_MAX = 262144,        /* entries; more processes stay unknown */
	PROCESS_TEXT_MAX = 262144,   /* bytes of one text of an entry: a quoted argv of 128 KiB */
	PROCESS_ANCESTORS_MAX = 256, /* generations shown */
	/*
	 * Bytes of all texts. Long ones cannot take the last quarter, so that who passes huge arguments does not keep
	 * others from being named; lineages, which can be made again, take no more than half.
	 */
	PROCESS_BYTES_MAX = 64 << 20,
	PROCESS_BYTES_LONG = PROCESS_BYTES_MAX / 4 * 3,
	PROCESS_BYTES_LINEAGES = PROCESS_BYTES_MAX / 2,
	PROCESS_TEXT_SHORT = 512,
};

#define PROCESS_LINGER_NS UINT64_C(2000000000)

/* tgid alone is used again by later processes. */
struct process_key {
	uint64_t start; /* boot time of the thread group leader in ns */
	uint32_t tgid;
	uint32_t zero; /* uthash compares bytes */
};

struct process_table;

struct process {
	struct process_table *table;
	struct process_key key;
	struct process_key parent_key; /* the process that created it, whoever took it over since */
	struct process *parent;        /* NULL when it was never known */
	struct process *children, *prev_sibling, *next_sibling;
	struct process *prev_exited, *next_exited; /* of the exited or the kept ones */
	struct process *prev_heavy, *next_heavy;

	/* texts */
	struct str exe;          /* what events show: the script of a script */
	struct str image;        /* what the kernel executes: the interpreter of a script */
	struct str command_line; /* quoted */
	struct str cgroup;
	struct str nodename; /* absent until known */
	struct str lineage;  /* ancestors of its children, made when asked for; of the table's version then */
	uint64_t lineage_version;
	struct container *container; /* a reference; NULL none */
	struct wire_task task;       /* as at its last exec or clone, in the mount namespace it is in */
	struct dns_names names;

	uint64_t exited_at;       /* boot time in ns; 0 while it lives */
	uint64_t mnt_ns;          /* joined; 0 none */
	bool container_by_cgroup; /* what told its type */
	bool names_ready;
	bool expired;    /* kept for its descendants only */
	bool heavy;      /* exited, with a long command line */
	bool reparented; /* another process has taken it over */
	UT_hash_handle hh;
};

/* What the bounds cost. */
struct process_losses {
	uint64_t refused;       /* processes that found the table full of living ones */
	uint64_t evicted;       /* dead ones forgotten early: lineages end there */
	uint64_t texts_refused; /* for which there was no room: absent */
	uint64_t texts_evicted; /* command lines of dead processes */
};

struct process_table {
	struct process *entries;
	struct process *exited; /* oldest first, like the lists below */
	struct process *kept;   /* expired ones with descendants */
	struct process *heavy;
	struct text_store texts;
	uint64_t version;   /* counts changes of those that have children */
	struct buf lineage; /* the last one that was made */
	struct process_losses losses;
};

void process_table_fini(struct process_table *t);

struct process_key process_key_of(const struct wire_task *task);
struct process *process_find(const struct process_table *t, const struct wire_task *task);

/*
 * The entry of a task, made when there is none and linked to its parent. When the table is full the oldest dead one goes;
 * NULL when there is none.
 */
struct process *process_get(struct process_table *t, const struct wire_task *task,
			    const struct wire_task *parent);

/*
 * Replaces a text of the entry by a copy. When the bytes of all texts are at their bound, command lines of dead processes go,
 * oldest first; if that is not enough, or memory is short, the text becomes absent.
 */
void process_set_text(struct process *p, struct str *text, struct str value);

/* A new process runs what its creator runs; not what that was called when it was a script. Shares its texts. */
void process_inherit(struct process *p, const struct process *creator);

/* A new image or a new parent: what it means for the ancestors of all descendants. */
void process_changed(struct process *p);

/* Names the parent of an entry that was made without: a process that only its children told of. */
void process_adopt(struct process_table *t, struct process *p, const struct wire_task *parent);

/* Finds parents for entries that were made before their parent's. */
void process_link_parents(struct process_table *t);

/* Executables of the ancestors, nearest first; returns how many. */
uint32_t process_ancestor_exes(const struct process *p, struct str ret[PROCESS_ANCESTORS_MAX]);

/* Executables of the ancestors, oldest first, joined by |; borrowed until the next change of the table. */
struct str process_ancestors(struct process *p);

void process_exit(struct process_table *t, struct process *p, uint64_t now);

/* Forgets processes that ended PROCESS_LINGER_NS ago and have no descendants. */
void process_expire(struct process_table *t, uint64_t now);

#endif
