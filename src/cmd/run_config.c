/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the options of `run` to the configuration it runs with. */
#include <errno.h>
#include <stdlib.h>

#include "cmd/cmd.h"

int cmd_load_config(const char *path, struct config *ret)
{
	struct config_messages messages = {0};

	int err = config_load(path, ret, &messages);
	cmd_report_messages(path, &messages);
	uint32_t errors = messages.errors;
	config_messages_fini(&messages);

	if (errors)
		return cmd_fail("the configuration file %s cannot be used: correct the %u error%s above",
				path, errors, errors == 1 ? "" : "s");
	if (err)
		return cmd_fail("cannot read the configuration file %s: %s", path, strerror(-err));
	return EXIT_SUCCESS;
}

/* The option is in the tables of several commands. */
static const struct cmd_value *find_config(const struct cmd_context *ctx)
{
	for (size_t i = ctx->value_count; i > 0; i--)
		if (strcmp(ctx->values[i - 1].option->name, "config") == 0)
			return &ctx->values[i - 1];
	return NULL;
}

static int load_base(const struct cmd_context *ctx, struct config *ret)
{
	const struct cmd_value *file = find_config(ctx);

	if (file)
		return cmd_load_config(file->text, ret);
	if (config_init_defaults(ret) < 0)
		return cmd_fail("out of memory");
	return EXIT_SUCCESS;
}

static int refuse_value(const struct cmd_value *value)
{
	struct buf text = {0};

	buf_printf(&text, "option '--%s': found ", value->option->name);
	buf_add_quoted(&text, str_of(value->text));
	buf_add_str(&text, STR(", expected "));
	option_add_expected(value->option, &text);
	int status = cmd_fail_usage("%.*s", STR_ARG(buf_str(&text)));
	buf_fini(&text);
	return status;
}

static bool is_null_word(const char *text)
{
	return strcmp(text, "none") == 0 || strcmp(text, "null") == 0;
}

static int apply_value(const struct cmd_value *value, struct config *config)
{
	const struct config_option *option = value->option;
	int err;

	if (!value->text)
		err = option_set_text(option, config, STR("true"));
	else if (is_null_word(value->text) && option_set_null(option, config) == 0)
		err = 0;
	else
		err = option_set_text(option, config, str_of(value->text));

	if (err == -ENOMEM)
		return cmd_fail("out of memory");
	return err ? refuse_value(value) : EXIT_SUCCESS;
}

/* Lists given here replace those of the file, so they begin empty. */
static int apply_values(const struct cmd_context *ctx, struct config *config)
{
	for (size_t i = 0; i < ctx->value_count; i++)
		option_clear_list(ctx->values[i].option, config);

	for (size_t i = 0; i < ctx->value_count; i++) {
		if (!option_has_member(ctx->values[i].option))
			continue;
		int status = apply_value(&ctx->values[i], config);
		if (status)
			return status;
	}
	return EXIT_SUCCESS;
}

static void apply_events(const struct cmd_context *ctx, enum option_id id, bool enable, struct config *config)
{
	const struct config_option *option = &config_options[id];
	struct config_messages messages = {0};

	for (size_t i = 0; i < ctx->value_count; i++) {
		if (ctx->values[i].option == option)
			config_enable_events(config, str_of(ctx->values[i].text), enable, &messages);
	}
	for (uint32_t i = 0; i < messages.count; i++)
		log_warn("option '--%s': %s", option->name, messages.v[i].text);
	config_messages_fini(&messages);
}

int run_config_from_options(const struct cmd_context *ctx, struct config *ret)
{
	struct config config;

	int status = load_base(ctx, &config);
	if (status)
		return status;
	status = apply_values(ctx, &config);
	if (status) {
		config_fini(&config);
		return status;
	}
	/* Whatever their order on the command line: --exclude=all --include=execve is the idiom. */
	apply_events(ctx, OPTION_exclude, false, &config);
	apply_events(ctx, OPTION_include, true, &config);
	*ret = config;
	return EXIT_SUCCESS;
}
