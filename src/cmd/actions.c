/* SPDX-License-Identifier: GPL-3.0-or-later */
#define LOG_MODULE "kunai::actions"

#include "cmd/actions.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

enum { START_TIME_FIELD = 22 }; /* of /proc/<pid>/stat: proc(5) */

static bool has(const struct strv *actions, struct str action)
{
	for (uint32_t i = 0; i < actions->n; i++)
		if (str_eq(actions->v[i], action))
			return true;
	return false;
}

/* Clock ticks since boot, or 0. */
static uint64_t start_ticks(int pid)
{
	char path[32], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* the name may hold anything, so fields are counted from its last parenthesis */
	const char *at = strrchr(text, ')');
	for (int field = 2; at && field < START_TIME_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

static bool was_killed(const struct actions *a, const kind_UUID *guuid)
{
	for (uint32_t i = 0; i < ACTIONS_REMEMBERED; i++)
		if (memcmp(&a->killed[i], guuid, sizeof(*guuid)) == 0)
			return true;
	return false;
}

/* -ESRCH when the process has ended, even if its number lives. */
static int kill_process(int tgid, uint64_t start_ns)
{
	uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
	int fd = (int)syscall(SYS_pidfd_open, tgid, 0);
	if (fd < 0)
		return -errno;
	/* the descriptor holds whoever has the number now: is that the one? */
	int err = start_ticks(tgid) == start_ns / tick_ns ? 0 : -ESRCH;
	if (!err && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0)
		err = -errno;
	close(fd);
	return err;
}

static void run_kill(struct actions *a, const struct event *e)
{
	const struct obj_task *task = &e->info.task;

	if (!e->wire || task->tgid == getpid() || was_killed(a, &task->guuid))
		return;
	log_warn("sending SIGKILL to PID=%d", task->tgid);
	int err = kill_process(task->tgid, e->wire->task.start);
	if (err) {
		log_error("cannot kill PID=%d: %s", task->tgid, strerror(-err));
		return;
	}
	a->killed[a->next] = task->guuid;
	a->next = (a->next + 1) % ACTIONS_REMEMBERED;
}

void actions_run(struct actions *a, const struct event *e)
{
	if (e->detection && has(&e->detection->actions, STR("kill")))
		run_kill(a, e);
}

bool actions_want_scan(const struct event *e)
{
	const struct str action = STR("scan-files");

	return (e->detection && has(&e->detection->actions, action)) ||
	       (e->filter && has(&e->filter->actions, action));
}
