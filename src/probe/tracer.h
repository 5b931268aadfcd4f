/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who traces a process: once nobody can begin to, it is enough to look once. */
#ifndef KUNAI_PROBE_TRACER_H
#define KUNAI_PROBE_TRACER_H

#include <sys/types.h>

/* The first tracer of any of its threads, 0: there is none; or -errno. */
pid_t tracer_find(pid_t tgid);

#endif
