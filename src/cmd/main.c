/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "cmd/cmd.h"

static const struct cmd_entry *const commands[] = {
	&cmd_run_entry,     &cmd_replay_entry,    &cmd_test_entry,       &cmd_config_entry, &cmd_rules_entry,
	&cmd_reload_entry,  &cmd_logs_entry,      &cmd_status_entry,     &cmd_stop_entry,   &cmd_doctor_entry,
	&cmd_install_entry, &cmd_uninstall_entry, &cmd_completion_entry, &cmd_help_entry,   NULL};

static int print_version(void)
{
	struct buf text = {0};

	buf_add_str(&text, STR("kunai " KUNAI_VERSION "\n"));
	int status = cmd_print(&text);
	buf_fini(&text);
	return status;
}

static int print_help(const struct cmd_context *ctx)
{
	struct buf text = {0};

	cmd_add_help(ctx->commands, ctx->explicit_entry ? ctx->entry : NULL, &text);
	int status = cmd_print(&text);
	buf_fini(&text);
	return status;
}

static int dispatch(const struct cmd_context *ctx)
{
	if (ctx->help)
		return print_help(ctx);
	if (ctx->version)
		return print_version();
	log_set_level(cmd_log_level(ctx));
	return ctx->entry->run(ctx);
}

int main(int argc, char **argv)
{
	struct cmd_context ctx;
	struct buf error = {0};
	int status;

	int err = cmd_parse(commands, argc, argv, &ctx, &error);
	if (err == -EINVAL)
		status = cmd_fail_usage("%.*s", STR_ARG(buf_str(&error)));
	else if (err)
		status = cmd_fail("cannot read the command line: %s", strerror(-err));
	else
		status = dispatch(&ctx);
	cmd_fini(&ctx);
	buf_fini(&error);
	return status;
}
