/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai install: binary, configuration, directory of the logs and, if wanted, the systemd unit. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/setup.h"
#include "cmd/unit.h"

enum { HARDEN, INSTALL_DIR, LOG_FILE, CONFIG, SYSTEMD, UNIT, ENABLE_UNIT, FORCE, OPTIONS };

static const struct config_option options[OPTIONS] = {
	[HARDEN] = {.name = "harden", .help = "protect the sensor from being killed or traced"},
	[INSTALL_DIR] = {.type = OPTION_TYPE_FILE,
			 .name = "install-dir",
			 .argument = "DIR",
			 .default_text = "/usr/bin",
			 .help = "directory of the binary"},
	[LOG_FILE] = {.type = OPTION_TYPE_FILE,
		      .name = "log-file",
		      .argument = "FILE",
		      .default_text = "/var/log/kunai/events.log",
		      .help = "output file"},
	[CONFIG] = {.type = OPTION_TYPE_FILE,
		    .name = "config",
		    .argument = "FILE",
		    .default_text = CONFIG_DEFAULT_PATH,
		    .help = "configuration file"},
	[SYSTEMD] = {.name = "systemd", .help = "install a systemd unit, too"},
	[UNIT] = {.type = OPTION_TYPE_FILE,
		  .name = "systemd-unit",
		  .letter = 'u',
		  .argument = "FILE",
		  .default_text = UNIT_DEFAULT_PATH,
		  .help = "its file"},
	[ENABLE_UNIT] = {.name = "enable-unit",
			 .help = "have systemd start it with the system; it is not started now"},
	[FORCE] = {.name = "force", .letter = 'f', .help = "replace what is there without asking"},
};

struct install {
	const char *log_file, *config, *unit;
	char binary[PATH_MAX];
	bool harden, systemd, enable, force;
};

static const char *text_of(const struct cmd_context *ctx, int option)
{
	const struct cmd_value *value = cmd_find_value(ctx, &options[option]);

	return value ? value->text : options[option].default_text;
}

