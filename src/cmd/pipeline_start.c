/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/pipeline_internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LOG_MODULE "kunai::pipeline"
#include "base/log.h"
#include "cmd/cmd.h"

enum {
	RING_PROCESS = 2 << 20, /* bytes, for the default max_buffered_events */
	RING_OTHER = 8 << 20,
	RING_MIN = 64 << 10,
	BUFFERED_DEFAULT = 1024,
	WORKERS_AUTO_MAX = 4,
};

static uint64_t count_workers(const struct config *config)
{
	uint64_t workers = config->workers.set ? config->workers.value : 1;
	uint64_t cpus = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);

	if (workers == 0)
		workers = cpus < WORKERS_AUTO_MAX ? cpus : WORKERS_AUTO_MAX;
	return workers;
}

void pipeline_prepare_scans(struct pipeline *p)
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

/* The size for max_buffered_events, rounded up to a power of two as rings must be. */
static uint32_t ring_size(uint64_t bytes, uint64_t buffered)
{
	uint64_t want = bytes * buffered / BUFFERED_DEFAULT;
	uint32_t size = RING_MIN;

	while (size < want && size < (1u << 30))
		size *= 2;
	return size;
}

/* Which event runs where, and why not on the better one. */
static void log_tiers(const struct pipeline *p)
{
	const char *none = probe_no_trampolines(p->probe);
	uint64_t events = probe_trampoline(p->probe);
	struct buf names = {0};

	for (int i = 0; i < EVENT_COUNT; i++)
		if (events & (1ULL << i))
			buf_printf(&names, " %s", event_catalogue[i].name.p);
	if (none)
		log_info("on trampolines: nothing, %s", none);
	else
		log_info("on trampolines:%s", names.len ? names.p : " nothing");
	buf_fini(&names);
	for (int i = 0; i < EVENT_COUNT; i++)
		if (*probe_fallback(p->probe, i))
			log_info("not on a trampoline: %.*s: %s", STR_ARG(event_catalogue[i].name),
				 probe_fallback(p->probe, i));
}

static int open_probe(struct pipeline *p, struct buf *ret_message)
{
	static const enum probe_tier tiers[] = {
		[TIER_AUTO] = PROBE_TIER_AUTO,
		[TIER_TRACEPOINTS] = PROBE_TIER_TRACEPOINT,
		[TIER_TRAMPOLINES] = PROBE_TIER_TRAMPOLINE,
	};
	struct probe_options options = {
		.send_min_len = config_send_data_min_len(p->config),
		.files_limit = p->config->max_eps_fs.set ? p->config->max_eps_fs.value : 0,
		.max_args = (uint32_t)p->config->max_args,
		.ring_process = ring_size(RING_PROCESS, p->config->max_buffered_events),
		.ring_other = ring_size(RING_OTHER, p->config->max_buffered_events),
		.tier = tiers[p->config->tier],
		.without = p->config->without_hooks,
		.force = p->config->force_load,
		.verbose = log_get_level() >= LOG_DEBUG,
	};

	for (int i = 0; i < EVENT_COUNT; i++)
		/* process life is needed for the ancestors of all others */
		if (p->config->events[i] || event_catalogue[i].process_life)
			options.wanted |= 1ULL << i;
	if (options.files_limit)
		options.wanted |= 1ULL << EVENT_throttle;
	if (p->config->events[EVENT_io_uring_sqe])
		options.wanted |= 1ULL << EVENT_uring_end;
	if (p->config->harden)
		options.wanted |= 1ULL << EVENT_denied;
	options.mutable = pipeline_mutable_events(p->config);
	int err = probe_open(&options, &p->probe, ret_message);
	if (!err)
		err = probe_attach(p->probe, ret_message);
	if (!err)
		log_info("this kernel: %s", probe_facts(p->probe));
	if (!err)
		log_tiers(p);
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

int pipeline_start(struct pipeline *p, int prog_reader_fd, struct buf *ret_message)
{
	warn_of_missing_events(p->config);
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
	if (p->config->output.dns_text)
		json_writer_join_lists(p->writer, EVENT_dns_query);
	enricher_set_prog_helper(p->enricher, prog_reader_fd);
	int hold_err = enricher_hold_executed(p->enricher);
	if (hold_err)
		log_warn("cannot watch executed files (%s): short-lived programs that are deleted at once "
			 "have no hash",
			 strerror(-hold_err));
	pipeline_prepare_scans(p);
	utc_clock_sample(&p->clock);
	p->started = boot_time_now();

	int err = open_probe(p, ret_message);
	if (err)
		return err;
	pipeline_mute(p);
	/* attached first, so that a process is in the snapshot, or seen starting, or both */
	err = probe_snapshot(p->probe, on_seed, p);
	if (err) {
		buf_printf(ret_message, "cannot list the processes: %s", strerror(-err));
		return err;
	}
	enricher_seed_done(p->enricher);
	err = pipeline_guard_start(p, ret_message);
	if (err)
		return err;
	err = pipeline_print_start(p);
	if (err)
		buf_printf(ret_message, "cannot start: %s", strerror(-err));
	return err;
}
