/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Facts about the running kernel that are found by trying them. */
#ifndef KUNAI_PROBE_LEARN_H
#define KUNAI_PROBE_LEARN_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_object;

/*
 * With the loaded programs, none of them attached yet: tells them the callback of a deferred last fput(), and whether
 * close(2) frees a file at once, so that nothing is left to see when it returns. -errno when it could not be tried.
 */
int learn_kernel_facts(struct bpf_object *object, bool *ret_close_is_final);

#endif
