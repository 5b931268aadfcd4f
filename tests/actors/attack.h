/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attacks on a hardened sensor: attack.def lists them. Each runs in a process of its own and returns an errno. */
#ifndef KUNAI_ACTORS_ATTACK_H
#define KUNAI_ACTORS_ATTACK_H

#include <sys/types.h>

/* Whom, and what it has. Strings of the command line. */
struct target {
	pid_t pid;
	const char *binary, *config, *log, *run_dir, *group;
};

extern struct target target;

#define ATTACK(name, function, code, trait) int attack_##function(void);
#include "attack.def"
#undef ATTACK

/* The configuration, open for writing since before the sensor started. */
enum { ATTACK_HELD_FD = 8 };

/* The errno of a call that returned n. */
int attack_result(long n);

/* One of two static buffers. */
const char *attack_join(const char *directory, const char *name);

int attack_open(const char *path, int flags);
int attack_write(const char *path, const char *text);

/* A real-time task that leaves nothing of that processor to others, for so long. */
int attack_occupy(int cpu, int seconds);

/* Its exit status. */
int attack_trace_program(char **argv);

/* A file of a control group beside the sensor's own, which is made for it. A static buffer. */
const char *attack_other_group(const char *name);

/* Tries those of that name and prints what came of it. */
void attack_report(const char *name);

/* What main() says of these. Exit statuses. */
int attack_terminal(const char *log, char **argv);
int attack_silence(pid_t pid);

#endif
