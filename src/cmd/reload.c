/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai reload: has the running sensor load its rules and IoCs anew, and tells what became of it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/pid_file.h"
#include "cmd/reload_status.h"

enum {
	WAIT_MS = 60 * 1000, /* loading a million IoCs takes a few seconds */
	LOOK_MS = 20,
};

static int find_sensor(pid_t *ret_pid, int *ret_process)
{
	if (geteuid() != 0)
		return cmd_fail("only root may tell the sensor to reload; try `sudo kunai reload`");
	*ret_process = pid_file_open_holder(ret_pid);
	if (*ret_process == -ESRCH)
		return cmd_fail("no sensor is running: there is none that holds the lock of %s/kunai.pid",
				run_directory());
	if (*ret_process < 0)
		return cmd_fail("cannot find out which process is the sensor from %s/kunai.pid and "
				"/proc/locks: %s",
				run_directory(), strerror(-*ret_process));
	return EXIT_SUCCESS;
}

/* Every file that is there by now is seen by the reload after those that have begun. */
static uint64_t count_begun(void)
{
	struct reload_status status = {0};
	uint64_t begun = reload_status_read(&status) ? 0 : status.begun;

	reload_status_fini(&status);
	return begun;
}

static int tell(const struct reload_status *status)
{
	fwrite(status->text.p, 1, status->text.len, stderr);
	if (status->failed)
		return cmd_fail("the reload failed: the sensor keeps the rules and IoCs that it had");
	return EXIT_SUCCESS;
}

static int await(int process, pid_t pid, uint64_t begun)
{
	struct pollfd end = {.fd = process, .events = POLLIN};

	for (int waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
		struct reload_status status = {0};
		bool finished = reload_status_read(&status) == 0 && status.finished > begun;
		int result = finished ? tell(&status) : EXIT_SUCCESS;
		reload_status_fini(&status);
		if (finished)
			return result;
		if (poll(&end, 1, LOOK_MS) > 0)
			return cmd_fail("the sensor, pid %d, has ended", pid);
	}
	return cmd_fail(
		"the sensor, pid %d, was told to reload, but has not said within %d seconds whether it did; "
		"see its log",
		pid, WAIT_MS / 1000);
}

enum { RUN_DIR, OPTIONS };

static const struct config_option options[OPTIONS] = {
	[RUN_DIR] = OPTION_RUN_DIRECTORY,
};

static int run_reload(const struct cmd_context *ctx)
{
	int process = -1;
	pid_t pid;

	int status = cmd_use_run_directory(ctx, &options[RUN_DIR]);
	if (!status)
		status = find_sensor(&pid, &process);
	if (status)
		return status;
	uint64_t begun = count_begun();
	if (syscall(SYS_pidfd_send_signal, process, SIGHUP, NULL, 0) < 0)
		status = cmd_fail("cannot send a signal to the sensor, pid %d: %s", pid, strerror(errno));
	else
		status = await(process, pid, begun);
	close(process);
	return status;
}

const struct cmd_entry cmd_reload_entry = {
	.name = "reload",
	.summary = "Have the running sensor load its rules and IoCs anew",
	.options = options,
	.option_count = OPTIONS,
	.run = run_reload,
};
