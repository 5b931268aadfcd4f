/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/pipeline.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <uuid/uuid.h>

#define LOG_MODULE "kunai::pipeline"
#include "base/log.h"
#include "cmd/accounts.h"
#include "cmd/cmd.h"
#include "cmd/actions.h"
#include "cmd/notify.h"
#include "cmd/output.h"
#include "cmd/status_server.h"
#include "base/utc_clock.h"
#include "enrich/enricher.h"
#include "event/reorder.h"
#include "probe/probe.h"
#include "json/writer.h"
#include "text/writer.h"

enum {
	QUEUE_BYTES_MAX = 64 << 20, /* records that wait for their turn */
	OUTPUT_BYTES =
		128 << 10, /* lines are written when so many have come together, or when there is a pause */
	INTAKE_EVERY = 64, /* events, between two looks at the rings while many are processed */
	BUSY_MS = 2,       /* between two looks at the rings while events come */
	IDLE_MS = 50,      /* at most, when none come */
	RING_PROCESS = 2 << 20, /* bytes, for the default max_buffered_events */
	RING_OTHER = 8 << 20,
	RING_MIN = 64 << 10,
	BUFFERED_DEFAULT = 1024,
	WORKERS_AUTO_MAX = 4,
	ERROR_CLOCK_STEP = 10, /* codes of the event `error`; those of the kernel side are in wire.h */
	ERROR_ACCOUNTS = 11,
	ERROR_PROCESSES = 12,
	ERROR_RELOAD = 13,
	ERROR_SCANS = 14,
	ERROR_SEARCHES = 15,
};

/* An event whose record is still being built delays all later ones by at most this. */
#define PATIENCE_NS UINT64_C(50000000)

/* Events are worked off for so long at a time: rules that are slow, or very many events, keep nothing else waiting, such as
 * new rules or the service manager. */
#define SLICE_NS UINT64_C(200000000)

/* At the end, hashes are waited for as long as this. */
#define FINISH_NS UINT64_C(5000000000)

struct pipeline {
	const struct config *config;
	struct reloader *reloader;
	uint64_t searches_told; /* that were given up */
	struct actions actions;
	struct probe *probe;
	struct enricher *enricher;
	struct prefetch *prefetch; /* of the event that is being emitted; NULL: it has none */
	struct json_writer *writer;
	struct text_writer *text; /* NULL: nobody wants text */
	struct outputs *outputs;
	struct output_watch output_watch;
	struct notify notify;
	struct status_server *status;
	struct reorder queue;
	struct utc_clock clock;
	struct arena arena;
	struct buf output;
	struct buf text_output;
	uint64_t started; /* boot time */
	uint64_t batch;
	uint64_t barrier; /* boot time: all that is older has been passed on, or may be */
	struct accounts accounts;
	uint64_t lost_reported;
	uint64_t process_losses_told;
	int signals; /* to end */
	int hangups; /* to reload, or to open files again */
	uint64_t scan_losses_told;
	bool stop;
	bool impatient; /* events go without their hashes */
};

static void flush(struct pipeline *p)
{
	if (p->output.len)
		outputs_write(p->outputs, p->output.p, p->output.len, p->text_output.p, p->text_output.len);
	buf_reset(&p->output);
	buf_reset(&p->text_output);
}

static bool shows_positive(const struct pipeline *p, const struct event *e)
{
	return e->type == EVENT_file_scan && e->data.file_scan.positives &&
	       p->config->scanner.show_positive_file_scan;
}

/* The kernel side found that it has to leave out events. */
static void log_throttled(const struct event *e)
{
	log_warn("%s: pid=%d tgid=%d", e->data.error.message.p, e->info.task.pid, e->info.task.tgid);
}

