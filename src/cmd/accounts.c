/* SPDX-License-Identifier: GPL-3.0-or-later */
#define LOG_MODULE "kunai::pipeline"

#include "cmd/accounts.h"

#include <inttypes.h>

#include "base/log.h"
#include "probe/hooks.h"

enum { UNBALANCED_READINGS = 5 };

static uint64_t read_missed(const struct probe *probe)
{
	uint64_t missed = 0;

	for (size_t i = 0; i < hook_count; i++)
		missed += probe_missed(probe, i);
	return missed;
}

void accounts_count_forgotten(struct accounts *a, const struct wire_counters *write_close)
{
	int64_t open = (int64_t)(write_close->followed - write_close->unfollowed);

	if (open > WIRE_WRITTEN_FILES_MAX && (uint64_t)open - WIRE_WRITTEN_FILES_MAX > a->forgotten)
		a->forgotten = (uint64_t)open - WIRE_WRITTEN_FILES_MAX;
}

static void read_forgotten(struct accounts *a, const struct probe *probe)
{
	struct wire_counters counters[EVENT_COUNT];

	probe_counters(probe, counters);
	accounts_count_forgotten(a, &counters[EVENT_write_close]);
}

/* A miss that the next entry of the hook is about to take is none: what two readings, a second apart, agree on is. */
void accounts_count_missed(struct accounts *a, const struct probe *probe)
{
	uint64_t now = read_missed(probe);
	uint64_t agreed = now < a->missed_read ? now : a->missed_read;

	a->missed_read = now;
	if (agreed > a->missed)
		a->missed = agreed;
	read_forgotten(a, probe);
}

void accounts_count_missed_finally(struct accounts *a, const struct probe *probe)
{
	a->missed = read_missed(probe);
	read_forgotten(a, probe);
}

uint64_t accounts_lost(const struct accounts *a, const struct probe *probe)
{
	struct wire_counters counters[EVENT_COUNT];
	uint64_t lost = a->missed + a->dropped + a->invalid + a->forgotten;

	probe_counters(probe, counters);
	for (int i = 0; i < EVENT_COUNT; i++)
		lost += counters[i].lost + counters[i].errors;
	return lost;
}

uint64_t accounts_received(const struct accounts *a)
{
	uint64_t n = 0;

	for (int i = 0; i < EVENT_COUNT; i++)
		n += a->received[i];
	return n;
}

void accounts_log_missed(const struct probe *probe)
{
	for (size_t i = 0; i < hook_count; i++) {
		uint64_t missed = probe_missed(probe, i);
		if (missed)
			log_info("accounting: the kernel left out %" PRIu64 " events of %s", missed,
				 hooks[i].name);
	}
}

/* Every event that a hook saw must be accounted for, and what was sent must have arrived. */
static bool row_balances(const struct wire_counters *c, uint64_t received)
{
	return c->hits == c->emitted + c->filtered + c->throttled + c->lost + c->errors &&
	       c->emitted == received;
}

bool accounts_balance(const struct accounts *a, const struct wire_counters counters[EVENT_COUNT])
{
	bool balanced = true;

	for (int i = 0; i < EVENT_COUNT; i++)
		balanced = balanced && row_balances(&counters[i], a->received[i]);
	return balanced;
}

void accounts_log(const struct accounts *a, const struct wire_counters counters[EVENT_COUNT])
{
	for (int i = 0; i < EVENT_COUNT; i++) {
		const struct wire_counters *c = &counters[i];
		bool fine = row_balances(c, a->received[i]);
		if (c->hits)
			log_write(fine ? LOG_INFO : LOG_ERROR, LOG_MODULE,
				  "accounting: %s hits=%" PRIu64 " emitted=%" PRIu64 " filtered=%" PRIu64
				  " throttled=%" PRIu64 " lost=%" PRIu64 " errors=%" PRIu64
				  " received=%" PRIu64 "%s",
				  event_catalogue[i].name.p, c->hits, c->emitted, c->filtered, c->throttled,
				  c->lost, c->errors, a->received[i], fine ? "" : " DOES NOT BALANCE");
	}
}

