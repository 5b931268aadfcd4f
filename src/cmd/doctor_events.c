/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/doctor.h"
#include "event/catalogue.h"
#include "event/schema.h"
#include "probe/hooks.h"
#include "probe/probe.h"

#define TRUNCATED "truncate(2) leaves a name only, which is looked up after the call"

/* What it means for an event that it is taken at tracepoints; docs/tiers.md has it all. */
static const char *const consequences[EVENT_COUNT] = {
	[EVENT_file_unlink] =
		"the name is read from the program's memory and looked up after the call: path_unverified "
		"marks what could not be",
	[EVENT_file_rename] =
		"names are read from the program's memory and looked up after the call: path_unverified "
		"marks what could not be",
	[EVENT_write_close] = TRUNCATED,
	[EVENT_write] = TRUNCATED,
	[EVENT_write_config] = TRUNCATED,
	[EVENT_send_data] =
		"the address of a message on a socket that is not connected is read from the program's "
		"memory: dst_unverified marks it",
	[EVENT_connect] =
		"the address of a connection that io_uring makes is read from the program's memory: "
		"dst_unverified marks it",
};

/* A call can have several programs. */
static void add_name(struct event_place *place, const char *name)
{
	size_t len = strlen(place->hooks);

	if (!words_contain(place->hooks, ' ', name))
		snprintf(place->hooks + len, sizeof(place->hooks) - len, "%s%s", len ? " " : "", name);
}

/* Those of process life are needed for all events, and served by hooks of all. */
static const char *const process_hooks[EVENT_COUNT] = {
	[EVENT_execve] = "sched_process_exec",
	[EVENT_execve_script] = "sched_process_exec",
	[EVENT_clone] = "task_newtask",
	[EVENT_exit] = "sched_process_exit",
	[EVENT_exit_group] = "sched_process_exit",
};

/* What io_uring requests do is seen at tracepoints as well. */
static void name_functions(uint64_t event, struct event_place *place)
{
	for (size_t i = 0; i < hook_count; i++)
		if (!(hooks[i].traits & BY_TRACEPOINT) && hooks[i].events & event &&
		    hooks[i].events != UINT64_MAX)
			add_name(place, hooks[i].name);
}

/* The dispatcher of system calls is not named: their names are. */
static void name_hooks(uint64_t event, const char *skipped, struct event_place *place)
{
	for (size_t i = 0; i < hook_count; i++)
		if (!(hooks[i].traits & TRAMPOLINE_KINDS) && hooks[i].events & event &&
		    hooks[i].events != UINT64_MAX && strncmp(hooks[i].name, "sys_", 4) &&
		    !words_contain(skipped, ' ', hooks[i].program))
			add_name(place, hooks[i].name);
	for (size_t i = 0; i < hook_syscall_count; i++)
		if (hook_syscalls[i].events & event && !words_contain(skipped, ' ', hook_syscalls[i].program))
			add_name(place, hook_syscalls[i].name);
}

static void find_place(const struct probe *probe, int type, bool prefers_trampolines, struct event_place *ret)
{
	uint64_t event = 1ULL << type;
	bool moves = prefers_trampolines && probe_trampoline(probe) & event;

	*ret = (struct event_place){.name = event_catalogue[type].name.p};
	if (process_hooks[type])
		add_name(ret, process_hooks[type]);
	else if (moves)
		name_functions(event, ret);
	else
		name_hooks(event, probe_skipped(probe), ret);
	if (*ret->hooks)
		ret->tier = moves ? "trampoline" : "tracepoint";
	if (!moves)
		ret->consequence = consequences[type];
	snprintf(ret->trampoline, sizeof(ret->trampoline), "%s", probe_fallback(probe, type));
}

static void judge_trampolines(const struct probe *probe, struct diagnosis *d)
{
	bool any = probe_trampoline(probe);

	for (int i = 0; i < EVENT_COUNT; i++)
		any = any || *probe_fallback(probe, i);

	diagnosis_add(d, "trampolines", any ? FINDING_OK : FINDING_NOTE,
		      "a kernel with CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS allows them",
		      any ? "this kernel allows them: events are taken there where --tier does not forbid it"
			  : "this kernel refuses them: every system call pays for the tracepoints");
}

int doctor_find_places(bool prefers_trampolines, struct diagnosis *findings, struct event_place *ret)
{
	struct probe_options options = {
		.max_args = 32768,
		.ring_process = 64 << 10,
		.ring_other = 64 << 10,
		.tier = PROBE_TIER_TRAMPOLINE, /* to learn what could be */
		.force = true,
	};
	struct buf message = {0};
	struct probe *probe;
	int count = 0;

	for (int i = 0; i < EVENT_COUNT; i++)
		if (event_catalogue[i].from_kernel && event_catalogue[i].configurable)
			options.wanted |= 1ULL << i;
	int err = probe_open(&options, &probe, &message);
	if (err) {
		diagnosis_add(findings, "programs", FINDING_FAILURE,
			      "kunai -d run shows what the kernel says of them", "%.*s",
			      STR_ARG(buf_str(&message)));
		buf_fini(&message);
		return err;
	}
	diagnosis_add(findings, "programs", *probe_skipped(probe) ? FINDING_WARNING : FINDING_OK,
		      "kunai -d run shows why; their events are missing",
		      *probe_skipped(probe) ? "the kernel refuses %s" : "the kernel takes all%s",
		      probe_skipped(probe));
	judge_trampolines(probe, findings);
	for (int i = 0; i < EVENT_COUNT; i++)
		if (options.wanted >> i & 1)
			find_place(probe, i, prefers_trampolines, &ret[count++]);
	probe_close(probe);
	return count;
}