static void print_event(void *context, struct event *e)
{
	struct pipeline *p = context;
	struct scanner *scanner = reloader_scanner(p->reloader);

	if (e->type == EVENT_error && e->wire && e->wire->type == EVENT_throttle)
		log_throttled(e);
	if (!p->config->events[e->type])
		return;
	if (!scanner_is_empty(scanner))
		scanner_scan(scanner, e);
	if (scanner_selects(scanner, e, p->config->scanner.min_severity) || shows_positive(p, e)) {
		json_write_event(p->writer, e, &p->output);
		if (p->text)
			text_write_event(p->text, e, &p->text_output);
		p->accounts.printed++;
	}
	if (p->output.len >= OUTPUT_BYTES)
		flush(p);
	actions_run(&p->actions, e);
	if (p->config->events[EVENT_file_scan] && actions_want_scan(e))
		enricher_scan_files(p->enricher, e, p->prefetch, scanner_yara(reloader_scanner(p->reloader)));
}

/* Paths are whatever their makers like: quoted, they cannot forge a line. */
static void log_positive(const struct event *e)
{
	const struct data_file_scan *scan = &e->data.file_scan;
	struct buf text = {0};
	char uuid[37];

	buf_add_str(&text, STR("file="));
	buf_add_quoted(&text, scan->path);
	buf_add_str(&text, STR(" matches detection signatures=["));
	for (uint32_t i = 0; i < scan->signatures.n; i++)
		buf_printf(&text, "%s%.*s", i ? ", " : "", STR_ARG(scan->signatures.v[i]));
	uuid_unparse_lower(scan->source_event.bytes, uuid);
	log_warn("%.*s] triggered by event uuid=%s", STR_ARG(buf_str(&text)), uuid);
	buf_fini(&text);
}

/* Files that have been scanned meanwhile: behind the events that named them, whatever else came in between. */
static void print_scans(struct pipeline *p)
{
	struct event e;

	for (arena_reset(&p->arena); enricher_next_scan(p->enricher, &p->arena, &e); arena_reset(&p->arena)) {
		if (e.data.file_scan.positives)
			log_positive(&e);
		print_event(p, &e);
	}
}

/* An event of the sensor's own, for the time now. */
static void begin_own(struct pipeline *p, enum event_type type, struct event *ret)
{
	arena_reset(&p->arena);
	event_make(ret, type, &p->arena);
	if (type == EVENT_start)
		enricher_fill_start(p->enricher, ret);
	else
		enricher_fill_own(p->enricher, ret);
	ret->info.event.batch = p->batch;
	ret->info.utc_time = utc_clock_convert(&p->clock, boot_time_now());
}

static int print_start(struct pipeline *p)
{
	char sha256[CONFIG_SHA256_TEXT];
	struct event e;

	int err = config_sha256(p->config, sha256);
	if (err)
		return err;
	begin_own(p, EVENT_start, &e);
	e.data.start.kunai.version = STR(KUNAI_VERSION);
	e.data.start.kunai.config.sha256 = str_of(sha256);
	print_event(p, &e);
	flush(p);
	return 0;
}

static void print_error(struct pipeline *p, uint64_t code, const char *message)
{
	struct event e;

	log_warn("%s", message);
	begin_own(p, EVENT_error, &e);
	e.data.error.code = code;
	e.data.error.message = str_of(message);
	print_event(p, &e);
}

static void report_losses(struct pipeline *p)
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
	begin_own(p, EVENT_event_loss, &e);
	e.data.event_loss.read = read;
	e.data.event_loss.lost = lost;
	e.data.event_loss.eps = (double)(read + lost) * 1e9 / (double)(boot_time_now() - p->started);
	print_event(p, &e);
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
	print_error(p, ERROR_PROCESSES, text);
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
	print_error(p, ERROR_SCANS, text);
}