static bool is_given(const struct cmd_context *ctx, int option)
{
	return cmd_find_value(ctx, &options[option]) != NULL;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Whether the file may be written: asks if it is there. */
static bool may_replace(const struct install *in, const char *what, const char *path)
{
	char question[PATH_MAX + 64];

	if (in->force || !exists(path))
		return true;
	snprintf(question, sizeof(question), "%s %s exists, replace it?", what, path);
	return setup_ask(question);
}

/* With what its reader does not want to be without: rotation, and a bound. */
static int make_config(const struct install *in, struct buf *out)
{
	static const struct {
		enum option_id id;
		const char *text;
	} values[] = {
		{OPTION_output_rotate_size, "10MB"},
		{OPTION_output_rotate_interval, "15m"},
		{OPTION_output_max_size, "1GB"},
	};
	struct config config;

	int err = config_init_defaults(&config);
	if (err)
		return err;
	config.harden = in->harden;
	err = option_set_text(&config_options[OPTION_output_path], &config, str_of(in->log_file));
	for (size_t i = 0; i < sizeof(values) / sizeof(*values) && !err; i++)
		err = option_set_text(&config_options[values[i].id], &config, str_of(values[i].text));
	if (!err)
		err = config_dump(&config, out);
	config_fini(&config);
	return err;
}

static int install_config(const struct install *in)
{
	struct buf text = {0};

	printf("configuration: %s\n", in->config);
	int err = setup_make_parents(in->config, 0755);
	if (!err && may_replace(in, "the configuration", in->config)) {
		err = make_config(in, &text);
		if (!err)
			err = setup_write_file(in->config, &text, 0600);
	} else if (!err) {
		printf("the old configuration stays\n");
	}
	buf_fini(&text);
	return err ? cmd_fail("cannot write %s: %s", in->config, strerror(-err)) : EXIT_SUCCESS;
}

static int install_log_directory(const struct install *in)
{
	printf("log file: %s\n", in->log_file);
	int err = setup_make_parents(in->log_file, 0700);
	return err ? cmd_fail("cannot make the directory of %s: %s", in->log_file, strerror(-err))
		   : EXIT_SUCCESS;
}

static bool is_this_program(const char *path)
{
	struct stat self, other;

	return stat("/proc/self/exe", &self) == 0 && stat(path, &other) == 0 && self.st_dev == other.st_dev &&
	       self.st_ino == other.st_ino;
}

static int install_binary(const struct install *in)
{
	printf("program: %s\n", in->binary);
	if (is_this_program(in->binary))
		return EXIT_SUCCESS;
	if (!may_replace(in, "the program", in->binary))
		return cmd_fail("%s is another program and stays: nothing was installed", in->binary);
	int err = setup_make_parents(in->binary, 0755);
	if (!err)
		err = setup_copy_file("/proc/self/exe", in->binary, 0755);
	return err ? cmd_fail("cannot write %s: %s", in->binary, strerror(-err)) : EXIT_SUCCESS;
}

static int control(const char *verb, const char *unit)
{
	int err = unit_control(verb, unit);

	if (err == -EIO)
		return cmd_fail("systemctl %s failed", verb);
	return err ? cmd_fail("cannot run systemctl: %s", strerror(-err)) : EXIT_SUCCESS;
}

static int write_unit(const struct install *in)
{
	const struct unit_options unit = {in->binary, in->config, in->harden};
	struct buf text = {0};

	int err = unit_write(&unit, &text);
	if (!err)
		err = setup_make_parents(in->unit, 0755);
	if (!err)
		err = setup_write_file(in->unit, &text, 0644);
	buf_fini(&text);
	return err ? cmd_fail("cannot write the unit %s: %s", in->unit, strerror(-err)) : EXIT_SUCCESS;
}

static int install_unit(const struct install *in)
{
	int status = EXIT_SUCCESS;

	printf("systemd unit: %s\n", in->unit);
	bool there = exists(in->unit);
	if (!may_replace(in, "the unit", in->unit)) {
		printf("the old unit stays\n");
		return status;
	}
	/* a service that was never started cannot be stopped: no failure */
	if (there && unit_control("stop", in->unit) < 0)
		log_warn("the service could not be stopped");
	status = write_unit(in);
	if (!status && in->enable)
		status = control("daemon-reload", NULL);
	if (!status && in->enable)
		status = control("enable", in->unit);
	return status;
}

static int run_install(const struct cmd_context *ctx)
{
	struct install in = {
		.log_file = text_of(ctx, LOG_FILE),
		.config = text_of(ctx, CONFIG),
		.unit = text_of(ctx, UNIT),
		.harden = is_given(ctx, HARDEN),
		.systemd = is_given(ctx, SYSTEMD),
		.enable = is_given(ctx, ENABLE_UNIT),
		.force = is_given(ctx, FORCE),
	};
	const char *directory = text_of(ctx, INSTALL_DIR);

	if (in.harden)
		return cmd_fail("this version has no hardened mode: leave --harden out");
	int n = snprintf(in.binary, sizeof(in.binary), "%s/kunai", directory);
	if (n < 0 || (size_t)n >= sizeof(in.binary))
		return cmd_fail_usage("option '--install-dir': the path is too long");
	/* the unit is started somewhere else */
	if (directory[0] != '/' || in.config[0] != '/' || in.log_file[0] != '/' || in.unit[0] != '/')
		return cmd_fail_usage("all paths must be absolute");
	int status = install_binary(&in);
	if (!status)
		status = install_log_directory(&in);
	if (!status)
		status = install_config(&in);
	if (!status && in.systemd)
		status = install_unit(&in);
	return status;
}

const struct cmd_entry cmd_install_entry = {
	.name = "install",
	.summary = "Install this program, a configuration and a systemd unit",
	.options = options,
	.option_count = OPTIONS,
	.run = run_install,
};
