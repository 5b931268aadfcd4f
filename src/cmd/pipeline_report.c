/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/pipeline_internal.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#define LOG_MODULE "kunai::pipeline"
#include "base/log.h"

enum { BACKLOG_BYTES = 8 << 20 }; /* more records than this that wait are a backlog */

void pipeline_report_losses(struct pipeline *p)
{
	uint64_t lost_here = accounts_lost(&p->accounts, p->probe);
	uint64_t lost = lost_here + outputs_dropped(p->outputs);
	uint64_t read = accounts_received(&p->accounts);
	struct event e;

	/* a sink that takes nothing would lose what is said of its losses */
	if (lost <= p->lost_reported || outputs_are_closed(p->outputs) || output_is_stuck(p->outputs))
		return;
	if (lost_here > p->accounts.lost_told)
		log_error("%" PRIu64 " events were lost so far, %" PRIu64
			  " were read: raise max_buffered_events",
			  lost_here, read);
	p->accounts.lost_told = lost_here;
	p->lost_reported = lost;
	pipeline_begin_own(p, EVENT_event_loss, &e);
	e.data.event_loss.read = read;
	e.data.event_loss.lost = lost;
	e.data.event_loss.eps = (double)(read + lost) * 1e9 / (double)(boot_time_now() - p->started);
	pipeline_print(p, &e);
}

/* What is not known of processes for want of room. Said anew when it is twice as much: the cause may last. */
static void report_process_losses(struct pipeline *p)
{
	struct enricher_stats stats;
	char text[256];

	enricher_read_stats(p->enricher, &stats);
	const struct process_losses *l = &stats.process_losses;
	uint64_t all = l->refused + l->evicted + l->texts_refused + l->texts_evicted;
	if (all == 0 || all < 2 * p->process_losses_told)
		return;
	p->process_losses_told = all;
	snprintf(text, sizeof(text),
		 "the process table is full: %" PRIu64 " processes were left out, %" PRIu64
		 " dead ones forgotten early; %" PRIu64 " texts were left out, %" PRIu64
		 " command lines of dead ones dropped",
		 l->refused, l->evicted, l->texts_refused, l->texts_evicted);
	pipeline_print_error(p, ERROR_PROCESSES, text);
}

/* Files that no scan will tell of. Said anew when there are twice as many. */
static void report_scan_losses(struct pipeline *p)
{
	struct enricher_stats stats;
	char text[160];

	enricher_read_stats(p->enricher, &stats);
	uint64_t lost = stats.scans.refused;
	if (lost == 0 || lost < 2 * p->scan_losses_told)
		return;
	p->scan_losses_told = lost;
	snprintf(text, sizeof(text), "%" PRIu64 " files were not scanned, most because too many are waiting",
		 lost);
	pipeline_print_error(p, ERROR_SCANS, text);
}

/* Files of a FUSE or network file system whose server says nothing. Said anew when there are more. */
static void report_unanswered(struct pipeline *p)
{
	struct enricher_stats stats;
	char text[128];

	enricher_read_stats(p->enricher, &stats);
	if (stats.unanswered > p->unanswered_told) {
		snprintf(text, sizeof(text),
			 "%" PRIu32 " threads wait for files that do not answer: events go without them",
			 stats.unanswered);
		pipeline_print_error(p, ERROR_FILES, text);
	}
	p->unanswered_told = stats.unanswered;
}

/* A rule that did not match for that is not told from one that does not apply. Said anew when it is twice as often. */
static void report_searches(struct pipeline *p)
{
	struct detector_counters counters = reloader_counters(p->reloader);
	uint64_t given_up = counters.regex_limits + counters.regex_failures;
	char text[128];

	if (given_up == 0 || given_up < 2 * p->searches_told)
		return;
	p->searches_told = given_up;
	snprintf(text, sizeof(text),
		 "%" PRIu64 " searches for regular expressions were given up: their rules did not match",
		 given_up);
	pipeline_print_error(p, ERROR_SEARCHES, text);
}

