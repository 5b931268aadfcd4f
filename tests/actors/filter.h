/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Classic filters on sockets, and the facts about them. */
#ifndef KUNAI_TESTS_FILTER_H
#define KUNAI_TESTS_FILTER_H

#include "actor.h"

#include <linux/filter.h>

enum { FILTER_INSTRUCTIONS_MAX = 4096 }; /* BPF_MAXINSNS */

/* A valid program of that many instructions, in memory that the next one uses again. */
struct sock_fprog filter_program(unsigned instructions);

/* States an attempt to attach it; what the call returned and errno are as it left them. */
void filter_fact(int fd, int option, const struct sock_fprog *program, int result);

#endif
