/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Facts: one JSON object a line on FACTS_FD, saying what an actor just did, so that the judge compares facts
 * and assumes nothing. A fact lives on its writer's stack and owns nothing; facts_end() is one write(2).
 *
 * Every fact starts with case, op, pid (thread), tgid, ppid, comm and ns (CLOCK_BOOTTIME); those of the writer
 * itself go on with uid, gid, user, group, nodename and mnt (its mount namespace, 0 if unknown). Bytes that are
 * not plain ASCII are {"hex":"..."}.
 */
#ifndef KUNAI_TESTS_FACTS_H
#define KUNAI_TESTS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	FACTS_FD = 200, /* inherited by everything an actor starts */
	/* 128 KiB, the longest argument, as hex and some room. It lives on the stack, whose limit is 8 MiB. */
	FACTS_MAX = 320 * 1024,
};

struct fact {
	size_t len;
	char text[FACTS_MAX];
};

/* Whom a fact is about. */
struct who {
	pid_t pid;
	pid_t tgid;
	pid_t ppid;
	char comm[16];
};

/* The name of the running case; borrowed. */
extern const char *facts_case;

/* In a user namespace: the ids outside are those inside and this. */
extern unsigned facts_id_base;

/* The controlling terminal, as the sensor names it; NULL: not stated. */
extern const char *facts_tty;

uint64_t facts_boottime(void);

/* Looks the caller's ids up again, in the files of its mount namespace. */
void facts_refresh_names(void);

struct who facts_self(void);

/* About the calling thread, or about another task that cannot speak for itself. */
void facts_begin(struct fact *fact, const char *op);
void facts_begin_for(struct fact *fact, const char *op, const struct who *who);
void facts_string(struct fact *fact, const char *key, const char *value);
void facts_bytes(struct fact *fact, const char *key, const void *data, size_t len);
void facts_number(struct fact *fact, const char *key, long long value);
void facts_bool(struct fact *fact, const char *key, bool value);
void facts_end(struct fact *fact);

#endif
