/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/option.h"

static const struct config_place nowhere;

static int check_access(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) < 0 ? -errno : 0;
}

static void check_paths(const struct config_option *option, const struct config *config,
			struct config_messages *messages)
{
	const struct config_paths *paths = option_paths(option, config);

	for (uint32_t i = 0; i < paths->count; i++) {
		int err = check_access(paths->v[i], R_OK);
		if (err)
			config_messages_add(messages, CONFIG_WARNING, nowhere, "%s: cannot read %s: %s",
					    option->key, paths->v[i], strerror(-err));
	}
}

/* Whether a file can be made in the directory, or the directory in its own parent: the sensor makes one level. */
static int check_directory(char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? check_access(path, W_OK | X_OK) : -ENOTDIR;
	if (errno != ENOENT)
		return -errno;
	return check_access(dirname(path), W_OK | X_OK);
}

static int check_output(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? -EISDIR : check_access(path, W_OK);
	if (errno != ENOENT)
		return -errno;

	char *copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	int err = check_directory(dirname(copy));
	free(copy);
	return err;
}

void config_check_files(const struct config *config, struct config_messages *messages)
{
	for (int id = 0; id < OPTION_COUNT; id++) {
		if (config_options[id].type == OPTION_TYPE_PATHS)
			check_paths(&config_options[id], config, messages);
	}

	if (config_output_standard(config) >= 0)
		return;
	int err = check_output(config->output.path);
	if (err)
		config_messages_add(messages, CONFIG_ERROR, nowhere, "output.path: cannot write %s: %s",
				    config->output.path, strerror(-err));
}
