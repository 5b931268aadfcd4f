/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"

static void print_line(const char *prefix, const char *format, va_list args)
{
	flockfile(stderr);
	fputs(prefix, stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	funlockfile(stderr);
}

int cmd_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("Error: ", format, args);
	va_end(args);
	return EXIT_FAILURE;
}

int cmd_fail_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("kunai: ", format, args);
	va_end(args);
	return EXIT_USAGE;
}

int cmd_print(const struct buf *text)
{
	if (text->failed)
		return cmd_fail("out of memory");
	if (fwrite(text->p, 1, text->len, stdout) != text->len || fflush(stdout) != 0) {
		/* The reader had enough: `kunai config --list-events | head -1`. */
		if (errno == EPIPE)
			return EXIT_SUCCESS;
		return cmd_fail("cannot write to stdout: %s", strerror(errno));
	}
	return EXIT_SUCCESS;
}

void cmd_report_messages(const char *path, const struct config_messages *messages)
{
	for (uint32_t i = 0; i < messages->count; i++) {
		const struct config_message *message = &messages->v[i];
		bool error = message->level == CONFIG_ERROR;
		if (!error && log_get_level() < LOG_WARN)
			continue;
		fprintf(stderr, "%s:", path);
		if (message->line)
			fprintf(stderr, "%u:%u:", message->line, message->column);
		fprintf(stderr, " %s: %s\n", error ? "error" : "warning", message->text);
	}
	if (messages->dropped)
		fprintf(stderr, "%s: %u more problems\n", path, messages->dropped);
}

void cmd_report_problems(const struct problems *problems)
{
	struct buf text = {0};

	for (uint32_t i = 0; i < problems->count; i++) {
		const struct problem *p = &problems->v[i];
		if (p->level != PROBLEM_ERROR && log_get_level() < LOG_WARN)
			continue;
		buf_reset(&text);
		problem_add_text(p, &text);
		fprintf(stderr, "%.*s\n", STR_ARG(buf_str(&text)));
	}
	buf_fini(&text);
	if (problems->dropped)
		fprintf(stderr, "%u more problems\n", problems->dropped);
}
