/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hardened mode's part of the pipeline. */
#include "cmd/pipeline_internal.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MODULE "kunai::guard"
#include "base/log.h"
#include "cmd/pid_file.h"

enum { FILES_MAX = 1024 }; /* that are guarded from the start; of old logs the others are not */

struct files {
	char *v[FILES_MAX];
	size_t count;
	bool full;
};

static void add_file(struct files *files, const char *path)
{
	char *copy = path && files->count < FILES_MAX ? strdup(path) : NULL;

	if (copy)
		files->v[files->count++] = copy;
	else if (path)
		files->full = true;
}

/* The log and those before it: their names begin like its own. */
static void add_logs(struct files *files, const char *path)
{
	char directory[PATH_MAX], name[PATH_MAX], full[2 * PATH_MAX];

	snprintf(directory, sizeof(directory), "%s", path);
	snprintf(name, sizeof(name), "%s", path);
	const char *parent = dirname(directory), *prefix = basename(name);
	DIR *dir = opendir(parent);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		snprintf(full, sizeof(full), "%s/%s", parent, entry->d_name);
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && entry->d_type == DT_REG)
			add_file(files, full);
	}
	if (dir)
		closedir(dir);
}

static void log_lines(const char *line)
{
	for (size_t len; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		log_warn("%.*s", (int)len, line);
	}
}

int pipeline_guard_start(struct pipeline *p, struct buf *ret_message)
{
	struct files files = {0};

	if (!p->config->harden)
		return 0;
	add_file(&files, p->sensor->config_file);
	add_file(&files, run_path_of("kunai.pid").text);
	if (config_output_standard(p->config) < 0)
		add_logs(&files, p->config->output.path);
	const struct guard_options options = {
		.lease = config_harden_lease(p->config),
		.helpers = p->sensor->helpers,
		.helper_count = SENSOR_HELPERS,
		.files = (const char *const *)files.v,
		.file_count = files.count,
		.directory = run_directory(),
	};
	int err = guard_open(p->probe, &options, &p->guard, ret_message);
	if (!err) {
		log_lines(guard_warnings(p->guard));
		if (files.full)
			log_warn("some old logs are not guarded: there are more than %d", FILES_MAX);
		log_info("hardened: %s", p->config->harden_token ? "`kunai stop` wants the secret"
								 : "nothing but a reboot stops the sensor");
	}
	for (size_t i = 0; i < files.count; i++)
		free(files.v[i]);
	p->stopper.hardened = true;
	p->stopper.sha256 = p->config->harden_token;
	return err;
}

static void report_lapse(struct pipeline *p, uint64_t lapsed)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "the sensor did not run for so long that its protection was off for %.1f s",
		 (double)lapsed / 1e9);
	pipeline_print_error(p, ERROR_GUARD_LAPSED, text);
}

static void report_refused_stops(struct pipeline *p, unsigned int refused)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "%u attempts to stop the sensor without its secret, the last one by process %d",
		 refused - p->stops_told, atomic_load(&p->stopper.refused_pid));
	p->stops_told = refused;
	pipeline_print_error(p, ERROR_STOP_REFUSED, text);
}

void pipeline_guard_tick(struct pipeline *p)
{
	unsigned int refused = atomic_load(&p->stopper.refused);
	uint64_t lapsed = p->guard ? guard_renew(p->guard) : 0;

	if (lapsed)
		report_lapse(p, lapsed);
	if (refused != p->stops_told)
		report_refused_stops(p, refused);
	if (p->guard && guard_unremembered(p->guard) > p->unguarded_told) {
		p->unguarded_told = guard_unremembered(p->guard);
		log_warn("%" PRIu64 " files are not guarded: there are too many", p->unguarded_told);
	}
}

bool pipeline_may_stop(const struct pipeline *p, const struct signalfd_siginfo *info)
{
	/* Ctrl-C comes from the kernel; what a process sent came while the protection was off */
	return !p->stopper.hardened || (info->ssi_signo == SIGINT && info->ssi_code == SI_KERNEL);
}
