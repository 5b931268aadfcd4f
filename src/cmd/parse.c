/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "base/chars.h"
#include "base/nearest.h"

const struct config_option cmd_globals[CMD_GLOBALS] = {
	[CMD_GLOBAL_DEBUG] = {.name = "debug",
			      .letter = 'd',
			      .help = "log everything, the kernel's verifier included"},
	[CMD_GLOBAL_SILENT] = {.name = "silent", .letter = 's', .help = "log nothing"},
	[CMD_GLOBAL_VERBOSE] = {.name = "verbose", .letter = 'v', .help = "log more; can be repeated"},
	[CMD_GLOBAL_HELP] = {.name = "help", .letter = 'h', .help = "print help"},
	[CMD_GLOBAL_VERSION] = {.name = "version", .letter = 'V', .help = "print the version"},
};

struct parser {
	struct cmd_context *ctx;
	struct buf *error;
	char *const *args;
	int count;
	int next;
};

static bool has_alias(const struct config_option *option, struct str name)
{
	const char *alias = option->aliases;

	while (alias && *alias) {
		uint32_t len = (uint32_t)strcspn(alias, " ");
		if (str_eq((struct str){alias, len}, name))
			return true;
		alias += len;
		alias += strspn(alias, " ");
	}
	return false;
}

static const struct config_option *find_long(const struct config_option *options, size_t count,
					     struct str name)
{
	for (size_t i = 0; i < count; i++) {
		if (options[i].name &&
		    (str_eq(str_of(options[i].name), name) || has_alias(&options[i], name)))
			return &options[i];
	}
	return NULL;
}

static const struct config_option *find_short(const struct config_option *options, size_t count, char letter)
{
	for (size_t i = 0; i < count; i++) {
		if (options[i].name && options[i].letter == letter)
			return &options[i];
	}
	return NULL;
}

/* A command's own option wins over a global one of the same letter. */
static const struct config_option *find_option(const struct cmd_entry *entry, struct str name)
{
	const struct config_option *option = find_long(entry->options, entry->option_count, name);

	return option ? option : find_long(cmd_globals, CMD_GLOBALS, name);
}

static const struct config_option *find_letter(const struct cmd_entry *entry, char letter)
{
	const struct config_option *option = find_short(entry->options, entry->option_count, letter);

	return option ? option : find_short(cmd_globals, CMD_GLOBALS, letter);
}

static void offer_options(struct nearest *nearest, const struct config_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (options[i].name)
			nearest_offer(nearest, str_of(options[i].name));
	}
}

static int refuse_option(struct parser *parser, const char *argument, struct str name)
{
	const struct cmd_entry *entry = parser->ctx->entry;
	struct nearest nearest;

	nearest_init(&nearest, name);
	offer_options(&nearest, entry->options, entry->option_count);
	offer_options(&nearest, cmd_globals, CMD_GLOBALS);

	buf_add_str(parser->error, STR("unknown option "));
	buf_add_quoted(parser->error, str_of(argument));
	if (nearest.best.p)
		buf_printf(parser->error, "; did you mean '--%.*s'?", STR_ARG(nearest.best));
	else
		buf_printf(parser->error, "; 'kunai %s --help' lists the options", entry->name);
	return -EINVAL;
}

static void add_global(struct cmd_context *ctx, const struct config_option *option)
{
	switch (option - cmd_globals) {
	case CMD_GLOBAL_DEBUG:
		ctx->debug = true;
		break;
	case CMD_GLOBAL_SILENT:
		ctx->silent = true;
		break;
	case CMD_GLOBAL_VERBOSE:
		ctx->verbose++;
		break;
	case CMD_GLOBAL_HELP:
		ctx->help = true;
		break;
	case CMD_GLOBAL_VERSION:
		ctx->version = true;
		break;
	}
}

static bool is_global(const struct config_option *option)
{
	return option >= cmd_globals && option < cmd_globals + CMD_GLOBALS;
}

/* text is the value, or NULL when the next argument is to be taken if the option wants one. */
static int add_option(struct parser *parser, const struct config_option *option, const char *text)
{
	struct cmd_context *ctx = parser->ctx;

	if (!option->argument && text) {
		buf_printf(parser->error, "option '--%s' takes no value", option->name);
		return -EINVAL;
	}
	if (option->argument && !text) {
		const char *next = parser->next < parser->count ? parser->args[parser->next] : NULL;
		/* -1h is a value: no option is a digit */
		if (!next || (next[0] == '-' && next[1] && !chars_is_digit(next[1]))) {
			buf_printf(parser->error, "option '--%s' needs a value: --%s=%s", option->name,
				   option->name, option->argument);
			return -EINVAL;
		}
		parser->next++;
		text = next;
	}
	if (is_global(option))
		add_global(ctx, option);
	else
		ctx->values[ctx->value_count++] = (struct cmd_value){option, text};
	return 0;
}

static int parse_long(struct parser *parser, const char *argument)
{
	const char *equals = strchr(argument, '=');
	const char *name = argument + 2;
	struct str text = {name, (uint32_t)(equals ? equals - name : (ptrdiff_t)strlen(name))};

	const struct config_option *option = find_option(parser->ctx->entry, text);
	if (!option)
		return refuse_option(parser, argument, text);
	return add_option(parser, option, equals ? equals + 1 : NULL);
}

/* -v, -vv, -cFILE, -c=FILE, -c FILE, -vcFILE */
static int parse_letters(struct parser *parser, const char *argument)
{
	for (const char *letter = argument + 1; *letter; letter++) {
		const struct config_option *option = find_letter(parser->ctx->entry, *letter);
		if (!option)
			return refuse_option(parser, argument, str_of(argument + 1));
		if (!option->argument) {
			int err = add_option(parser, option, letter[1] == '=' ? letter + 2 : NULL);
			if (err)
				return err;
			continue;
		}
		const char *text = letter + 1;
		return add_option(parser, option, *text == '=' ? text + 1 : *text ? text : NULL);
	}
	return 0;
}

