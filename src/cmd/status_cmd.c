/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai status: asks the running sensor how it is. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/pid_file.h"
#include "cmd/status.h"
#include "sink/unix_socket.h"

enum { ANSWER_MAX = 1 << 20, WAIT_SECONDS = 10, BLOCK = 4096 };

enum { JSON, RUN_DIR, OPTIONS };

static const struct config_option options[OPTIONS] = {
	[JSON] = {.name = "json", .help = "as one line of JSON"},
	[RUN_DIR] = OPTION_RUN_DIRECTORY,
};

static int ask(int fd, const char *question, struct buf *ret)
{
	struct timeval patience = {.tv_sec = WAIT_SECONDS};
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, question, strlen(question), MSG_NOSIGNAL) < 0)
		return -errno;
	do {
		if (!buf_reserve(ret, BLOCK))
			return -ENOMEM;
		n = recv(fd, ret->p + ret->len, ret->cap - ret->len, 0);
		if (n > 0)
			ret->len += (size_t)n;
	} while (n > 0 && ret->len < ANSWER_MAX);
	return n < 0 ? -errno : ret->len ? 0 : -ENODATA;
}

static int run_status(const struct cmd_context *ctx)
{
	struct buf answer = {0};

	int status = cmd_use_run_directory(ctx, &options[RUN_DIR]);
	if (status)
		return status;
	struct run_path path = run_path_of(STATUS_SOCKET);
	int fd = unix_socket_connect(path.text, SOCK_STREAM);
	if (fd == -EACCES)
		return cmd_fail("only root may ask the sensor; try `sudo kunai status`");
	if (fd == -ENOENT || fd == -ECONNREFUSED)
		return cmd_fail("no sensor is running, or it is still starting: nobody listens at %s",
				path.text);
	if (fd < 0)
		return cmd_fail("cannot ask the sensor at %s: %s", path.text, strerror(-fd));
	int err = ask(fd, cmd_find_value(ctx, &options[JSON]) ? "json\n" : "text\n", &answer);
	close(fd);
	status = err ? cmd_fail("the sensor at %s does not answer: %s", path.text, strerror(-err))
		     : cmd_print(&answer);
	buf_fini(&answer);
	return status;
}

const struct cmd_entry cmd_status_entry = {
	.name = "status",
	.summary = "Show how the running sensor is",
	.options = options,
	.option_count = OPTIONS,
	.run = run_status,
};
