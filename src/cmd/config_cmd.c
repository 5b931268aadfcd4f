/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "base/token.h"
#include "cmd/cmd.h"

enum { EVENT_LINE_WIDTH = 27, ACTION_COLUMN = 15 };

enum { DUMP, LIST_ACTIONS, LIST_EVENTS, NEW_TOKEN, VALIDATE, OPTIONS };

static const struct config_option options[OPTIONS] = {
	[DUMP] = {.name = "dump", .help = "print the default configuration of this host"},
	[LIST_ACTIONS] = {.name = "list-actions", .help = "print the actions that rules can take"},
	[LIST_EVENTS] = {.name = "list-events",
			 .help = "print the events that can be configured and their ids"},
	[NEW_TOKEN] = {.name = "new-token",
		       .help = "print a fresh secret for `kunai stop`, and its hash for the configuration"},
	[VALIDATE] =
		{.name = "validate",
		 .argument = "FILE",
		 .help = "check a configuration file and the files it names; prints nothing if all is well"},
};

static const struct {
	const char *name;
	const char *meaning;
} actions[] = {
	{"kill", "kill the process that made the event, with SIGKILL"},
	{"scan-files", "scan the files that the event names with the YARA rules"},
};

static int print_defaults(void)
{
	struct config config;
	struct buf text = {0};

	if (config_init_defaults(&config) < 0)
		return cmd_fail("out of memory");
	int err = config_dump(&config, &text);
	int status = err ? cmd_fail("out of memory") : cmd_print(&text);
	buf_fini(&text);
	config_fini(&config);
	return status;
}

static int print_actions(void)
{
	struct buf text = {0};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		int padding = ACTION_COLUMN - 2 - (int)strlen(actions[i].name);
		buf_printf(&text, "%s:%*s%s\n", actions[i].name, padding, "", actions[i].meaning);
	}
	int status = cmd_print(&text);
	buf_fini(&text);
	return status;
}

static int print_events(void)
{
	struct buf text = {0};

	for (int type = 0; type < EVENT_COUNT; type++) {
		const struct event_info *event = &event_catalogue[type];
		if (event->configurable)
			buf_printf(&text, "%.*s: %*u\n", STR_ARG(event->name),
				   EVENT_LINE_WIDTH - 2 - (int)event->name.len, event->id);
	}
	int status = cmd_print(&text);
	buf_fini(&text);
	return status;
}

/* The secret is for a place that is not this host; the other line goes to the configuration as it is. */
static int print_token(void)
{
	char secret[TOKEN_TEXT], sha256[TOKEN_SHA256_TEXT];
	struct buf text = {0};

	if (token_new(secret, sha256) < 0)
		return cmd_fail("the kernel gives no random bytes");
	buf_printf(&text, "# keep this secret away from the host: %s\nharden_token_sha256: \"%s\"\n", secret,
		   sha256);
	int status = cmd_print(&text);
	buf_fini(&text);
	return status;
}

/* The beginnings of the error lines are Kunai's: scripts look for them. */
static int validate(const char *path)
{
	struct config_messages messages = {0};
	struct config config;
	int status = EXIT_SUCCESS;

	int err = config_load(path, &config, &messages);
	if (err) {
		cmd_report_messages(path, &messages);
		if (messages.errors)
			status = cmd_fail("failed at deserializing YAML configuration: %s has %u error%s",
					  path, messages.errors, messages.errors == 1 ? "" : "s");
		else
			status = cmd_fail("failed at reading configuration: %s: %s", path, strerror(-err));
		goto out;
	}

	config_check_files(&config, &messages);
	cmd_report_messages(path, &messages);
	if (messages.errors)
		status = cmd_fail("failed at initializing event consumer: correct the output of %s", path);
	config_fini(&config);
out:
	config_messages_fini(&messages);
	return status;
}

static int run_config(const struct cmd_context *ctx)
{
	if (ctx->value_count == 0)
		return EXIT_SUCCESS;
	if (ctx->value_count > 1)
		return cmd_fail_usage("option '--%s' cannot be used with '--%s'", ctx->values[1].option->name,
				      ctx->values[0].option->name);

	switch (ctx->values[0].option - options) {
	case DUMP:
		return print_defaults();
	case LIST_ACTIONS:
		return print_actions();
	case LIST_EVENTS:
		return print_events();
	case NEW_TOKEN:
		return print_token();
	default:
		return validate(ctx->values[0].text);
	}
}

const struct cmd_entry cmd_config_entry = {
	.name = "config",
	.summary = "Show the default configuration, or check a configuration file",
	.options = options,
	.option_count = OPTIONS,
	.run = run_config,
};
