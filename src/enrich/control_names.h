/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of what is given to prctl(2) and kill(2): static text, or a number in words in the caller's arena. */
#ifndef KUNAI_ENRICH_CONTROL_NAMES_H
#define KUNAI_ENRICH_CONTROL_NAMES_H

#include "base/arena.h"

/* "PR_SET_NAME", or "unknown(N)". Absent when the number is unknown and memory is short. */
struct str prctl_option_name(struct arena *a, uint32_t option);

/* "SIGTERM", "SIGRT0" for the first real-time signal of programs, or "SIG(N)". Absent as above. */
struct str signal_name(struct arena *a, uint32_t number);

#endif
