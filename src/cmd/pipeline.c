/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/pipeline_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LOG_MODULE "kunai::pipeline"
#include "base/log.h"
#include "cmd/privileges.h"

enum {
	QUEUE_BYTES_MAX = 64 << 20, /* records that wait for their turn */
	INTAKE_EVERY = 64,          /* events, between two looks at the rings while many are processed */
	BUSY_MS = 2,                /* between two looks at the rings while events come */
	IDLE_MS = 50,               /* at most, when none come */
};

/* An event whose record is still being built delays all later ones by at most this. */
#define PATIENCE_NS UINT64_C(50000000)

/* Events are worked off for so long at a time: rules that are slow, or very many events, keep nothing else waiting, such as
 * new rules or the service manager. */
#define SLICE_NS UINT64_C(200000000)

/* At the end, hashes are waited for as long as this. */
#define FINISH_NS UINT64_C(5000000000)

static int on_record(void *context, const void *record, size_t len)
{
	struct pipeline *p = context;
	const struct wire_header *head = record;

	if (len < sizeof(*head) || head->type >= EVENT_COUNT) {
		p->accounts.invalid++;
		return 0;
	}
	p->accounts.received[head->type]++;
	if (head->type == EVENT_uring_end) {
		uring_results_join(&p->uring_results, record, len);
		return 0;
	}
	struct reorder_item *item = reorder_push(&p->queue, head->time, record, len, sizeof(struct prefetch));
	if (!item) {
		p->accounts.dropped++;
		return 0;
	}
	enricher_prefetch(p->enricher, item->bytes, len, reorder_user(item));
	uring_results_expect(&p->uring_results, item);
	return reorder_is_full(&p->queue) ? -ENOBUFS : 0;
}

static void process_first(struct pipeline *p)
{
	struct reorder_item *item = reorder_take(&p->queue);
	struct event e;

	arena_reset(&p->arena);
	uring_results_forget(&p->uring_results, item);
	if (event_decode(item->bytes, item->len, &p->arena, &e) == 0) {
		e.info.event.batch = p->batch;
		e.info.utc_time = utc_clock_convert(&p->clock, e.wire->time);
		p->prefetch = reorder_user(item);
		enricher_apply(p->enricher, &e, p->prefetch, pipeline_print, p);
		p->prefetch = NULL;
	} else {
		p->accounts.invalid++;
	}
	prefetch_drop(p->enricher, reorder_user(item));
	free(item);
}

/* The first one asks for an end with everything written, another one for an end at once. */
static void take_signal(struct pipeline *p)
{
	struct signalfd_siginfo info;

	while (read(p->signals, &info, sizeof(info)) == sizeof(info)) {
		if (!pipeline_may_stop(p, &info))
			continue;
		if (p->stop)
			outputs_abandon(p->outputs);
		p->stop = true;
	}
}

/* For a digest, unless its file does not answer, or for the end of a request; and not when that would cost other events. */
static bool is_waiting(const struct pipeline *p, struct reorder_item *item)
{
	uint64_t until = uring_results_expected_until(item);

	return !p->impatient && !reorder_is_full(&p->queue) &&
	       (!prefetch_is_ready(p->enricher, reorder_user(item)) || (until && boot_time_now() < until));
}

/*
 * Passes on what is older than barrier, in order. False: the first one still waits for something, or time is up. Meanwhile the
 * rings are looked at, for processes of short life whose files must be opened soon, and signals: a second one ends it.
 */
static bool process_until(struct pipeline *p, uint64_t barrier)
{
	uint64_t end = boot_time_now() + SLICE_NS;
	struct reorder_item *first;

	for (int n = 1; (first = reorder_first(&p->queue)) && first->time < barrier; n++) {
		if (is_waiting(p, first))
			return false;
		process_first(p);
		if (n % INTAKE_EVERY)
			continue;
		pipeline_print_scans(p);
		if (!reorder_is_full(&p->queue))
			probe_read(p->probe, on_record, p);
		take_signal(p);
		if (outputs_are_closed(p->outputs) || boot_time_now() > end)
			return false;
	}
	return true;
}

