/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai uninstall: what install made. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/setup.h"
#include "cmd/unit.h"

enum { BIN, CONFIG_DIR, LOG_DIR, UNIT, ALL, FORCE, OPTIONS };

static const struct config_option options[OPTIONS] = {
	[BIN] = {.type = OPTION_TYPE_FILE,
		 .name = "bin",
		 .argument = "FILE",
		 .default_text = "/usr/bin/kunai",
		 .help = "the program"},
	[CONFIG_DIR] = {.type = OPTION_TYPE_FILE,
			.name = "config-dir",
			.argument = "DIR",
			.default_text = "/etc/kunai/",
			.help = "directory of the configuration"},
	[LOG_DIR] = {.type = OPTION_TYPE_FILE,
		     .name = "log-dir",
		     .argument = "DIR",
		     .default_text = "/var/log/kunai",
		     .help = "directory of the logs"},
	[UNIT] = {.type = OPTION_TYPE_FILE,
		  .name = "systemd-unit",
		  .letter = 'u',
		  .argument = "FILE",
		  .default_text = UNIT_DEFAULT_PATH,
		  .help = "file of the systemd unit"},
	[ALL] = {.name = "all", .help = "delete configuration and logs, too"},
	[FORCE] = {.name = "force", .letter = 'f', .help = "do not ask"},
};

static const char *text_of(const struct cmd_context *ctx, int option)
{
	const struct cmd_value *value = cmd_find_value(ctx, &options[option]);

	return value ? value->text : options[option].default_text;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int remove_unit(const char *path)
{
	if (unit_control("stop", path) < 0 || unit_control("disable", path) < 0)
		return cmd_fail("the service of %s could not be stopped and disabled: nothing was removed",
				path);
	if (unlink(path) < 0)
		return cmd_fail("cannot remove %s: %s", path, strerror(errno));
	if (unit_control("daemon-reload", NULL) < 0)
		log_error("systemctl daemon-reload failed");
	return EXIT_SUCCESS;
}

static int remove_directory(const char *path)
{
	int err = setup_remove_directory(path);

	if (err == -EPERM)
		return cmd_fail("%s is too near to the root to be removed with all that is in it", path);
	return err ? cmd_fail("cannot remove %s: %s", path, strerror(-err)) : EXIT_SUCCESS;
}

/* Of each the option, and whether it goes only with --all. The unit is first, as it runs the program. */
static const struct {
	int option;
	bool all_only;
} parts[] = {{UNIT, false}, {BIN, false}, {CONFIG_DIR, true}, {LOG_DIR, true}};

static bool is_wanted(const struct cmd_context *ctx, size_t part)
{
	bool all = cmd_find_value(ctx, &options[ALL]);

	return (all || !parts[part].all_only) && exists(text_of(ctx, parts[part].option));
}

static int remove_part(const struct cmd_context *ctx, size_t part)
{
	const char *path = text_of(ctx, parts[part].option);

	printf("removing %s\n", path);
	if (parts[part].option == UNIT)
		return remove_unit(path);
	if (parts[part].all_only)
		return remove_directory(path);
	return unlink(path) < 0 ? cmd_fail("cannot remove %s: %s", path, strerror(errno)) : EXIT_SUCCESS;
}

static int run_uninstall(const struct cmd_context *ctx)
{
	unsigned int count = 0;
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (!is_wanted(ctx, i))
			continue;
		if (count++ == 0)
			printf("This will be removed:\n");
		printf("  %s\n", text_of(ctx, parts[i].option));
	}
	if (count == 0) {
		printf("There is nothing to remove.\n");
		return EXIT_SUCCESS;
	}
	if (!cmd_find_value(ctx, &options[FORCE]) && !setup_ask("Do you want to continue?")) {
		printf("Uninstall cancelled.\n");
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && !status; i++)
		if (is_wanted(ctx, i))
			status = remove_part(ctx, i);
	return status;
}

const struct cmd_entry cmd_uninstall_entry = {
	.name = "uninstall",
	.summary = "Remove what install has made",
	.options = options,
	.option_count = OPTIONS,
	.run = run_uninstall,
};
