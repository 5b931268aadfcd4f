/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel side: raw tracepoints with BTF and trampolines, no kprobes. Layers, each uses only those above. What is loaded of
 * it is for the sensor to choose: docs/tiers.md.
 * Built twice: KUNAI_MODERN=1 needs atomics that return a value, a typed current task and bpf_task_pt_regs (5.15).
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
#include "extract/signal.h"
#include "extract/file.h"
#include "extract/path.h"
#include "extract/name.h"
#include "extract/cgroup.h"
#include "extract/sock.h"
#include "extract/bpf.h"
#include "extract/user.h"
#include "extract/iter.h"
#include "extract/memory.h"
#include "extract/uring.h"

#include "emit/record.h"
#include "emit/throttle.h"
#include "emit/process.h"
#include "emit/file.h"
#include "emit/access.h"
#include "emit/net.h"
#include "emit/control.h"
#include "emit/memory.h"
#include "emit/bpf.h"
#include "emit/module.h"
#include "emit/held.h"
#include "emit/uring.h"

#include "tier_tracepoint/tables.h"
#include "tier_tracepoint/exit.h"
#include "tier_tracepoint/learn.h"
#include "tier_tracepoint/closing.h"
#include "tier_tracepoint/process.h"
#include "tier_tracepoint/file.h"
#include "tier_tracepoint/bpf.h"
#include "tier_tracepoint/module.h"
#include "tier_tracepoint/net.h"
#include "tier_tracepoint/control.h"
#include "tier_tracepoint/memory.h"
#include "tier_tracepoint/uring.h"
#include "tier_tracepoint/dispatch.h"

#include "tier_trampoline/hook.h"
#include "tier_trampoline/file.h"
#include "tier_trampoline/memory.h"
#include "tier_trampoline/net.h"
#include "tier_trampoline/control.h"

#include "tier_tracepoint/turns.h"

char LICENSE[] SEC("license") = "GPL";