/*
 * The law holds at any time when nothing is on its way: two readings agree, and all that was sent has been read. A
 * hypervisor can stop a CPU in the midst of a program for longer than a second, so it must be broken for several.
 */
bool accounts_are_broken(struct accounts *a, const struct probe *probe, bool queue_is_full)
{
	struct wire_counters now[EVENT_COUNT];

	probe_counters(probe, now);
	bool quiet = memcmp(now, a->counters, sizeof(now)) == 0;
	memcpy(a->counters, now, sizeof(now));
	if (a->unbalanced == UNBALANCED_READINGS)
		return false; /* said once */
	if (!quiet || queue_is_full || accounts_balance(a, now)) {
		a->unbalanced = 0;
		return false;
	}
	if (++a->unbalanced < UNBALANCED_READINGS)
		return false;
	accounts_log(a, now);
	return true;
}

static void log_scans(const struct file_scan_stats *s)
{
	if (s->pending)
		log_warn("%u files were still waiting to be scanned", s->pending);
	log_info("scans: requested=%" PRIu64 " scanned=%" PRIu64 " cache_hits=%" PRIu64 " positive=%" PRIu64
		 " failed=%" PRIu64 " timed_out=%" PRIu64 " refused=%" PRIu64 " unfinished=%u",
		 s->requested, s->scanned, s->hits, s->positive, s->failed, s->timed_out, s->refused,
		 s->pending);
}

void accounts_log_matching(const struct detector_counters *counters)
{
	log_info("matching: events=%" PRIu64 " searches=%" PRIu64 " recalled=%" PRIu64 " confirmed=%" PRIu64
		 " tried_alone=%" PRIu64 " conditions=%" PRIu64 " given_up=%" PRIu64 " failed=%" PRIu64,
		 counters->events, counters->scans, counters->recalled, counters->confirmed, counters->slow,
		 counters->candidates, counters->regex_limits, counters->regex_failures);
}

void accounts_log_enrichment(const struct enricher_stats *stats)
{
	log_info("enrichment: processes=%u process_bytes=%zu processes_refused=%" PRIu64
		 " processes_evicted=%" PRIu64 " texts_refused=%" PRIu64 " texts_evicted=%" PRIu64,
		 stats->processes, stats->process_bytes, stats->process_losses.refused,
		 stats->process_losses.evicted, stats->process_losses.texts_refused,
		 stats->process_losses.texts_evicted);
	log_info("enrichment: hashed=%" PRIu64 " cache_hits=%" PRIu64 " dns_truncated=%" PRIu64
		 " dns_malformed=%" PRIu64 " names_unverified=%" PRIu64 " renames_left_out=%" PRIu64,
		 stats->hasher.files, stats->hasher.hits, stats->dns_truncated, stats->dns_malformed,
		 stats->names_unverified, stats->renames_left_out);
	log_info("enrichment: executed_held=%" PRIu64 " executed_evicted=%" PRIu64
		 " executed_overflow=%" PRIu64 " executed_unopened=%" PRIu64 " unwatched=%" PRIu64,
		 stats->executed.found, stats->executed.evicted, stats->executed.overflow,
		 stats->executed.unopened, stats->executed.unwatched);
	log_info("enrichment: progs_unknown=%" PRIu64 " progs_refused=%" PRIu64, stats->progs_unknown,
		 stats->progs_refused);
	log_info("enrichment: containers_named=%" PRIu64 " containers_unknown=%" PRIu64
		 " containers_refused=%" PRIu64,
		 stats->containers.resolved, stats->containers.unknown, stats->containers.refused);
	log_info("enrichment: closed_held=%" PRIu64 " closed_evicted=%" PRIu64 " closed_overflow=%" PRIu64
		 " closed_unopened=%" PRIu64 " scans_unheld=%" PRIu64,
		 stats->closed.found, stats->closed.evicted, stats->closed.overflow, stats->closed.unopened,
		 stats->scans_unheld);
	log_scans(&stats->scans);
}
