/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai install: binary, configuration, directory of the logs and, if wanted, the systemd unit. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/setup.h"
#include "cmd/unit.h"

enum { HARDEN, INSTALL_DIR, LOG_FILE, CONFIG, SYSTEMD, UNIT, ENABLE_UNIT, FORCE, ROOT, OPTIONS };

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
	[ROOT] = {.type = OPTION_TYPE_FILE,
		  .name = "root",
		  .argument = "DIR",
		  .help = "put everything below DIR, for another system: an image, a package"},
};

struct install {
	const char
		*root; /* "" or where the system lies that this is for; all other paths are those inside it */
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

struct target {
	char path[2 * PATH_MAX];
};

static struct target target_of(const struct install *in, const char *path)
{
	struct target target;

	snprintf(target.path, sizeof(target.path), "%s%s", in->root, path);
	return target;
}

/* Whether the file may be written: asks if it is there. */
static bool may_replace(const struct install *in, const char *what, const char *path)
{
	char question[2 * PATH_MAX + 64];

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
	if (in->root[0])
		config.host_uuid[0] = '\0'; /* it is that of the host that this will run on */
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
	struct target target = target_of(in, in->config);
	struct buf text = {0};

	printf("configuration: %s\n", target.path);
	int err = setup_make_parents(target.path, 0755);
	if (!err && may_replace(in, "the configuration", target.path)) {
		err = make_config(in, &text);
		if (!err)
			err = setup_write_file(target.path, &text, 0600);
	} else if (!err) {
		printf("the old configuration stays\n");
	}
	buf_fini(&text);
	return err ? cmd_fail("cannot write %s: %s", target.path, strerror(-err)) : EXIT_SUCCESS;
}

static int install_log_directory(const struct install *in)
{
	struct target target = target_of(in, in->log_file);

	printf("log file: %s\n", target.path);
	int err = setup_make_parents(target.path, 0700);
	return err ? cmd_fail("cannot make the directory of %s: %s", target.path, strerror(-err))
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
	struct target target = target_of(in, in->binary);

	printf("program: %s\n", target.path);
	if (is_this_program(target.path))
		return EXIT_SUCCESS;
	if (!may_replace(in, "the program", target.path))
		return cmd_fail("%s is another program and stays: nothing was installed", target.path);
	int err = setup_make_parents(target.path, 0755);
	if (!err)
		err = setup_copy_file("/proc/self/exe", target.path, 0755);
	return err ? cmd_fail("cannot write %s: %s", target.path, strerror(-err)) : EXIT_SUCCESS;
}

static int control(const char *verb, const char *unit)
{
	int err = unit_control(verb, unit);

	if (err == -EIO && !unit && !unit_manager_runs())
		return EXIT_SUCCESS; /* nobody has to read the units again */
	if (err == -EIO)
		return cmd_fail("systemctl %s failed", verb);
	return err ? cmd_fail("cannot run systemctl: %s", strerror(-err)) : EXIT_SUCCESS;
}

static int write_unit(const struct install *in, const char *path)
{
	const struct unit_options unit = {in->binary, in->config, in->harden};
	struct buf text = {0};

	int err = unit_write(&unit, &text);
	if (!err)
		err = setup_make_parents(path, 0755);
	if (!err)
		err = setup_write_file(path, &text, 0644);
	buf_fini(&text);
	return err ? cmd_fail("cannot write the unit %s: %s", path, strerror(-err)) : EXIT_SUCCESS;
}

static int install_unit(const struct install *in)
{
	struct target target = target_of(in, in->unit);
	int status = EXIT_SUCCESS;

	printf("systemd unit: %s\n", target.path);
	bool there = exists(target.path);
	if (!may_replace(in, "the unit", target.path)) {
		printf("the old unit stays\n");
		return status;
	}
	/* a service that was never started cannot be stopped: no failure */
	if (there && !in->root[0] && unit_control("stop", in->unit) < 0)
		log_warn("the service could not be stopped");
	status = write_unit(in, target.path);
	if (!status && in->enable)
		status = control("daemon-reload", NULL);
	if (!status && in->enable)
		status = control("enable", in->unit);
	return status;
}

static int run_install(const struct cmd_context *ctx)
{
	struct install in = {
		.root = is_given(ctx, ROOT) ? text_of(ctx, ROOT) : "",
		.log_file = text_of(ctx, LOG_FILE),
		.config = text_of(ctx, CONFIG),
		.unit = text_of(ctx, UNIT),
		.harden = is_given(ctx, HARDEN),
		.systemd = is_given(ctx, SYSTEMD),
		.enable = is_given(ctx, ENABLE_UNIT),
		.force = is_given(ctx, FORCE),
	};
	const char *directory = text_of(ctx, INSTALL_DIR);

	if (strlen(in.root) >= PATH_MAX)
		return cmd_fail_usage("option '--root': the path is too long");
	int n = snprintf(in.binary, sizeof(in.binary), "%s/kunai", directory);
	if (n < 0 || (size_t)n >= sizeof(in.binary))
		return cmd_fail_usage("option '--install-dir': the path is too long");
	/* the unit is started somewhere else */
	if (directory[0] != '/' || in.config[0] != '/' || in.log_file[0] != '/' || in.unit[0] != '/')
		return cmd_fail_usage("all paths must be absolute");
	if (in.root[0] && in.enable)
		return cmd_fail_usage("--enable-unit is for this system, not for one below --root");
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
