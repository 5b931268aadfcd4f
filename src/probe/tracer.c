/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/tracer.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"

enum { STATUS_MAX = 64 * 1024 }; /* a line of it lists all groups of the user */

/* proc_pid_status(5). */
static pid_t tracer_of_thread(const char *directory, const char *tid)
{
	static const char key[] = "\nTracerPid:\t";
	struct buf text = {0};
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/status", directory, tid);
	pid_t found = file_read(path, STATUS_MAX, &text);
	buf_add_char(&text, '\0');
	const char *line = found || text.failed ? NULL : strstr(text.p, key);
	if (line)
		found = (pid_t)strtol(line + strlen(key), NULL, 10);
	else if (!found)
		found = -ENODATA;
	buf_fini(&text);
	/* it has ended meanwhile */
	return found == -ENOENT || found == -ESRCH ? 0 : found;
}

pid_t tracer_find(pid_t tgid)
{
	char directory[64];
	pid_t found = 0;

	snprintf(directory, sizeof(directory), "/proc/%d/task", tgid);
	DIR *dir = opendir(directory);
	if (!dir)
		return -errno;
	for (struct dirent *entry; !found && (entry = readdir(dir));)
		if (isdigit((unsigned char)*entry->d_name))
			found = tracer_of_thread(directory, entry->d_name);
	closedir(dir);
	return found;
}
