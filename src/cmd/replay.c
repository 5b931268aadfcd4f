/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai replay: matches recorded events. Needs no root, and never acts. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/recording.h"
#include "json/writer.h"
#include "text/writer.h"

enum { LOGS_MAX = 65536, OUTPUT_BYTES = 1 << 16 };

enum { CONFIG, ALL, BENCH, RULES, IOCS, MIN_SEVERITY, FORMAT, OPTIONS };

static const struct config_option options[OPTIONS] = {
	[CONFIG] = {.type = OPTION_TYPE_FILE,
		    .name = "config",
		    .letter = 'c',
		    .argument = "FILE",
		    .help = "configuration file, for what it says of the scanner"},
	[ALL] = {.name = "all", .help = "print the events that nothing matches, too"},
	[BENCH] = {.name = "bench", .help = "only match, and print how fast"},
	[RULES] = {.key = "scanner.rules",
		   .offset = offsetof(struct config, scanner.rules),
		   .type = OPTION_TYPE_PATHS,
		   .name = "rules",
		   .letter = 'r',
		   .aliases = "rule-file",
		   .argument = "FILE|DIR",
		   .help = "detection rules; can be repeated"},
	[IOCS] = {.key = "scanner.iocs",
		  .offset = offsetof(struct config, scanner.iocs),
		  .type = OPTION_TYPE_PATHS,
		  .name = "iocs",
		  .letter = 'i',
		  .aliases = "ioc-file",
		  .argument = "FILE|DIR",
		  .help = "indicators of compromise; can be repeated"},
	[MIN_SEVERITY] = {.key = "scanner.min_severity",
			  .offset = offsetof(struct config, scanner.min_severity),
			  .type = OPTION_TYPE_NUMBER,
			  .max = 255,
			  .name = "min-severity",
			  .letter = 's',
			  .argument = "N",
			  .help = "do not print detections below it"},
	[FORMAT] = {.type = OPTION_TYPE_FILE,
		    .name = "format",
		    .argument = "json|text",
		    .default_text = "json",
		    .help = "how events look: as JSON, or as a line for people"},
};

struct replay {
	struct scanner *scanner;
	struct json_writer *writer;
	struct text_writer *text; /* NULL: JSON is wanted */
	struct buf output;
	uint64_t min_severity;
	bool all, bench;
	bool closed; /* nobody reads the output any more, or nothing can be written */
	int write_error;
	uint64_t events, bytes, bad;
	uint64_t duration; /* of matching, ns */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void flush(struct replay *r)
{
	if (r->output.len && !r->closed &&
	    (fwrite(r->output.p, 1, r->output.len, stdout) != r->output.len || fflush(stdout))) {
		r->closed = true;
		r->write_error = errno == EPIPE ? 0 : errno;
	}
	buf_reset(&r->output);
}

/* start and event_loss are never matched: they are printed when everything is. */
static bool is_printed(const struct replay *r, const struct event *e)
{
	if (r->all || scanner_is_empty(r->scanner))
		return true;
	if (e->type == EVENT_start || e->type == EVENT_event_loss)
		return false;
	return scanner_selects(r->scanner, e, r->min_severity);
}

static void replay_event(struct replay *r, struct event *e, struct str json)
{
	uint64_t begun = r->bench ? now_ns() : 0;
	scanner_scan(r->scanner, e);
	if (r->bench)
		r->duration += now_ns() - begun;
	r->events++;
	r->bytes += json.len;
	if (!r->bench && is_printed(r, e)) {
		if (r->text)
			text_write_event(r->text, e, &r->output);
		else
			json_write_event(r->writer, e, &r->output);
	}
	if (r->output.len >= OUTPUT_BYTES)
		flush(r);
}

static int replay_log(struct replay *r, const char *path)
{
	struct recording recording;
	struct event event;
	struct str json;
	int n;

	int err = recording_open(&recording, path);
	if (err)
		return cmd_fail("cannot read %s: %s", path, strerror(-err));
	while (!r->closed && (n = recording_next(&recording, &event, &json)) == 1)
		replay_event(r, &event, json);
	flush(r);
	r->bad += recording.bad;
	recording_close(&recording);
	return r->closed || n == 0 ? EXIT_SUCCESS : cmd_fail("%s was read in part only", path);
}

static void print_bench(const struct replay *r)
{
	double seconds = (double)(r->duration ? r->duration : 1) / 1e9;

	printf("scan duration: %.6fs\n", seconds);
	printf("scan throughput: %.2fMB/s\n", (double)r->bytes / seconds / 1e6);
	printf("scan rate: %.0f events/s (%" PRIu64 " events)\n", (double)r->events / seconds, r->events);
}

static int replay_logs(const struct cmd_context *ctx, const struct config *config)
{
	struct replay r = {
		.min_severity = config->scanner.min_severity,
		.all = cmd_find_value(ctx, &options[ALL]),
		.bench = cmd_find_value(ctx, &options[BENCH]),
		.writer = json_writer_new(),
	};

	bool text;
	int status = cmd_read_format(ctx, &options[FORMAT], &text);
	if (!status && text && !(r.text = text_writer_new(cmd_wants_colour(STDOUT_FILENO))))
		status = cmd_fail("out of memory");
	if (!status)
		status = r.writer ? cmd_load_compiled_scanner(&config->scanner, &r.scanner)
				  : cmd_fail("out of memory");
	for (size_t i = 0; i < ctx->operand_count && !status && !r.closed; i++)
		status = replay_log(&r, ctx->operands[i]);
	if (!status && r.write_error)
		status = cmd_fail("cannot write to stdout: %s", strerror(r.write_error));
	if (!status && r.bench)
		print_bench(&r);
	if (r.bad)
		log_warn("%" PRIu64 " parts of the logs were no events", r.bad);
	scanner_free(r.scanner);
	json_writer_free(r.writer);
	text_writer_free(r.text);
	buf_fini(&r.output);
	return status;
}

static int run_replay(const struct cmd_context *ctx)
{
	struct config config;

	if (ctx->operand_count == 0)
		return cmd_fail_usage("'kunai replay' needs a log file, or - for standard input");
	int status = run_config_from_options(ctx, &config);
	if (status)
		return status;
	status = replay_logs(ctx, &config);
	config_fini(&config);
	return status;
}

const struct cmd_entry cmd_replay_entry = {
	.name = "replay",
	.summary = "Match recorded events against rules and IoCs",
	.operands = "LOG_FILES...",
	.max_operands = LOGS_MAX,
	.options = options,
	.option_count = OPTIONS,
	.run = run_replay,
};
