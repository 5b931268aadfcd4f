/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the sensor itself is well: it is called by the kernel, and it runs. */
#include "cmd/pipeline_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOG_MODULE "kunai::watch"
#include "base/log.h"
#include "base/file.h"
#include "base/thread.h"

/* A sensor that is stopped, or gets no processor, for so long says so. One that is busy with many events has had its share. */
#define STILL_NS UINT64_C(10000000000)
enum { BUSY_SHARE = 20 }; /* one part in so many */
enum { SWITCH_MAX = 16 }; /* bytes of a sysctl that is 0 or 1 */

static void *end_at_once(void *argument)
{
	return argument;
}

/* A thread begins and ends, which two programs must see. */
static void beat(void)
{
	pthread_t thread;
	int err = thread_start(&thread, end_at_once, NULL);

	if (err)
		log_warn("cannot make a thread, to see whether the kernel tells of it: %s", strerror(-err));
	else
		pthread_detach(thread);
}

static void watch_programs(struct pipeline *p)
{
	struct wire_counters counters[EVENT_COUNT];
	char text[160];

	probe_counters(p->probe, counters);
	const uint64_t signs[HEARTBEAT_SIGNS] = {counters[EVENT_clone].hits, counters[EVENT_exit].hits};
	enum heartbeat_news news = heartbeat_look(&p->heartbeat, signs);
	if (news == HEARTBEAT_STOPPED) {
		snprintf(
			text, sizeof(text),
			"the kernel has not called programs of the sensor for %d seconds: events are missing",
			HEARTBEAT_EVERY * HEARTBEAT_SILENT);
		pipeline_print_error(p, ERROR_KERNEL_SILENT, text);
	} else if (news == HEARTBEAT_BACK) {
		log_info("the kernel calls the programs of the sensor again");
	}
	beat();
}

/* The kernel detaches none of ours: somebody closed a descriptor of the sensor in its stead. */
static void watch_links(struct pipeline *p)
{
	unsigned int gone = probe_count_detached(p->probe);
	char text[128];

	if (gone > p->detached_told) {
		snprintf(text, sizeof(text), "%u programs of the sensor were detached: events are missing",
			 gone);
		pipeline_print_error(p, ERROR_DETACHED, text);
		p->detached_told = gone;
	}
}

/* Some kernels (6.1) then call no program on a trampoline, while those on tracepoints give the signs above. */
static void watch_switch(struct pipeline *p)
{
	struct buf text = {0};

	if (!probe_trampoline(p->probe) ||
	    file_read("/proc/sys/kernel/ftrace_enabled", SWITCH_MAX, &text) < 0)
		goto out;
	bool off = text.len && text.p[0] == '0';
	if (off && !p->switched_off)
		pipeline_print_error(
			p, ERROR_KERNEL_SILENT,
			"kernel.ftrace_enabled is 0: the kernel may not call programs of the sensor "
			"on trampolines: events are missing");
	p->switched_off = off;
out:
	buf_fini(&text);
}

/* The clock does not count while the machine is suspended. */
static void watch_itself(struct pipeline *p)
{
	uint64_t now = monotonic_time_now(), worked = thread_time_now();
	uint64_t passed = now - p->ticked_at;
	char text[160];

	if (p->ticked_at && passed > STILL_NS && (worked - p->worked) < passed / BUSY_SHARE) {
		snprintf(text, sizeof(text),
			 "the sensor stood still for %.1f s: it was stopped, or had no processor",
			 (double)passed / 1e9);
		pipeline_print_error(p, ERROR_STOOD_STILL, text);
	}
	p->ticked_at = now;
	p->worked = worked;
}

void pipeline_watch(struct pipeline *p)
{
	watch_itself(p);
	pipeline_mute(p);
	if (!heartbeat_is_due(&p->heartbeat))
		return;
	watch_programs(p);
	watch_links(p);
	watch_switch(p);
}
