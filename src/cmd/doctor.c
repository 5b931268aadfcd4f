/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai doctor: what is wrong with this machine, or could be better, and what to do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/doctor.h"
#include "cmd/pid_file.h"
#include "probe/harden.h"
#include "schema/wire.h"

enum { FREE_WANTED_MIB = 100 };

enum { JSON, CONFIG, RUN_DIR, OPTIONS };

static const struct config_option options[OPTIONS] = {
	[JSON] = {.name = "json", .help = "as one line of JSON"},
	[CONFIG] = {.type = OPTION_TYPE_FILE,
		    .name = "config",
		    .letter = 'c',
		    .argument = "FILE",
		    .default_text = CONFIG_DEFAULT_PATH,
		    .help = "configuration file to look at"},
	[RUN_DIR] = OPTION_RUN_DIRECTORY,
};

static void check_output(const struct config *config, struct diagnosis *f)
{
	char path[4096];
	struct statvfs fs;

	if (!config->output.path || *config->output.path != '/' ||
	    strncmp(config->output.path, "/dev/", 5) == 0)
		return;
	snprintf(path, sizeof(path), "%s", config->output.path);
	*strrchr(path, '/') = '\0';
	if (statvfs(*path ? path : "/", &fs) < 0) {
		diagnosis_add(f, "output", FINDING_FAILURE, "make the directory, or change output.path",
			      "%s: %s", path, strerror(errno));
		return;
	}
	uint64_t mib = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
	diagnosis_add(f, "output", mib < FREE_WANTED_MIB ? FINDING_WARNING : FINDING_OK,
		      "free some space, or bound the files with output.max_size", "%s, %llu MiB are free",
		      config->output.path, (unsigned long long)mib);
}

/* Whether the sensor can be one that nobody stops. */
static void check_guard(bool wanted, struct diagnosis *f)
{
	enum finding_state missing = wanted ? FINDING_FAILURE : FINDING_NOTE;
	int err = guard_check();

	if (err == -EOPNOTSUPP)
		diagnosis_add(f, "hardened mode", missing,
			      "boot a kernel with CONFIG_BPF_LSM, or leave harden out",
			      "not possible: this kernel is built without the BPF LSM");
	else if (err == -ENOENT)
		diagnosis_add(f, "hardened mode", missing,
			      "add bpf to lsm= of the kernel's command line, or leave harden out",
			      "not possible: this kernel was booted without the BPF LSM");
	else if (err == -ENODATA || (err && geteuid() != 0))
		diagnosis_add(f, "hardened mode", FINDING_UNKNOWN, "mount /sys/kernel/security, ask as root",
			      "it cannot be found out whether it is possible");
	else
		diagnosis_add(f, "hardened mode", err ? missing : FINDING_OK, "leave harden out",
			      err ? "not possible: the kernel refuses programs of the BPF LSM: %s"
				  : "possible%s",
			      err ? strerror(-err) : "");
}

static enum config_tier check_config(const char *path, struct diagnosis *f)
{
	struct config_messages messages = {0};
	struct config config;
	enum config_tier tier = TIER_AUTO;

	if (!path && access(CONFIG_DEFAULT_PATH, F_OK) < 0) {
		diagnosis_add(f, "configuration", FINDING_OK, NULL,
			      "no " CONFIG_DEFAULT_PATH ": the defaults");
		check_guard(false, f);
		return tier;
	}
	path = path ? path : CONFIG_DEFAULT_PATH;
	int err = config_load(path, &config, &messages);
	if (messages.errors)
		diagnosis_add(f, "configuration", FINDING_FAILURE,
			      "correct it; kunai config --validate tells all", "%s:%u:%u: %s", path,
			      messages.v[0].line, messages.v[0].column, messages.v[0].text);
	else if (err)
		diagnosis_add(f, "configuration", err == -EACCES ? FINDING_UNKNOWN : FINDING_FAILURE,
			      "ask as root, or correct the path", "%s: %s", path, strerror(-err));
	else
		diagnosis_add(f, "configuration", messages.count ? FINDING_WARNING : FINDING_OK,
			      "kunai config --validate tells of them",
			      messages.count ? "%s, with warnings" : "%s", path);
	check_guard(!err && config.harden, f);
	if (!err) {
		check_output(&config, f);
		tier = config.tier;
		config_fini(&config);
	}
	config_messages_fini(&messages);
	return tier;
}

static void check_sensor(struct diagnosis *f)
{
	pid_t pid;
	int fd = pid_file_open_holder(&pid);

	if (fd >= 0) {
		diagnosis_add(f, "sensor", FINDING_OK, NULL, "runs as process %d; see kunai status", pid);
		close(fd);
	} else if (fd == -ESRCH || fd == -ENOENT) {
		diagnosis_add(f, "sensor", FINDING_NOTE, "kunai run, or systemctl start kunai",
			      "does not run");
	} else {
		diagnosis_add(f, "sensor", FINDING_UNKNOWN, "ask as root", "cannot tell whether it runs: %s",
			      strerror(-fd));
	}
}

enum config_tier doctor_check_setup(const char *path, struct diagnosis *ret)
{
	enum config_tier tier = check_config(path, ret);

	check_sensor(ret);
	return tier;
}

static int run_doctor(const struct cmd_context *ctx)
{
	const struct cmd_value *path = cmd_find_value(ctx, &options[CONFIG]);
	struct event_place places[EVENT_COUNT];
	struct diagnosis findings = {0};
	struct buf text = {0};
	int count = 0;

	int status = cmd_use_run_directory(ctx, &options[RUN_DIR]);
	if (status)
		return status;
	doctor_check_host("", &findings);
	enum config_tier tier = doctor_check_setup(path ? path->text : NULL, &findings);
	if (geteuid() == 0)
		count = doctor_find_places(tier != TIER_TRACEPOINTS, &findings, places);
	else
		diagnosis_add(&findings, "programs", FINDING_UNKNOWN,
			      "ask as root, to see where each event is taken", "only root may load them");
	if (cmd_find_value(ctx, &options[JSON]))
		doctor_write_json(&findings, places, count, &text);
	else
		doctor_write_text(&findings, places, count, cmd_wants_colour(STDOUT_FILENO), &text);
	status = cmd_print(&text);
	buf_fini(&text);
	for (unsigned int i = 0; i < findings.count; i++)
		if (findings.v[i].state == FINDING_FAILURE)
			status = EXIT_FAILURE;
	return status;
}

const struct cmd_entry cmd_doctor_entry = {
	.name = "doctor",
	.summary = "Tell what keeps the sensor from running, or from running well",
	.options = options,
	.option_count = OPTIONS,
	.run = run_doctor,
};
