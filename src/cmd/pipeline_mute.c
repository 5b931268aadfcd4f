/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events that no rule can select are left out where they happen. Only those that nothing else of the sensor depends on:
 * docs/architecture.md says which, and why.
 */
#include "cmd/pipeline_internal.h"

#define LOG_MODULE "kunai::mute"
#include "base/log.h"

#define BIT(event) (UINT64_C(1) << EVENT_##event)

/* Names for addresses; the other half of uring_end. */
#define NEEDED (BIT(dns_query) | BIT(io_uring_sqe))

/* The kernel side knows some only together: only the path tells which of the two it is. */
static const uint64_t together[] = {BIT(read) | BIT(read_config), BIT(write) | BIT(write_config)};

uint64_t pipeline_mutable_events(const struct config *config)
{
	uint64_t events = 0;

	for (int i = 0; i < EVENT_COUNT && config->scanner.mute; i++) {
		const struct event_info *info = &event_catalogue[i];
		if (info->from_kernel && info->configurable && !info->process_life)
			events |= UINT64_C(1) << i;
	}
	return events & ~NEEDED;
}

static uint64_t unselected_events(const struct pipeline *p)
{
	uint64_t selected = scanner_events(reloader_scanner(p->reloader));

	for (size_t i = 0; i < sizeof(together) / sizeof(*together); i++)
		if (selected & together[i])
			selected |= together[i];
	return ~selected & pipeline_mutable_events(p->config);
}

static void mute(struct pipeline *p, uint64_t events)
{
	if (probe_mute(p->probe, events))
		log_error("somebody changed which events the kernel side leaves out: events may be missing");
}

void pipeline_mute(struct pipeline *p)
{
	mute(p, unselected_events(p));
}

void pipeline_unmute(struct pipeline *p)
{
	mute(p, 0);
}
