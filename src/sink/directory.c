/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sink/directory.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int directory_make(const char *path)
{
	char *copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	int err = mkdir(dirname(copy), 0700) < 0 && errno != EEXIST ? -errno : 0;
	free(copy);
	return err;
}
