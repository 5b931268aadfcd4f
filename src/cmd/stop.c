/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai stop: stops the running sensor; a hardened one wants the secret for that. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/pid_file.h"
#include "cmd/status.h"
#include "cmd/stopper.h"
#include "sink/unix_socket.h"

enum {
	SECRET_MAX = 1024,
	ANSWER_MAX = 64,
	ANSWER_SECONDS = 10,
	END_MS = 60 * 1000, /* it writes what it still has */
};

enum { RUN_DIR, OPTIONS };

static const struct config_option options[OPTIONS] = {
	[RUN_DIR] = OPTION_RUN_DIRECTORY,
};

/* From standard input, which may be a terminal: then nothing shows what is typed. */
static int read_secret(char ret[SECRET_MAX])
{
	struct termios shown, hidden;
	bool terminal = tcgetattr(STDIN_FILENO, &shown) == 0;

	if (terminal) {
		fprintf(stderr, "secret of this sensor (empty: it is not hardened): ");
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	ret[0] = '\0';
	char *line = fgets(ret, SECRET_MAX, stdin);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputc('\n', stderr);
	}
	if (!line && ferror(stdin))
		return -errno;
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

static int ask(int fd, const char *secret, char ret[ANSWER_MAX])
{
	struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	char request[sizeof(STOP_REQUEST) + SECRET_MAX];
	size_t len = 0;
	ssize_t n = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	int size = snprintf(request, sizeof(request), STOP_REQUEST "%s\n", secret);
	n = send(fd, request, (size_t)size, MSG_NOSIGNAL);
	explicit_bzero(request, sizeof(request));
	if (n < 0)
		return -errno;
	while (n > 0 && len < ANSWER_MAX - 1) {
		n = recv(fd, ret + len, ANSWER_MAX - 1 - len, 0);
		len += n > 0 ? (size_t)n : 0;
	}
	ret[len] = '\0';
	return n < 0 ? -errno : 0;
}

static int await_end(int process, pid_t pid)
{
	struct pollfd end = {.fd = process, .events = POLLIN};

	if (poll(&end, 1, END_MS) > 0)
		return EXIT_SUCCESS;
	return cmd_fail("the sensor, pid %d, was told to stop, but still runs after %d seconds", pid,
			END_MS / 1000);
}

static int stop(int socket, int process, pid_t pid)
{
	char secret[SECRET_MAX], answer[ANSWER_MAX];

	int err = read_secret(secret);
	if (!err)
		err = ask(socket, secret, answer);
	explicit_bzero(secret, sizeof(secret));
	if (err)
		return cmd_fail("cannot ask the sensor, pid %d, to stop: %s", pid, strerror(-err));
	if (strcmp(answer, STOP_GRANTED) == 0)
		return await_end(process, pid);
	if (strcmp(answer, STOP_REFUSED) == 0)
		return cmd_fail("the sensor, pid %d, is hardened, and that is not its secret", pid);
	if (strcmp(answer, STOP_CLOSED) == 0)
		return cmd_fail(
			"the sensor, pid %d, is hardened, and no secret was enrolled before its start "
			"(harden_token_sha256): only a reboot without it stops it",
			pid);
	return cmd_fail("the sensor, pid %d, gave no answer that this version knows", pid);
}

static int run_stop(const struct cmd_context *ctx)
{
	pid_t pid = 0;

	int status = cmd_use_run_directory(ctx, &options[RUN_DIR]);
	if (status)
		return status;
	if (geteuid() != 0)
		return cmd_fail("only root may stop the sensor; try `sudo kunai stop`");
	int process = pid_file_open_holder(&pid);
	if (process < 0)
		return cmd_fail("cannot find a running sensor by %s/kunai.pid: %s", run_directory(),
				process == -ESRCH ? "none holds its lock" : strerror(-process));
	struct run_path path = run_path_of(STATUS_SOCKET);
	int fd = unix_socket_connect(path.text, SOCK_STREAM);
	status = fd < 0 ? cmd_fail("nobody listens at %s: %s; is the sensor, pid %d, still starting?",
				   path.text, strerror(-fd), pid)
			: stop(fd, process, pid);
	if (fd >= 0)
		close(fd);
	close(process);
	return status;
}

const struct cmd_entry cmd_stop_entry = {
	.name = "stop",
	.summary = "Stop the running sensor; the secret of a hardened one is read from standard input",
	.options = options,
	.option_count = OPTIONS,
	.run = run_stop,
};
