/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/golden/cases.h"

#define SECOND UINT64_C(1000000000)

const struct wire_task task_swapper = {.comm = "swapper/0", .flags = PF_KTHREAD | 2, .mnt_ns = WORLD_HOST_NS};

const struct wire_task task_systemd = {
	.start = 1230000000,
	.pid = 1,
	.tgid = 1,
	.loginuid = UINT32_MAX,
	.sessionid = UINT32_MAX,
	.flags = 0x400100,
	.mnt_ns = WORLD_HOST_NS,
	.comm = "systemd",
};

const struct wire_task task_kthreadd = {
	.start = 1230000000,
	.pid = 2,
	.tgid = 2,
	.flags = PF_KTHREAD | 0x8040,
	.mnt_ns = WORLD_HOST_NS,
	.comm = "kthreadd",
};

const struct wire_task task_kworker = {
	.start = 2 * SECOND,
	.pid = 31,
	.tgid = 31,
	.flags = 0x4208060,
	.mnt_ns = WORLD_HOST_NS,
	.comm = "kworker/0:1H",
};

/* Above the greatest pid that Linux knows, so that the snapshot finds no arguments in /proc. */
const struct wire_task task_sensor = {
	.start = 90 * SECOND,
	.pid = 4200001,
	.tgid = 4200001,
	.flags = 0x400000,
	.mnt_ns = WORLD_HOST_NS,
	.comm = "kunai",
};

const struct wire_task task_bash = {
	.start = 50 * SECOND,
	.pid = 900,
	.tgid = 900,
	.uid = 1000,
	.gid = 1000,
	.euid = 1000,
	.egid = 1000,
	.flags = 0x400000,
	.mnt_ns = WORLD_HOST_NS,
	.comm = "bash",
};

const struct wire_task task_ls = {
	.start = 100 * SECOND + 7,
	.pid = 1001,
	.tgid = 1001,
	.uid = 1000,
	.gid = 1000,
	.flags = 0x400000,
	.mnt_ns = WORLD_HOST_NS,
	.comm = "ls",
};

/* The second thread of ls. */
const struct wire_task task_thread = {
	.start = 100 * SECOND + 7,
	.pid = 1002,
	.tgid = 1001,
	.uid = 1000,
	.gid = 1000,
	.flags = 0x400040,
	.mnt_ns = WORLD_HOST_NS,
	.comm = "ls",
};

const struct wire_task task_script = {
	.start = 101 * SECOND,
	.pid = 1010,
	.tgid = 1010,
	.mnt_ns = WORLD_HOST_NS,
	.flags = 0x400000,
	.comm = "run.sh",
};

const struct wire_task task_orphan = {
	.start = 102 * SECOND,
	.pid = 1020,
	.tgid = 1020,
	.uid = 12345,
	.gid = 54321,
	.mnt_ns = WORLD_HOST_NS,
	.flags = 0x400000,
	.comm = "orphan",
};

const struct wire_task task_boxed = {
	.start = 103 * SECOND,
	.pid = WORLD_BOX_PID,
	.tgid = WORLD_BOX_PID,
	.flags = 0x400100,
	.mnt_ns = WORLD_BOX_NS,
	.comm = "sh",
};

/* Never seen by the process table, and its comm is not UTF-8. */
const struct wire_task task_stranger = {
	.start = 60 * SECOND,
	.pid = 7777,
	.tgid = 7777,
	.uid = 1000,
	.gid = 1000,
	.flags = 0x400040,
	.mnt_ns = WORLD_HOST_NS,
	.comm = "str\xff\"\\\t\xc3\xa9\xe2\x82 15+", /* no NUL */
};
