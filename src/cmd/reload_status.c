/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/reload_status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/pid_file.h"

#define STATUS_FILE run_path_of("reload").text
#define NEW_FILE    run_path_of("reload.new").text

enum { HEAD_MAX = 128 };

int reload_status_write(const struct reload_status *status)
{
	struct buf text = {0};

	buf_printf(&text, "%" PRIu64 " %" PRIu64 " %s\n", status->begun, status->finished,
		   status->failed ? "failed" : "done");
	buf_add(&text, status->text.p,
		status->text.len < RELOAD_STATUS_MAX ? status->text.len : RELOAD_STATUS_MAX);
	unlink(NEW_FILE);
	int fd = open(NEW_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err = text.failed ? -ENOMEM : fd < 0 ? -errno : 0;
	if (!err && write(fd, text.p, text.len) != (ssize_t)text.len)
		err = -EIO;
	if (fd >= 0)
		close(fd);
	if (!err && rename(NEW_FILE, STATUS_FILE) < 0)
		err = -errno;
	buf_fini(&text);
	return err;
}

static int parse(char *text, size_t len, struct reload_status *ret)
{
	char word[8];
	int head = 0;

	*ret = (struct reload_status){0};
	if (sscanf(text, "%" SCNu64 " %" SCNu64 " %7[a-z]%n", &ret->begun, &ret->finished, word, &head) !=
		    3 ||
	    text[head] != '\n')
		return -EBADMSG;
	ret->failed = strcmp(word, "failed") == 0;
	buf_add(&ret->text, text + head + 1, len - (size_t)head - 1);
	return ret->text.failed ? -ENOMEM : 0;
}

int reload_status_read(struct reload_status *ret)
{
	size_t len = 0, max = HEAD_MAX + RELOAD_STATUS_MAX;
	ssize_t n = 0;
	int fd = open(STATUS_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	char *text = malloc(max + 1);
	while (text && len < max && (n = read(fd, text + len, max - len)) > 0)
		len += (size_t)n;
	int err = !text ? -ENOMEM : n < 0 ? -errno : 0;
	close(fd);
	if (!err) {
		text[len] = '\0';
		err = parse(text, len, ret);
	}
	free(text);
	return err;
}

void reload_status_fini(struct reload_status *status)
{
	buf_fini(&status->text);
}

void reload_status_remove(void)
{
	unlink(STATUS_FILE);
}