static int on_record(void *context, const void *record, size_t len)
{
	struct pipeline *p = context;
	const struct wire_header *head = record;

	if (len < sizeof(*head) || head->type >= EVENT_COUNT) {
		p->accounts.invalid++;
		return 0;
	}
	p->accounts.received[head->type]++;
	struct reorder_item *item = reorder_push(&p->queue, head->time, record, len, sizeof(struct prefetch));
	if (!item) {
		p->accounts.dropped++;
		return 0;
	}
	enricher_prefetch(p->enricher, item->bytes, len, reorder_user(item));
	return reorder_is_full(&p->queue) ? -ENOBUFS : 0;
}

static void process_first(struct pipeline *p)
{
	struct reorder_item *item = reorder_take(&p->queue);
	struct event e;

	arena_reset(&p->arena);
	if (event_decode(item->bytes, item->len, &p->arena, &e) == 0) {
		e.info.event.batch = p->batch;
		e.info.utc_time = utc_clock_convert(&p->clock, e.wire->time);
		p->prefetch = reorder_user(item);
		enricher_apply(p->enricher, &e, p->prefetch, print_event, p);
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
		if (p->stop)
			outputs_abandon(p->outputs);
		p->stop = true;
	}
}

/*
 * Passes on what is older than barrier, in order. False: the first one still waits for a hash, or time is up. Meanwhile the
 * rings are looked at, for processes of short life whose files must be opened soon, and signals: a second one ends it.
 */