static void publish_outputs(const struct pipeline *p, struct status *status)
{
	status->outputs_count = outputs_count(p->outputs);
	for (unsigned int i = 0; i < status->outputs_count; i++) {
		struct output_stats *stats = &status->outputs[i].stats;
		outputs_read_stats(p->outputs, i, stats);
		snprintf(status->outputs[i].name, sizeof(status->outputs[i].name), "%s", stats->name);
		stats->name = NULL;
	}
}

static void publish_slow_rules(const struct scanner *scanner, struct status *status)
{
	struct slow_rules slow;

	scanner_slow_rules(scanner, &slow);
	status->slow_rules_count = slow.count;
	for (uint32_t i = 0; i < slow.count; i++) {
		snprintf(status->slow_rules[i].name, sizeof(status->slow_rules[i].name), "%.*s",
			 STR_ARG(slow.v[i].name));
		status->slow_rules[i].cost = slow.v[i];
		status->slow_rules[i].cost.name = (struct str){0};
	}
}

/* mixed: this kernel lets some events be on trampolines. */
static const char *tier_of(const struct probe *probe)
{
	if (!probe_trampoline(probe))
		return "tracepoint";
	for (int i = 0; i < EVENT_COUNT; i++)
		if (*probe_fallback(probe, i))
			return "mixed";
	return "trampoline";
}

void pipeline_publish_status(struct pipeline *p, uint64_t now)
{
	const struct scanner *scanner = reloader_scanner(p->reloader);
	struct enricher_stats stats;
	struct status status = {
		.uptime = now - p->started,
		.printed = p->accounts.printed,
		.lost = accounts_lost(&p->accounts, p->probe),
		.missed = p->accounts.missed,
		.late = p->queue.late,
		.queue_bytes = p->queue.bytes,
		.iocs = scanner_ioc_count(scanner),
	};

	snprintf(status.tier, sizeof(status.tier), "%s", tier_of(p->probe));
	enricher_read_stats(p->enricher, &stats);
	status.processes = stats.processes;
	status.process_bytes = stats.process_bytes;
	if (scanner_rules(scanner)) {
		status.rules = ruleset_facts(scanner_rules(scanner));
		publish_slow_rules(scanner, &status);
	}
	snprintf(status.kernel, sizeof(status.kernel), "%s", probe_facts(p->probe));
	memcpy(status.received, p->accounts.received, sizeof(status.received));
	probe_counters(p->probe, status.counters);
	publish_outputs(p, &status);
	status_server_publish(p->status, &status, now);
}

/* A burst leaves memory that nobody needs; the allocator keeps it unless it is asked. */
static void give_back_memory(struct pipeline *p)
{
	if (p->queue.bytes >= BACKLOG_BYTES)
		p->had_backlog = true;
	if (!p->had_backlog || p->queue.bytes >= BACKLOG_BYTES / 8)
		return;
	reorder_trim(&p->queue);
	malloc_trim(0);
	p->had_backlog = false;
}

void pipeline_tick(struct pipeline *p)
{
	uint64_t now = boot_time_now();

	if (now - p->clock.sampled_at < UTC_CLOCK_INTERVAL_NS)
		return;
	int64_t step = utc_clock_sample(&p->clock);
	if (step) {
		char text[96];
		snprintf(text, sizeof(text), "the system clock was set by %+.3f s: utc_time jumps with it",
			 (double)step / 1e9);
		pipeline_print_error(p, ERROR_CLOCK_STEP, text);
	}
	enricher_tick(p->enricher, now);
	accounts_count_missed(&p->accounts, p->probe);
	output_watch(&p->output_watch, p->outputs, now);
	pipeline_guard_tick(p);
	pipeline_watch(p);
	notify_tick(&p->notify, now);
	last_run_tell(&p->last_run, p->barrier + (uint64_t)p->clock.offset);
	pipeline_publish_status(p, now);
	pipeline_report_losses(p);
	report_process_losses(p);
	report_scan_losses(p);
	report_unanswered(p);
	report_searches(p);
	if (accounts_are_broken(&p->accounts, p->probe, reorder_is_full(&p->queue)))
		pipeline_print_error(p, ERROR_ACCOUNTS,
				     "the accounts of events do not balance: some may be missing");
	pipeline_flush(p);
	give_back_memory(p);
}