/* One round: the clock, then what is being built, then the rings. All that is older than both has been read then. */
static int read_rings(struct pipeline *p)
{
	uint64_t now = boot_time_now();
	uint64_t barrier = probe_oldest_busy(p->probe);

	int n = probe_read(p->probe, on_record, p);
	enricher_end_reading(p->enricher, now);
	p->batch++;
	if (barrier > now)
		barrier = now;
	if (probe_is_blocked(p->probe))
		barrier = p->barrier; /* what stands behind may be older */
	if (barrier + PATIENCE_NS < now)
		barrier = now - PATIENCE_NS;
	p->barrier = barrier;
	if (reorder_is_full(&p->queue))
		barrier = UINT64_MAX; /* the order is no longer certain, and what comes too late is counted */
	process_until(p, barrier);
	pipeline_print_scans(p);
	if (!p->config->output.buffered)
		pipeline_flush(p);
	return n;
}

static void take_hangup(struct pipeline *p)
{
	struct signalfd_siginfo info;

	while (read(p->hangups, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR1)
			outputs_reopen(p->outputs);
		else
			reloader_request(p->reloader);
	}
}

/* Between two events. */
static void take_reload(struct pipeline *p)
{
	/* whoever is told that new rules are in use finds that nothing is left out which they select */
	pipeline_unmute(p);
	enum reload_result result = reloader_take(p->reloader);

	if (result == RELOAD_FAILED)
		pipeline_print_error(p, ERROR_RELOAD,
				     "the rules and IoCs could not be loaded anew: the old ones stay");
	else if (result == RELOAD_DONE)
		pipeline_prepare_scans(p);
	pipeline_mute(p);
}

static void wait_for_events(struct pipeline *p, int timeout_ms)
{
	struct pollfd fds[] = {
		{.fd = probe_fd(p->probe), .events = POLLIN},
		{.fd = enricher_fd(p->enricher), .events = POLLIN},
		{.fd = p->signals, .events = POLLIN},
		{.fd = enricher_prog_fd(p->enricher), .events = POLLIN},
		{.fd = enricher_mounts_fd(p->enricher), .events = POLLPRI},
		{.fd = p->hangups, .events = POLLIN},
		{.fd = reloader_fd(p->reloader), .events = POLLIN},
		{.fd = enricher_scans_fd(p->enricher), .events = POLLIN},
		outputs_pollfd(p->outputs),
	};

	if (poll(fds, sizeof(fds) / sizeof(*fds), timeout_ms) <= 0)
		return;
	if (fds[1].revents || fds[3].revents)
		enricher_collect(p->enricher);
	if (fds[4].revents)
		enricher_mounts_changed(p->enricher);
	if (fds[2].revents)
		take_signal(p);
	if (fds[5].revents)
		take_hangup(p);
	if (fds[6].revents)
		take_reload(p);
	outputs_check(p->outputs, fds[8].revents);
}

static void loop(struct pipeline *p)
{
	int timeout = BUSY_MS;

	while (!p->stop && !outputs_are_closed(p->outputs)) {
		wait_for_events(p, timeout);
		int n = read_rings(p);
		pipeline_tick(p);
		p->stop = p->stop || atomic_load(&p->stopper.granted);
		if (n != 0 || p->queue.count)
			timeout = BUSY_MS;
		else if (timeout < IDLE_MS)
			timeout = timeout * 2 < IDLE_MS ? timeout * 2 : IDLE_MS;
	}
}

static uint32_t count_scans_pending(const struct pipeline *p)
{
	struct enricher_stats stats;

	enricher_read_stats(p->enricher, &stats);
	return stats.scans.pending;
}

