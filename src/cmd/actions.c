/* SPDX-License-Identifier: GPL-3.0-or-later */
#define LOG_MODULE "kunai::actions"

#include "cmd/actions.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/end_process.h"

static bool has(const struct strv *actions, struct str action)
{
	for (uint32_t i = 0; i < actions->n; i++)
		if (str_eq(actions->v[i], action))
			return true;
	return false;
}

static bool was_killed(const struct actions *a, const kind_UUID *guuid)
{
	for (uint32_t i = 0; i < ACTIONS_REMEMBERED; i++)
		if (memcmp(&a->killed[i], guuid, sizeof(*guuid)) == 0)
			return true;
	return false;
}

/* What has ended by itself is done with, too: its later events need not say so again. */
static void remember(struct actions *a, const kind_UUID *guuid)
{
	a->killed[a->next] = *guuid;
	a->next = (a->next + 1) % ACTIONS_REMEMBERED;
}

static void run_kill(struct actions *a, const struct event *e)
{
	const struct obj_task *task = &e->info.task;

	if (!e->wire || task->tgid == getpid() || was_killed(a, &task->guuid))
		return;
	int err = end_process(task->tgid, e->wire->task.start);
	if (!err)
		log_warn("sending SIGKILL to PID=%d", task->tgid);
	else if (err == -ESRCH)
		log_info("PID=%d, which a rule would kill, has ended", task->tgid);
	else
		log_error("cannot kill PID=%d: %s", task->tgid, strerror(-err));
	if (!err || err == -ESRCH)
		remember(a, &task->guuid);
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
