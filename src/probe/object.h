/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The BPF objects that the build embeds. */
#ifndef KUNAI_PROBE_OBJECT_H
#define KUNAI_PROBE_OBJECT_H

#include <stdbool.h>

struct bpf_object;

/* Opens the build for this kernel: modern or legacy. */
int object_open_sensor(bool modern, struct bpf_object **ret_object);
int object_open_harden(bool modern, struct bpf_object **ret_object);

#endif
