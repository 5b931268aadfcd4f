/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/golden/cases.h"

/* ---- who ---- */

void run_unknown_process(void)
{
	golden_create_as(&task_stranger, &task_systemd, STR("/tmp/x"), 0);
}

void run_kernel_thread(void)
{
	golden_create_as(&task_kworker, &task_kthreadd, STR("/core"), 0);
}

void run_unknown_kernel_thread(void)
{
	static const struct wire_task fresh = {.start = 99000000000,
					       .pid = 40,
					       .tgid = 40,
					       .flags = PF_KTHREAD,
					       .mnt_ns = WORLD_HOST_NS,
					       .comm = "new"};

	golden_create_as(&fresh, &task_kthreadd, STR("/core"), 0);
}

void run_init(void)
{
	golden_create_as(&task_systemd, &task_swapper, STR("/run/x"), 0);
}

void run_thread(void)
{
	static const struct wire_task thread = {.start = 50000000000,
						.pid = 901,
						.tgid = 900,
						.uid = 1000,
						.gid = 1000,
						.mnt_ns = WORLD_HOST_NS,
						.comm = "worker"};

	golden_create_as(&thread, &task_systemd, STR("/tmp/by a thread"), 0);
}

void run_no_namespaces(void)
{
	static const struct wire_task dying = {
		.start = 50000000000, .pid = 900, .tgid = 900, .flags = 0x40000c, .comm = "bash"};

	golden_create_as(&dying, &task_systemd, STR("/tmp/late"), 0);
}

/* Its parent ended and systemd took it over: what it shows is the parent that it had. */
void run_reparented(void)
{
	golden_clone_task(&task_orphan, &task_bash, &task_bash, 0x11);
	golden_create_as(&task_orphan, &task_systemd, STR("/tmp/orphan"), 0);
}

/* The child of a re-parented process. */
void run_child_of_reparented(void)
{
	static const struct wire_task child = {
		.start = 160000000000, .pid = 1021, .tgid = 1021, .mnt_ns = WORLD_HOST_NS, .comm = "child"};

	golden_clone_task(&child, &task_orphan, &task_orphan, 0x11);
}

void run_in_container(void)
{
	golden_create_as(&task_boxed, &task_systemd, STR("/etc/motd"), 0);
}

/* Another mount namespace alone, as a sandboxed service has. */
void run_in_plain_namespace(void)
{
	static const struct wire_task service = {
		.start = 70000000000, .pid = 777, .tgid = 777, .mnt_ns = 300, .comm = "systemd-network"};

	golden_create_as(&service, &task_systemd, STR("/run/netif"), 0);
}

/* ---- containers and what else is said of a task ---- */

#define OTHER_ID "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void move(const struct wire_task *task, const char *cgroup, size_t len)
{
	struct record *r = golden_begin(EVENT_cgroup_move, task, &task_systemd);
	struct wire_cgroup_move *w = record_fixed(r);

	w->cgroup = record_put(r, cgroup, len);
	golden_send();
}

void run_moved_to_container(void)
{
	static const char cgroup[] = "libpod-" OTHER_ID ".scope\0machine.slice";

	move(&task_boxed, cgroup, sizeof(cgroup));
	golden_create_as(&task_boxed, &task_systemd, STR("/etc/motd"), 0);
}

/* Its own record tells of its cgroup; and a child of that one inherits it. */
void run_cloned_into_container(void)
{
	static const char cgroup[] = "payload\0systemd-nspawn@my\\x2dbox.service\0machine.slice";
	struct wire_task first = task_boxed, second = task_boxed;

	first.start += 1000000000;
	first.pid = first.tgid = 4300001;
	second.start += 2000000000;
	second.pid = second.tgid = 4300002;
	struct record *r = golden_begin(EVENT_clone, &first, &task_boxed);
	struct wire_clone *w = record_fixed(r);
	w->flags = 0x200000011;
	w->creator_start = task_boxed.start;
	w->creator_tgid = task_boxed.tgid;
	w->cgroup = record_put(r, cgroup, sizeof(cgroup));
	golden_send();
	golden_clone_task(&second, &first, &first, 0x11);
}

/* The name of its container is above what could be read. */
void run_moved_to_cut_path(void)
{
	static const char cgroup[] = "deep\0deeper\0...";

	move(&task_boxed, cgroup, sizeof(cgroup));
	golden_create_as(&task_boxed, &task_systemd, STR("/etc/motd"), 0);
}

void run_task_context(void)
{
	struct record *r = golden_begin(EVENT_file_create, &task_bash, &task_systemd);
	struct wire_file_create *w = record_fixed(r);
	struct wire_task *task = &record_head(r)->task;

	record_put_path(r, &w->path, STR("/root/x"));
	task->euid = task->inner_euid = 0;
	task->egid = task->inner_egid = 0;
	task->loginuid = 1000;
	task->sessionid = 3;
	task->sid = 890;
	task->tty = 136 << 20 | 5;
	golden_send();
}

/* Root of a user namespace is somebody else outside. */
void run_task_context_mapped(void)
{
	struct record *r = golden_begin(EVENT_file_create, &task_boxed, &task_systemd);
	struct wire_file_create *w = record_fixed(r);
	struct wire_task *task = &record_head(r)->task;

	record_put_path(r, &w->path, STR("/root/x"));
	task->uid = task->euid = 100000;
	task->gid = task->egid = 100999;
	task->inner_gid = task->inner_egid = UINT32_MAX;
	task->sid = task->tgid;
	task->tty = 4 << 20 | 65;
	golden_send();
}

/* Told of by tasks that are ending: what their processes were in last is shown, and who they are there. */
void run_past_namespaces(void)
{
	struct wire_task boxed = task_boxed, bash = task_bash;

	boxed.mnt_ns = bash.mnt_ns = 0;
	golden_create_as(&boxed, &bash, STR("/etc/motd"), 0);
	golden_create_as(&bash, &task_systemd, STR("/etc/motd"), 0);
}

/* A security module hid it from the snapshot, but its child told of it. */
static const struct wire_task hidden = {
	.start = 65000000000, .pid = 4200002, .tgid = 4200002, .flags = 0x400100, .comm = "hidden"};
static const struct wire_task hidden_child = {
	.start = 66000000000, .pid = 4200003, .tgid = 4200003, .mnt_ns = WORLD_HOST_NS, .comm = "child"};

void run_hidden(void)
{
	golden_seed_process(&hidden_child, &hidden, "/usr/bin/child");
	golden_seed_done();
	golden_create_as(&hidden, &task_systemd, STR("/tmp/by the hidden one"), 0);
}

void run_orphan_of_hidden(void)
{
	golden_create_as(&hidden_child, &task_systemd, STR("/tmp/by its child"), 0);
}

/* Its parent was never known: all that can be told is who has it now. */
void run_orphan_of_unknown(void)
{
	static const struct wire_task child = {
		.start = 61000000000, .pid = 7778, .tgid = 7778, .mnt_ns = WORLD_HOST_NS, .comm = "child"};

	golden_create_as(&child, &task_systemd, STR("/tmp/by an orphan"), 0);
}