static bool process_until(struct pipeline *p, uint64_t barrier)
{
	uint64_t end = boot_time_now() + SLICE_NS;
	struct reorder_item *first;

	for (int n = 1; (first = reorder_first(&p->queue)) && first->time < barrier; n++) {
		if (!p->impatient && !prefetch_is_ready(reorder_user(first)))
			return false;
		process_first(p);
		if (n % INTAKE_EVERY)
			continue;
		print_scans(p);
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
	print_scans(p);
	if (!p->config->output.buffered)
		flush(p);
	return n;
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
	print_error(p, ERROR_SEARCHES, text);
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

/* What `kunai status` shows until the next second. */
static void publish_status(struct pipeline *p, uint64_t now)
{
	const struct scanner *scanner = reloader_scanner(p->reloader);
	struct enricher_stats stats;
	struct status status = {
		.uptime = now - p->started,
		.tier = "tracepoint",
		.printed = p->accounts.printed,
		.lost = accounts_lost(&p->accounts, p->probe),
		.missed = p->accounts.missed,
		.late = p->queue.late,
		.queue_bytes = p->queue.bytes,
		.iocs = scanner_ioc_count(scanner),
	};

	enricher_read_stats(p->enricher, &stats);
	status.processes = stats.processes;
	status.process_bytes = stats.process_bytes;
	if (scanner_rules(scanner))
		status.rules = ruleset_facts(scanner_rules(scanner));
	snprintf(status.kernel, sizeof(status.kernel), "%s", probe_facts(p->probe));
	memcpy(status.received, p->accounts.received, sizeof(status.received));
	probe_counters(p->probe, status.counters);
	publish_outputs(p, &status);
	status_server_publish(p->status, &status, now);
}

static void tick(struct pipeline *p)
{
	uint64_t now = boot_time_now();

	if (now - p->clock.sampled_at < UTC_CLOCK_INTERVAL_NS)
		return;
	int64_t step = utc_clock_sample(&p->clock);
	if (step) {
		char text[96];
		snprintf(text, sizeof(text), "the system clock was set by %+.3f s: utc_time jumps with it",
			 (double)step / 1e9);
		print_error(p, ERROR_CLOCK_STEP, text);
	}
	enricher_tick(p->enricher, now);
	accounts_count_missed(&p->accounts, p->probe);
	output_watch(&p->output_watch, p->outputs, now);
	notify_tick(&p->notify, now);
	publish_status(p, now);
	report_losses(p);
	report_process_losses(p);
	report_scan_losses(p);
	report_searches(p);
	if (accounts_are_broken(&p->accounts, p->probe, reorder_is_full(&p->queue)))
		print_error(p, ERROR_ACCOUNTS, "the accounts of events do not balance: some may be missing");
	flush(p);
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

static uint64_t count_workers(const struct config *config)
{
	uint64_t workers = config->workers.set ? config->workers.value : 1;
	uint64_t cpus = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);

	if (workers == 0)
		workers = cpus < WORKERS_AUTO_MAX ? cpus : WORKERS_AUTO_MAX;
	return workers;
}

/* To be called again when the rules have changed. Threads are started when rules first ask for them. */
static void prepare_scans(struct pipeline *p)
{
	uint64_t events = p->config->events[EVENT_file_scan]
				  ? scanner_file_scan_events(reloader_scanner(p->reloader))
				  : 0;
	uint64_t matchers = count_workers(p->config);

	if (matchers > SCAN_POOL_MATCHERS_MAX)
		matchers = SCAN_POOL_MATCHERS_MAX;
	int err = enricher_expect_scans(p->enricher, events);
	if (err)
		log_warn("cannot watch closed files (%s): what is deleted at once is not scanned",
			 strerror(-err));
	if (!events || enricher_scans_fd(p->enricher) >= 0)
		return;
	err = enricher_start_scans(p->enricher, &yara_engine, (uint32_t)matchers,
				   (uint32_t)p->config->scanner.yara_timeout);
	if (err)
		log_error("cannot start the threads that scan files, there will be no file_scan: %s",
			  strerror(-err));
}

/* Between two events. */
static void take_reload(struct pipeline *p)
{
	enum reload_result result = reloader_take(p->reloader);

	if (result == RELOAD_FAILED)
		print_error(p, ERROR_RELOAD,
			    "the rules and IoCs could not be loaded anew: the old ones stay");
	else if (result == RELOAD_DONE)
		prepare_scans(p);
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
		tick(p);
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

	probe_detach(p->probe);
	while (!outputs_are_closed(p->outputs)) {
		int n = probe_read(p->probe, on_record, p);
		enricher_end_reading(p->enricher, boot_time_now());
		/* a file whose hash does not come, on a server that hangs, does not keep us for ever */
		p->impatient = boot_time_now() > deadline;
		bool processed = process_until(p, UINT64_MAX);
		print_scans(p);
		if (processed && n <= 0 && n != -ENOBUFS && (p->impatient || !count_scans_pending(p)))
			break;
		wait_for_events(p, BUSY_MS);
	}
	accounts_count_missed_finally(&p->accounts, p->probe);
	report_losses(p);
	flush(p);
	outputs_finish(p->outputs);
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
		 " unwritten=%" PRIu64 " missed=%" PRIu64,
		 p->accounts.printed, p->queue.late, p->accounts.dropped, p->accounts.invalid,
		 outputs_dropped(p->outputs), p->accounts.missed);
	const struct detector_counters counters_of_matching = reloader_counters(p->reloader);
	accounts_log_matching(&counters_of_matching);
	accounts_log_enrichment(&stats);
}

/* The size for max_buffered_events, rounded up to a power of two as rings must be. */
static uint32_t ring_size(uint64_t bytes, uint64_t buffered)
{
	uint64_t want = bytes * buffered / BUFFERED_DEFAULT;
	uint32_t size = RING_MIN;

	while (size < want && size < (1u << 30))
		size *= 2;
	return size;
}

static int open_probe(struct pipeline *p, struct buf *ret_message)
{
	struct probe_options options = {
		.send_min_len = config_send_data_min_len(p->config),
		.files_limit = p->config->max_eps_fs.set ? p->config->max_eps_fs.value : 0,
		.max_args = (uint32_t)p->config->max_args,
		.ring_process = ring_size(RING_PROCESS, p->config->max_buffered_events),
		.ring_other = ring_size(RING_OTHER, p->config->max_buffered_events),
		.force = p->config->force_load,
		.verbose = log_get_level() >= LOG_DEBUG,
	};

	for (int i = 0; i < EVENT_COUNT; i++)
		/* process life is needed for the ancestors of all others */
		if (p->config->events[i] || event_catalogue[i].process_life)
			options.wanted |= 1ULL << i;
	if (options.files_limit)
		options.wanted |= 1ULL << EVENT_throttle;
	int err = probe_open(&options, &p->probe, ret_message);
	if (!err)
		err = probe_attach(p->probe, ret_message);
	if (!err)
		log_info("this kernel: %s", probe_facts(p->probe));
	if (!err && *probe_skipped(p->probe))
		log_warn("the kernel refused these programs, their events are missing: %s",
			 probe_skipped(p->probe));
	return err;
}

static int on_seed(void *context, const void *record, size_t len)
{
	struct pipeline *p = context;

	enricher_seed(p->enricher, record, len);
	return 0;
}

static void warn_of_missing_events(const struct config *config)
{
	for (int i = 0; i < EVENT_COUNT; i++)
		if (config->events[i] && event_catalogue[i].configurable && !event_schemas[i].data)
			log_info("this version does not make the event %s", event_catalogue[i].name.p);
}

static int open_signals(int one, int other)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, one);
	sigaddset(&mask, other);
	return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int start(struct pipeline *p, int prog_reader_fd, struct buf *ret_message)
{
	p->signals = open_signals(SIGINT, SIGTERM);
	/* of its own: these must not end the wait for a slow reader */
	p->hangups = open_signals(SIGHUP, SIGUSR1);
	p->outputs->cancel = p->signals;
	p->writer = json_writer_new();
	if (outputs_want_text(p->outputs))
		p->text = text_writer_new(cmd_wants_colour(STDOUT_FILENO));
	p->enricher = enricher_new(p->config->host_uuid, (uint32_t)count_workers(p->config));
	if (p->signals < 0 || p->hangups < 0 || !p->writer || (outputs_want_text(p->outputs) && !p->text) ||
	    !p->enricher) {
		int err = -errno;
		buf_printf(ret_message, "cannot start: %s", strerror(-err));
		return err;
	}
	enricher_set_prog_helper(p->enricher, prog_reader_fd);
	int hold_err = enricher_hold_executed(p->enricher);
	if (hold_err)
		log_warn("cannot watch executed files (%s): short-lived programs that are deleted at once "
			 "have no hash",
			 strerror(-hold_err));
	prepare_scans(p);
	utc_clock_sample(&p->clock);
	p->started = boot_time_now();

	int err = open_probe(p, ret_message);
	if (err)
		return err;
	/* attached first, so that a process is in the snapshot, or seen starting, or both */
	err = probe_snapshot(p->probe, on_seed, p);
	if (err) {
		buf_printf(ret_message, "cannot list the processes: %s", strerror(-err));
		return err;
	}
	enricher_seed_done(p->enricher);
	err = print_start(p);
	if (err)
		buf_printf(ret_message, "cannot start: %s", strerror(-err));
	return err;
}

int pipeline_run(const struct config *config, struct reloader *reloader, int prog_reader_fd,
		 struct outputs *outputs, struct buf *ret_message)
{
	struct pipeline p = {
		.config = config,
		.reloader = reloader,
		.outputs = outputs,
		.queue.max_bytes = QUEUE_BYTES_MAX,
		.signals = -1,
		.hangups = -1,
	};

	warn_of_missing_events(config);
	notify_open(&p.notify);
	int err = start(&p, prog_reader_fd, ret_message);
	if (!err) {
		p.status = status_server_open(config->metrics);
		publish_status(&p, boot_time_now());
		notify_ready(&p.notify);
		loop(&p);
		notify_stopping(&p.notify);
		finish(&p);
	}
	notify_close(&p.notify);
	status_server_close(p.status);
	for (struct reorder_item *item; (item = reorder_take(&p.queue)); free(item))
		prefetch_drop(p.enricher, reorder_user(item));
	reorder_fini(&p.queue);
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
