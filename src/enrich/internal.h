/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the enricher share. */
#ifndef KUNAI_ENRICH_INTERNAL_H
#define KUNAI_ENRICH_INTERNAL_H

#include "enrich/community_id.h"
#include "enrich/enricher.h"
#include "enrich/mount_ns.h"
#include "enrich/names.h"
#include "enrich/process.h"
#include "enrich/users.h"

enum { UUID_BATCH = 4096 };

struct enricher {
	struct process_table processes;
	struct mount_ns_table *namespaces;
	struct container_lookups *container_lookups;
	struct container_table *containers;
	struct file_peeker *peeker;
	struct users *users;
	struct hasher *hasher;
	struct exec_files *exec_files;   /* NULL: none are held */
	struct exec_files *closed_files; /* too; while scans of write_close are expected */
	struct file_scans *scans;        /* NULL: no file is scanned */
	uint64_t scan_events;            /* 1 << enum event_type: whose files are held */
	uint32_t held;                   /* by prefetches */
	struct community_id community_id;
	struct dns_names names; /* of all processes */
	struct prog_asker progs;
	struct arena prefetch_arena;
	uint64_t names_seed;
	uint32_t salt; /* of guuids */
	uint32_t host_mnt_ns;
	uint32_t self_tgid;
	kind_UUID host_uuid;
	char host_name[256];
	uint8_t random[UUID_BATCH];
	size_t random_used;
	uint64_t now; /* boot time of the newest event, ns */
	struct names path_names;
	struct enricher_stats stats;
};

/* The process behind the event, NULL when unknown. */
struct process *enrich_process(struct enricher *e, const struct event *event);

/*
 * past_namespaces.c: the record, or a copy of it in the arena in which tasks that have no mount namespace any more have
 * that of their processes; the same for an event; and what a process is in, for that.
 */
const struct wire_header *enrich_with_namespaces(const struct enricher *e, const struct wire_header *head,
						 struct arena *arena);
void enrich_restore_namespaces(const struct enricher *e, struct event *event);
void enrich_note_namespace(struct process *p, const struct wire_task *task);

/* info.c: host, task, parent and the common fields; p: the process behind the event, or NULL. */
void enrich_fill_info(struct enricher *e, struct event *event, struct process *p);

/* Another task that the event is about. */
void enrich_fill_target(struct enricher *e, struct event *event, const struct wire_task *task,
			struct obj_target *ret);

/* What the kernel told of the file. */
struct file_id enrich_file_id(const struct path *path);

/* scan_targets.c */
void enrich_hold_file(struct enricher *e, const struct event *event, const struct path *path, bool is_image,
		      struct file_digest *ret);
void enrich_hold_files(struct enricher *e, const struct event *event, struct prefetch *ret);
void enrich_drop_held(struct enricher *e, struct file_digest *file);

/* exec_events.c: the file that was passed to exec. */
struct path enrich_script_path(const struct event *event, bool *ret_unverified);

/* event_files.c. is_image: the process of the event runs the file. */
void enrich_submit_file(struct enricher *e, const struct event *event, const struct path *path, bool is_image,
			struct file_digest *ret);
void enrich_fill_hashes(struct obj_hashes *ret, struct str path, const struct file_digest *file);

/* exec_events.c; the process is the event's, kept up to date. */
void enrich_exec(struct enricher *e, struct event *event, const struct prefetch *prefetch);
void enrich_clone(struct enricher *e, struct event *event);
void enrich_exit(struct enricher *e, const struct event *event);
void enrich_cgroup_move(struct enricher *e, const struct event *event);
void enrich_seed(struct enricher *e, const struct event *event);
void enrich_prefetch_exec(struct enricher *e, const struct event *event, struct prefetch *ret);

/* Begins to look for the names of the container of this cgroup. */
struct container_lookup *enrich_look_up_container(struct enricher *e, const struct event *event,
						  struct slot cgroup);

/* A second event for one record has an identity of its own. */
void enrich_renew_uuid(struct enricher *e, struct event *event);

/* file_events.c */
void enrich_prefetch_names(struct enricher *e, const struct event *event, struct prefetch *ret);
void enrich_write_close(struct enricher *e, struct event *event, const struct prefetch *prefetch);
void enrich_write(struct enricher *e, struct event *event, const struct prefetch *prefetch);
void enrich_file_unlink(struct enricher *e, struct event *event, const struct prefetch *prefetch);
void enrich_file_rename(struct enricher *e, struct event *event, const struct prefetch *prefetch,
			enricher_emit_fn emit, void *context);

void enrich_throttle(struct event *event);
void enrich_denied(struct event *event);

/* net_events.c */
void enrich_connect(struct enricher *e, struct event *event, struct process *p);
void enrich_send_data(struct enricher *e, struct event *event, struct process *p);
void enrich_dns_query(struct enricher *e, struct event *event, struct process *p, enricher_emit_fn emit,
		      void *context);
/* control_events.c */
void enrich_prctl(struct event *event);
void enrich_kill(struct enricher *e, struct event *event);
void enrich_ptrace(struct enricher *e, struct event *event);

/* memory_events.c */
void enrich_mprotect_exec(struct event *event);
void enrich_mmap_exec(struct event *event, const struct prefetch *prefetch);
void enrich_prefetch_mmap_exec(struct enricher *e, const struct event *event, struct prefetch *ret);
void enrich_fill_socket(const struct event *event, const struct wire_sock *sock, struct obj_socket *ret);

/* bpf_events.c */
void enrich_bpf_prog_load(struct event *event, const struct prefetch *prefetch);
void enrich_bpf_socket_filter(struct event *event, const struct prefetch *prefetch);
void enrich_prefetch_prog(struct enricher *e, const struct event *event, struct prefetch *ret);

/* module_events.c */
void enrich_init_module(struct event *event, const struct prefetch *prefetch);
void enrich_prefetch_init_module(struct enricher *e, const struct event *event, struct prefetch *ret);

/* "EPERM" of what a system call returned; absent when it succeeded. */
struct str enrich_error_name(const struct event *event, uint64_t result);

/* The remote side of a socket, with the name that the process knows it by. */
void enrich_fill_peer(struct enricher *e, const struct event *event, struct process *p,
		      const struct wire_sock *sock, struct obj_peer *ret);

/* uring_events.c */
void enrich_io_uring_sqe(struct enricher *e, struct event *event, struct process *p);

/* Keeps track of which namespace a process lives in. */
void enrich_join_namespace(struct enricher *e, struct process *p, uint64_t mnt_ns);

#endif