/* No more events come in; those that came go out. */
static void finish(struct pipeline *p)
{
	uint64_t deadline = boot_time_now() + FINISH_NS;

	uint64_t end = boot_time_now();
	probe_detach(p->probe);
	/* what it would refuse now nobody would read */
	guard_close(p->guard);
	p->guard = NULL;
	while (!outputs_are_closed(p->outputs)) {
		int n = probe_read(p->probe, on_record, p);
		enricher_end_reading(p->enricher, boot_time_now());
		/* a file whose hash does not come, on a server that hangs, does not keep us for ever */
		p->impatient = boot_time_now() > deadline;
		bool processed = process_until(p, UINT64_MAX);
		pipeline_print_scans(p);
		if (processed && n <= 0 && n != -ENOBUFS && (p->impatient || !count_scans_pending(p)))
			break;
		wait_for_events(p, BUSY_MS);
	}
	accounts_count_missed_finally(&p->accounts, p->probe);
	pipeline_report_losses(p);
	pipeline_flush(p);
	outputs_finish(p->outputs);
	last_run_tell_end(&p->last_run, end + (uint64_t)p->clock.offset);
	output_tell_end(p->outputs);
	struct wire_counters counters[EVENT_COUNT];
	probe_counters(p->probe, counters);
	if (!outputs_are_closed(p->outputs)) /* which leaves events unread */
		accounts_log(&p->accounts, counters);
	if (!outputs_are_closed(p->outputs) && !accounts_balance(&p->accounts, counters))
		log_error("the accounts do not balance: this is a bug, please report it");
	accounts_log_missed(p->probe);
	struct enricher_stats stats;
	enricher_read_stats(p->enricher, &stats);
	log_info("accounting: printed=%" PRIu64 " late=%" PRIu64 " dropped=%" PRIu64 " invalid=%" PRIu64
		 " unwritten=%" PRIu64 " missed=%" PRIu64 " forgotten=%" PRIu64,
		 p->accounts.printed, p->queue.late, p->accounts.dropped, p->accounts.invalid,
		 outputs_dropped(p->outputs), p->accounts.missed, p->accounts.forgotten);
	const struct detector_counters counters_of_matching = reloader_counters(p->reloader);
	accounts_log_matching(&counters_of_matching);
	accounts_log_enrichment(&stats);
}

/* All is loaded and attached; threads that come are filtered as well. */
static void filter_calls(void)
{
	int err = privileges_filter();

	if (err)
		log_warn("cannot give up system calls that are not needed: %s", strerror(-err));
}

int pipeline_run(const struct config *config, struct reloader *reloader, int prog_reader_fd,
		 const struct sensor *sensor, struct outputs *outputs, struct buf *ret_message)
{
	struct pipeline p = {
		.config = config,
		.reloader = reloader,
		.sensor = sensor,
		.outputs = outputs,
		.queue.max_bytes = QUEUE_BYTES_MAX,
		.signals = -1,
		.hangups = -1,
	};

	notify_open(&p.notify);
	last_run_open(&p.last_run);
	int err = pipeline_start(&p, prog_reader_fd, ret_message);
	if (!err) {
		p.status = status_server_open(config->metrics, &p.stopper);
		pipeline_publish_status(&p, boot_time_now());
		filter_calls();
		notify_ready(&p.notify);
		last_run_tell(&p.last_run, p.started + (uint64_t)p.clock.offset);
		loop(&p);
		notify_stopping(&p.notify);
		finish(&p);
	}
	notify_close(&p.notify);
	last_run_close(&p.last_run);
	status_server_close(p.status);
	for (struct reorder_item *item; (item = reorder_take(&p.queue)); free(item))
		prefetch_drop(p.enricher, reorder_user(item));
	reorder_fini(&p.queue);
	guard_close(p.guard);
	probe_close(p.probe);
	enricher_free(p.enricher);
	json_writer_free(p.writer);
	text_writer_free(p.text);
	arena_fini(&p.arena);
	buf_fini(&p.output);
	buf_fini(&p.text_output);
	if (p.signals >= 0)
		close(p.signals);
	if (p.hangups >= 0)
		close(p.hangups);
	return err;
}
