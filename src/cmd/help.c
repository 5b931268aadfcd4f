/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/cmd.h"

enum { NAME_COLUMN = 2, TEXT_COLUMN = 34, RIGHT_EDGE = 100 };

static size_t column_of(const struct buf *out, size_t line_start)
{
	return out->len - line_start;
}

/* Words from TEXT_COLUMN on, broken before the right edge. line_start is where the current line begins. */
static void add_wrapped(struct buf *out, size_t line_start, const char *text)
{
	if (column_of(out, line_start) >= TEXT_COLUMN) {
		buf_add_char(out, '\n');
		line_start = out->len;
	}
	while (*text) {
		size_t word = strcspn(text, " ");
		if (column_of(out, line_start) > TEXT_COLUMN &&
		    column_of(out, line_start) + 1 + word > RIGHT_EDGE) {
			buf_add_char(out, '\n');
			line_start = out->len;
		} else if (column_of(out, line_start) > TEXT_COLUMN) {
			buf_add_char(out, ' ');
		}
		if (column_of(out, line_start) < TEXT_COLUMN)
			buf_printf(out, "%*s", (int)(TEXT_COLUMN - column_of(out, line_start)), "");
		buf_add(out, text, word);
		text += word;
		text += strspn(text, " ");
	}
	buf_add_char(out, '\n');
}

static void add_option(struct buf *out, const struct config_option *option)
{
	struct buf text = {0};
	size_t line_start = out->len;

	buf_printf(out, "%*s", NAME_COLUMN, "");
	if (option->letter)
		buf_printf(out, "-%c, ", option->letter);
	else
		buf_add_str(out, STR("    "));
	buf_printf(out, "--%s", option->name);
	if (option->argument)
		buf_printf(out, " <%s>", option->argument);

	buf_add_str(&text, str_of(option->help));
	if (option->argument && option->default_text && strcmp(option->default_text, "null") != 0)
		buf_printf(&text, " (default: %s)", option->default_text);
	buf_add_char(&text, '\0');
	add_wrapped(out, line_start, text.failed ? "" : text.p);
	buf_fini(&text);
}

static void add_options(struct buf *out, const char *title, const struct config_option *options, size_t count)
{
	buf_printf(out, "\n%s:\n", title);
	for (size_t i = 0; i < count; i++) {
		if (options[i].name)
			add_option(out, &options[i]);
	}
}

static void add_commands(struct buf *out, const struct cmd_entry *const *commands)
{
	buf_add_str(out, STR("\nCommands:\n"));
	for (; *commands; commands++) {
		size_t line_start = out->len;
		buf_printf(out, "%*s%s", NAME_COLUMN, "", (*commands)->name);
		add_wrapped(out, line_start, (*commands)->summary);
	}
}

void cmd_add_help(const struct cmd_entry *const *commands, const struct cmd_entry *entry, struct buf *out)
{
	if (entry) {
		buf_printf(out, "%s\n\nUsage: kunai %s%s%s%s\n", entry->summary, entry->name,
			   entry->option_count ? " [OPTIONS]" : "", entry->operands ? " " : "",
			   entry->operands ? entry->operands : "");
		if (entry->option_count)
			add_options(out, "Options", entry->options, entry->option_count);
	} else {
		buf_printf(out,
			   "Kunai, a security monitoring sensor for Linux\n\n"
			   "Usage: kunai [OPTIONS] [COMMAND]\n\n"
			   "Without a command kunai does what '%s' does and takes its options: see 'kunai "
			   "help %s'.\n",
			   commands[0]->name, commands[0]->name);
		add_commands(out, commands);
	}
	add_options(out, "Global options", cmd_globals, CMD_GLOBALS);
}

static int run_help(const struct cmd_context *ctx)
{
	const struct cmd_entry *entry = NULL;
	struct buf text = {0};
	int status;

	if (ctx->operand_count) {
		entry = cmd_find_entry(ctx->commands, ctx->operands[0]);
		if (!entry) {
			cmd_add_nearest_entry(ctx->commands, ctx->operands[0], &text);
			status = cmd_fail_usage("unknown command '%s'%.*s", ctx->operands[0],
						STR_ARG(buf_str(&text)));
			goto out;
		}
	}
	cmd_add_help(ctx->commands, entry, &text);
	status = cmd_print(&text);
out:
	buf_fini(&text);
	return status;
}

const struct cmd_entry cmd_help_entry = {
	.name = "help",
	.summary = "Print help about kunai or one of its commands",
	.operands = "[COMMAND]",
	.max_operands = 1,
	.run = run_help,
};
