/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai logs: the events of the output file and of what was rotated before it, in the order they were written. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/log_reader.h"
#include "cmd/time_option.h"
#include "json/reader.h"
#include "text/writer.h"

enum { FOLLOW_EVERY_US = 200000, OUTPUT_BYTES = 128 << 10 };

enum { CONFIG, LOG_FILE, FOLLOW, SINCE, UNTIL, FORMAT, OPTIONS };

static const struct config_option options[OPTIONS] = {
	[CONFIG] = {.type = OPTION_TYPE_FILE,
		    .name = "config",
		    .letter = 'c',
		    .argument = "FILE",
		    .default_text = CONFIG_DEFAULT_PATH,
		    .help = "configuration file that names the output file"},
	[LOG_FILE] = {.type = OPTION_TYPE_FILE,
		      .name = "log-file",
		      .letter = 'l',
		      .argument = "FILE",
		      .help = "the output file itself; no configuration is read then"},
	[FOLLOW] = {.name = "follow", .letter = 'f', .help = "go on with what is written from now on"},
	[SINCE] = {.type = OPTION_TYPE_FILE,
		   .name = "since",
		   .argument = "TIME",
		   .help = "only events from then on: 06:00, '2026-11-22 06:00', 2026-11-22T06:00:00Z, "
			   "yesterday, or -1h for an hour ago"},
	[UNTIL] = {.type = OPTION_TYPE_FILE,
		   .name = "until",
		   .argument = "TIME",
		   .help = "only events until then"},
	[FORMAT] = {.type = OPTION_TYPE_FILE,
		    .name = "format",
		    .argument = "json|text",
		    .default_text = "json",
		    .help = "how events look: as JSON, or as a line for people"},
};

struct logs {
	uint64_t since, until; /* ns since the epoch; 0 and UINT64_MAX: all */
	struct text_writer *text;
	struct arena arena;
	struct buf output;
	uint64_t bad; /* lines that are no events, as text */
	bool closed;  /* nobody reads the output any more */
};

static void flush(struct logs *l)
{
	if (l->output.len &&
	    (fwrite(l->output.p, 1, l->output.len, stdout) != l->output.len || fflush(stdout)))
		l->closed = true;
	buf_reset(&l->output);
}

static void print_text(struct logs *l, struct str line)
{
	struct json_problem problem;
	struct event e;

	arena_reset(&l->arena);
	if (json_read_event(line, &l->arena, &e, &problem) == 0)
		text_write_event(l->text, &e, &l->output);
	else
		l->bad++;
}

static bool print_line(void *context, struct str line)
{
	struct logs *l = context;

	if (l->since || l->until != UINT64_MAX) {
		uint64_t time = time_of_line(line);
		if (time < l->since || time > l->until)
			return true;
	}
	if (l->text) {
		print_text(l, line);
	} else {
		buf_add_str(&l->output, line);
		buf_add_char(&l->output, '\n');
	}
	if (l->output.len >= OUTPUT_BYTES)
		flush(l);
	return !l->closed;
}

static int follow(struct logs *l, struct log_reader *reader)
{
	while (!l->closed) {
		int64_t n = log_reader_follow(reader);
		flush(l);
		if (n < 0 && n != -ENOENT)
			return (int)n;
		if (n <= 0)
			usleep(FOLLOW_EVERY_US);
	}
	return 0;
}

static void report(const struct logs *l, const struct log_reader *reader)
{
	if (reader->unreadable)
		log_warn("%" PRIu64 " older files could not be read to their end", reader->unreadable);
	if (reader->too_long)
		log_warn("%" PRIu64 " lines were too long", reader->too_long);
	if (l->bad)
		log_warn("%" PRIu64 " lines were no events", l->bad);
}

static int print_log(struct logs *l, const char *path, bool following)
{
	struct log_reader reader;

	int err = log_reader_open(&reader, path, l->since, print_line, l);
	if (err == -EINVAL)
		return cmd_fail("kunai output=%s is not a regular file", path);
	if (err)
		return cmd_fail("cannot read %s: %s", path, strerror(-err));
	if (following)
		err = follow(l, &reader);
	else
		err = log_reader_read(&reader);
	flush(l);
	report(l, &reader);
	log_reader_close(&reader);
	return err ? cmd_fail("cannot read %s: %s", path, strerror(-err)) : EXIT_SUCCESS;
}

static int read_time(const struct cmd_context *ctx, int option, uint64_t *ret)
{
	const struct cmd_value *value = cmd_find_value(ctx, &options[option]);
	struct timespec now;

	if (!value)
		return EXIT_SUCCESS;
	clock_gettime(CLOCK_REALTIME, &now);
	if (time_option_parse(value->text, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, ret) ==
	    0)
		return EXIT_SUCCESS;
	return cmd_fail_usage("option '--%s': expected a time such as 06:00, '2026-11-22 06:00', "
			      "2026-11-22T06:00:00Z, yesterday, or -1h for an hour ago",
			      options[option].name);
}

static int read_options(const struct cmd_context *ctx, struct logs *l)
{
	bool text;

	int status = read_time(ctx, SINCE, &l->since);
	if (!status)
		status = read_time(ctx, UNTIL, &l->until);
	if (!status)
		status = cmd_read_format(ctx, &options[FORMAT], &text);
	if (!status && text && !(l->text = text_writer_new(cmd_wants_colour(STDOUT_FILENO))))
		status = cmd_fail("out of memory");
	return status;
}

/* The file that the configuration names; free(3) it. */
static int find_log(const struct cmd_context *ctx, char **ret)
{
	const struct cmd_value *file = cmd_find_value(ctx, &options[CONFIG]);
	struct config config;

	if (!file && access(CONFIG_DEFAULT_PATH, F_OK) < 0 && errno == ENOENT)
		return cmd_fail("there is no " CONFIG_DEFAULT_PATH " that names the log; name it with "
				"--log-file=FILE");
	int status = cmd_load_config(file ? file->text : CONFIG_DEFAULT_PATH, &config);
	if (status)
		return status;
	if (config_output_standard(&config) >= 0)
		status = cmd_fail("kunai output=%s is not a regular file", config.output.path);
	else if (!(*ret = strdup(config.output.path)))
		status = cmd_fail("out of memory");
	config_fini(&config);
	return status;
}

static int run_logs(const struct cmd_context *ctx)
{
	const struct cmd_value *file = cmd_find_value(ctx, &options[LOG_FILE]);
	struct logs logs = {.until = UINT64_MAX};
	char *path = NULL;

	if (file && cmd_find_value(ctx, &options[CONFIG]))
		return cmd_fail_usage("option '--log-file' cannot be used with '--config'");
	int status = read_options(ctx, &logs);
	if (!status && !file)
		status = find_log(ctx, &path);
	if (!status)
		status = print_log(&logs, file ? file->text : path, cmd_find_value(ctx, &options[FOLLOW]));
	free(path);
	buf_fini(&logs.output);
	arena_fini(&logs.arena);
	text_writer_free(logs.text);
	return status;
}

const struct cmd_entry cmd_logs_entry = {
	.name = "logs",
	.summary = "Print the events of the output file and of those rotated before it",
	.options = options,
	.option_count = OPTIONS,
	.run = run_logs,
};
