/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hardened mode: programs of the BPF LSM that refuse attempts on the sensor and tell who tried. An object of its own,
 * loaded only when it is asked for; rings, slots and counters are those of the main one. Built twice, as that is.
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "base/config.h"
#include "base/maps.h"
#include "base/read.h"
#include "base/scratch.h"

#include "extract/regs.h"
#include "extract/entry.h"
#include "extract/task.h"
#include "extract/pid.h"
#include "extract/cgroup.h"

#include "emit/record.h"

#include "harden/guard.h"
#include "harden/tasks.h"
#include "harden/cgroups.h"
#include "harden/files.h"
#include "harden/mounts.h"
#include "harden/syscalls.h"

char LICENSE[] SEC("license") = "GPL";