static int add_operand(struct parser *parser, const char *argument)
{
	struct cmd_context *ctx = parser->ctx;

	if (ctx->operand_count < ctx->entry->max_operands) {
		ctx->operands[ctx->operand_count++] = argument;
		return 0;
	}
	buf_add_str(parser->error, STR("unexpected argument "));
	buf_add_quoted(parser->error, str_of(argument));
	if (!ctx->explicit_entry && cmd_find_entry(ctx->commands, argument))
		buf_printf(parser->error, "; write 'kunai %s' before its options", argument);
	else
		buf_printf(parser->error, "; 'kunai %s --help' tells what is expected", ctx->entry->name);
	return -EINVAL;
}

static int parse_arguments(struct parser *parser)
{
	bool only_operands = false;

	while (parser->next < parser->count) {
		const char *argument = parser->args[parser->next++];
		int err;

		if (only_operands || argument[0] != '-' || !argument[1])
			err = add_operand(parser, argument);
		else if (strcmp(argument, "--") == 0)
			err = !(only_operands = true);
		else if (argument[1] == '-')
			err = parse_long(parser, argument);
		else
			err = parse_letters(parser, argument);
		if (err)
			return err;
	}
	return 0;
}

/* True when every letter, or the whole name, is that of a global option. */
static bool is_global_argument(const char *argument)
{
	if (argument[0] != '-' || !argument[1])
		return false;
	if (argument[1] == '-')
		return find_long(cmd_globals, CMD_GLOBALS, str_of(argument + 2));
	for (const char *letter = argument + 1; *letter; letter++) {
		if (!find_short(cmd_globals, CMD_GLOBALS, *letter))
			return false;
	}
	return true;
}

/* The subcommand is the first argument that is no global option; an option there means the default command. */
static int choose_entry(struct parser *parser)
{
	struct cmd_context *ctx = parser->ctx;
	static const struct cmd_entry no_options = {.name = ""};

	ctx->entry = &no_options;
	while (parser->next < parser->count && is_global_argument(parser->args[parser->next])) {
		const char *argument = parser->args[parser->next++];
		int err = argument[1] == '-' ? parse_long(parser, argument) : parse_letters(parser, argument);
		if (err)
			return err;
	}

	ctx->entry = ctx->commands[0];
	const char *name = parser->next < parser->count ? parser->args[parser->next] : NULL;
	if (!name || name[0] == '-')
		return 0;

	const struct cmd_entry *entry = cmd_find_entry(ctx->commands, name);
	if (!entry) {
		buf_add_str(parser->error, STR("unknown command "));
		buf_add_quoted(parser->error, str_of(name));
		cmd_add_nearest_entry(ctx->commands, name, parser->error);
		return -EINVAL;
	}
	ctx->entry = entry;
	ctx->explicit_entry = true;
	parser->next++;
	return 0;
}

int cmd_parse(const struct cmd_entry *const *commands, int argc, char *const *argv, struct cmd_context *ret,
	      struct buf *error)
{
	struct parser parser = {.ctx = ret, .error = error, .args = argv, .count = argc, .next = 1};
	/* An option takes at least one character of some argument. */
	size_t room = argc > 0 ? (size_t)argc : 1;

	*ret = (struct cmd_context){.commands = commands, .entry = commands[0]};
	for (int i = 1; i < argc; i++)
		room += strlen(argv[i]);
	ret->values = calloc(room, sizeof(*ret->values));
	ret->operands = calloc(room, sizeof(*ret->operands));
	if (!ret->values || !ret->operands)
		return -ENOMEM;

	int err = choose_entry(&parser);
	return err ? err : parse_arguments(&parser);
}

void cmd_fini(struct cmd_context *ctx)
{
	free(ctx->values);
	free(ctx->operands);
	*ctx = (struct cmd_context){0};
}

const struct cmd_value *cmd_find_value(const struct cmd_context *ctx, const struct config_option *option)
{
	for (size_t i = ctx->value_count; i > 0; i--) {
		if (ctx->values[i - 1].option == option)
			return &ctx->values[i - 1];
	}
	return NULL;
}

const struct cmd_entry *cmd_find_entry(const struct cmd_entry *const *commands, const char *name)
{
	for (; *commands; commands++) {
		if (strcmp((*commands)->name, name) == 0)
			return *commands;
	}
	return NULL;
}

void cmd_add_nearest_entry(const struct cmd_entry *const *commands, const char *name, struct buf *out)
{
	struct nearest nearest;

	nearest_init(&nearest, str_of(name));
	for (size_t i = 0; commands[i]; i++)
		nearest_offer(&nearest, str_of(commands[i]->name));
	if (nearest.best.p) {
		buf_printf(out, "; did you mean '%.*s'?", STR_ARG(nearest.best));
		return;
	}
	buf_add_str(out, STR("; the commands are"));
	for (size_t i = 0; commands[i]; i++)
		buf_printf(out, "%s %s", i ? "," : "", commands[i]->name);
}

enum log_level cmd_log_level(const struct cmd_context *ctx)
{
	static const enum log_level levels[] = {LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE};

	if (ctx->debug)
		return LOG_DEBUG;
	if (ctx->silent)
		return LOG_OFF;
	return levels[ctx->verbose < LOG_TRACE - LOG_WARN ? ctx->verbose : LOG_TRACE - LOG_WARN];
}
