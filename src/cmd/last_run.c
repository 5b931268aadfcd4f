/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/last_run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/pid_file.h"
#include "json/writer.h"

/* "TIME running\n" or "TIME stopped\n": both have the same length, so one write replaces the other. */
#define RUNNING " running\n"
#define STOPPED " stopped\n"

enum { TEXT = LAST_RUN_TIME - 1 + sizeof(RUNNING) - 1 };

static bool is_time(const char *text)
{
	static const char form[] = "0000-00-00T00:00:00.000000000Z";

	for (size_t i = 0; i < LAST_RUN_TIME - 1; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

static void read_previous(struct last_run *l)
{
	char text[TEXT + 1];

	if (pread(l->fd, text, sizeof(text), 0) != TEXT || !is_time(text))
		return;
	memcpy(l->until, text, LAST_RUN_TIME - 1);
	l->end = memcmp(text + LAST_RUN_TIME - 1, STOPPED, sizeof(STOPPED) - 1) == 0 ? "stopped" : "killed";
}

void last_run_open(struct last_run *ret)
{
	struct run_path path = run_path_of(LAST_RUN_FILE);

	*ret = (struct last_run){.fd = open(path.text, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)};
	if (ret->fd < 0)
		log_warn("cannot write %s, the next sensor will not know when this one ended: %s", path.text,
			 strerror(errno));
	else
		read_previous(ret);
}

void last_run_close(struct last_run *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static void tell(const struct last_run *l, uint64_t utc, struct str state)
{
	struct buf text = {0};

	if (l->fd < 0)
		return;
	json_write_time(&text, utc);
	buf_add_str(&text, state);
	/* a directory that is full leaves the older time, which is no lie */
	if (!text.failed && pwrite(l->fd, text.p, text.len, 0) < 0)
		log_debug("cannot write when the sensor watched: %s", strerror(errno));
	buf_fini(&text);
}

void last_run_tell(const struct last_run *l, uint64_t utc)
{
	tell(l, utc, STR(RUNNING));
}

void last_run_tell_end(const struct last_run *l, uint64_t utc)
{
	tell(l, utc, STR(STOPPED));
}
