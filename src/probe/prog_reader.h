/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The helper that reads loaded BPF programs: a child process that keeps CAP_SYS_ADMIN, which the kernel demands for it, and
 * no other capability, and does nothing but answer the requests of event/prog_message.h.
 */
#ifndef KUNAI_PROBE_PROG_READER_H
#define KUNAI_PROBE_PROG_READER_H

#include "base/helper.h"

/* Forks: to be called before there are threads. fd is for requests and answers. -errno, and then *ret is not open. */
int prog_reader_open(struct helper *ret);

#endif
