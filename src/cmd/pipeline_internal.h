/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the pipeline share. pipeline.c knows the order of the stages; pipeline_start.c builds them up;
 * pipeline_print.c is the last stage; pipeline_report.c says once a second how it goes.
 */
#ifndef KUNAI_CMD_PIPELINE_INTERNAL_H
#define KUNAI_CMD_PIPELINE_INTERNAL_H

#include <sys/signalfd.h>

#include "base/utc_clock.h"
#include "cmd/accounts.h"
#include "cmd/actions.h"
#include "cmd/heartbeat.h"
#include "cmd/last_run.h"
#include "cmd/notify.h"
#include "cmd/output.h"
#include "cmd/pipeline.h"
#include "cmd/status_server.h"
#include "cmd/stopper.h"
#include "enrich/enricher.h"
#include "event/reorder.h"
#include "event/uring_results.h"
#include "json/writer.h"
#include "probe/harden.h"
#include "probe/probe.h"
#include "text/writer.h"

/* Codes of the event `error`; those of the kernel side are in wire.h. */
enum {
	ERROR_CLOCK_STEP = 10,
	ERROR_ACCOUNTS = 11,
	ERROR_PROCESSES = 12,
	ERROR_RELOAD = 13,
	ERROR_SCANS = 14,
	ERROR_SEARCHES = 15,
	ERROR_FILES = 16,
	ERROR_KERNEL_SILENT = 17,
	ERROR_DETACHED = 18,
	ERROR_STOOD_STILL = 19,
	ERROR_STOP_REFUSED = 30,
	ERROR_GUARD_LAPSED = 31,
};

struct pipeline {
	const struct config *config;
	struct reloader *reloader;
	uint64_t searches_told; /* that were given up */
	struct actions actions;
	const struct sensor *sensor;
	struct probe *probe;
	struct guard *guard; /* NULL: not hardened */
	struct stopper stopper;
	unsigned int stops_told;
	uint64_t unguarded_told;
	struct heartbeat heartbeat;
	unsigned int detached_told;
	uint64_t ticked_at; /* monotonic time */
	uint64_t worked;    /* by then: time of a processor */
	struct enricher *enricher;
	struct prefetch *prefetch; /* of the event that is being emitted; NULL: it has none */
	struct json_writer *writer;
	struct text_writer *text; /* NULL: nobody wants text */
	struct outputs *outputs;
	struct output_watch output_watch;
	struct notify notify;
	struct last_run last_run;
	struct status_server *status;
	struct reorder queue;
	bool had_backlog; /* the queue was long, and its memory was not given back yet */
	struct uring_results uring_results;
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
	uint32_t unanswered_told;
	bool switched_off; /* kernel.ftrace_enabled */
	bool stop;
	bool impatient; /* events go without their hashes */
};

/* ---- pipeline_start.c ---- */

/* Up to the event `start`. -errno with a message; what was built is the caller's to take down. */
int pipeline_start(struct pipeline *p, int prog_reader_fd, struct buf *ret_message);

/* To be called again when the rules have changed. Threads are started when rules first ask for them. */
void pipeline_prepare_scans(struct pipeline *p);

/* ---- pipeline_mute.c ---- */

/* Events that the kernel side may be told to leave out, by enum event_type. */
uint64_t pipeline_mutable_events(const struct config *config);

/* Has those left out that the rules cannot select. Now and then as well: nobody else is to change which. */
void pipeline_mute(struct pipeline *p);
void pipeline_unmute(struct pipeline *p);

/* ---- pipeline_print.c ---- */

/* Matches the event, writes it where it is wanted, does what its rules ask for. context: the pipeline. */
void pipeline_print(void *context, struct event *e);

/* Files that have been scanned meanwhile: behind the events that named them, whatever else came in between. */
void pipeline_print_scans(struct pipeline *p);

int pipeline_print_start(struct pipeline *p);
void pipeline_print_error(struct pipeline *p, uint64_t code, const char *message);

/* An event of the sensor's own, for the time now. */
void pipeline_begin_own(struct pipeline *p, enum event_type type, struct event *ret);

/* Hands the lines that have come together to the sinks. */
void pipeline_flush(struct pipeline *p);

/* ---- pipeline_guard.c ---- */

/* Nothing unless the configuration asks for the hardened mode. -errno with a message. */
int pipeline_guard_start(struct pipeline *p, struct buf *ret_message);

/* Once a second: says that the sensor is alive, and what was tried. */
void pipeline_guard_tick(struct pipeline *p);

/* Whether the signal ends the sensor. */
bool pipeline_may_stop(const struct pipeline *p, const struct signalfd_siginfo *info);

/* ---- pipeline_watch.c ---- */

/* Once a second: whether the kernel still calls our programs, and whether we ran. */
void pipeline_watch(struct pipeline *p);

/* ---- pipeline_report.c ---- */

/* What is to be done once a second; nothing when called earlier. */
void pipeline_tick(struct pipeline *p);

/* What `kunai status` shows until the next second. now: boot time. */
void pipeline_publish_status(struct pipeline *p, uint64_t now);

/* The event event_loss, when more were lost than were told of. */
void pipeline_report_losses(struct pipeline *p);

#endif
