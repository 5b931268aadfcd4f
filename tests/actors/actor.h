/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the actors share. A case runs in a process of its own, the leader, whose working directory is empty and
 * is deleted afterwards. Everything it does that the sensor reports goes with a fact, so that the judge can
 * demand exactly these events of its process tree.
 */
#ifndef KUNAI_TESTS_ACTOR_H
#define KUNAI_TESTS_ACTOR_H

#include "facts.h"

#include <limits.h>

enum {
	ACTOR_CASES_MAX = 2048,
	ACTOR_STATUS_BROKEN = 99,
};

struct actor_case {
	char name[64];
	void (*run)(const struct actor_case *self);
	int a, b, c; /* the case's place in its matrix */
};

/* Set by the driver before any case runs. */
struct actor_env {
	char bin[PATH_MAX];  /* a directory with copies of the programs: scenario, true */
	char work[PATH_MAX]; /* each case has a directory of its own below it */
	unsigned storm;      /* operations of a storm; 0: no storms */
};

extern struct actor_env actor_env;

/* An address that is never mapped; volatile, so that compilers do not guess. */
extern void *volatile actor_nowhere;

/* printf-like; the name is `group.case`. */
__attribute__((format(printf, 5, 6))) void actor_add(void (*run)(const struct actor_case *self), int a, int b,
						     int c, const char *name, ...);

void actor_add_exec(void);
void actor_add_clones(void);
void actor_add_exits(void);
void actor_add_write_close(void);
void actor_add_file_create(void);
void actor_add_names(void);
void actor_add_accesses(void);
void actor_add_handles(void);
void actor_add_connect(void);
void actor_add_send(void);
void actor_add_dns(void);
void actor_add_isolate(void);
void actor_add_identity(void);
void actor_add_control(void);
void actor_add_others(void);
void actor_add_memory(void);
void actor_add_filter(void);
void actor_add_prog(void);
void actor_add_module(void);
void actor_add_ia32(void);
void actor_add_shell(void);
void actor_add_uring(void);
void actor_add_uring_untold(void);
void actor_add_storm(void);
void actor_add_throttled(void);

/* The exit status. */
int actor_be_refused(void);

/* Ends the case as broken (the test fails) unless the condition holds. */
void actor_must(bool condition, const char *what);

/* Ends the case as skipped: this environment cannot do it. */
__attribute__((noreturn)) void actor_skip(const char *reason);

/* As clone(2) without a stack: the child is told apart by 0. Writes the child's clone fact. */
pid_t actor_clone(unsigned long flags);
pid_t actor_fork(void);
void actor_started(uint64_t flags);

/* What is still to be stated when a process leaves. */
extern void (*actor_before_exit)(void);
/* exit_group(2), with its fact. */
__attribute__((noreturn)) void actor_exit(int code);

/* Waits for a child and demands a voluntary exit with status 0. */
void actor_wait(pid_t pid);

/* An O_RDWR descriptor of a new file. Writes the create fact. */
int actor_file_open(const char *path);

/* A new file with content, closed: create and close facts. */
void actor_file_make(const char *path, const void *data, size_t len, unsigned mode);

/* One request of io_submit(2), of IOCB_CMD_*, to its end. Skips the case where the kernel has none. */
void actor_submit_aio(int fd, unsigned command, void *data, size_t len);

/* path: absolute or below the working directory. */
void actor_fact_path(const char *op, const char *path);
void actor_fact_created(const char *path);
void actor_fact_closed(const char *path, const char *written_by);
/* Accesses that the kernel allowed and that moved no byte: writing, and perhaps reading. */
void actor_fact_moved_nothing(const char *path, bool reading);
void actor_fact_unlinked(const char *path);
void actor_fact_not_unlinked(const char *path);
void actor_fact_renamed(const char *old, const char *new);

/* A child that waits for its end, deaf to all signals that it can ignore. It is ready. lead: it leads a process group;
 * group: it joins this one. */
pid_t actor_deaf_child(bool lead, pid_t group);

/* Sends a signal, with its fact. */
void actor_kill(pid_t pid, int number);
void actor_fact_kill(pid_t pid, int number, bool success);

/* access: as the event names it. */
void actor_fact_access(const char *access, pid_t pid, bool success);

/* Lives for a moment longer: a namespace that ends at once is gone before its files can be asked for names. */
void actor_stay(void);

/* The working directory joined with name. */
const char *actor_path(char *buf, const char *name);

/* Bytes that are reproducible and of middling entropy. */
void actor_fill(void *data, size_t len, unsigned seed);

/* What the program in actor_env.bin does when it was executed by an exec case; 0 when it was not. */
bool actor_report(void);
const char *actor_program(void);

/* Becomes that program; returns only when it cannot. */
void actor_execute(const char *file);
void actor_execute_and_stop(const char *file);
void actor_execute_and_stay(const char *file);

/* Lives before and after the sensor: does its things whenever one of the files appears. */
int actor_linger(const char *name, char **go_files);

/* Start time of the process in clock ticks, from /proc/self/stat; 0 if unknown. */
unsigned long long actor_start_ticks(void);

#endif
