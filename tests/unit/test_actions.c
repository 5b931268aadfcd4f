/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The action kill: the right process, once, and never one that merely has its number. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/actions.h"
#include "cmd/end_process.h"
#include "tests/support/tree.h"
#include "tests/unit/tap.h"

enum { TICK_NS = 10000000, NEVER = 1 << 22 /* above every pid */ };

/* A process that waits, with a name that looks like the end of one in /proc. */
static pid_t start_process(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "x) R 1 2 (3");
		for (;;)
			pause();
	}
	for (int i = 0; i < 1000; i++) { /* until it has its name */
		char text[64] = "";
		snprintf(text, sizeof(text), "/proc/%d/comm", pid);
		FILE *f = fopen(text, "r");
		if (f && fgets(text, sizeof(text), f) && text[0] == 'x')
			i = 1000;
		if (f)
			fclose(f);
		usleep(1000);
	}
	return pid;
}

/* Another way than the code's: the numbers behind the name, which is known. */
static uint64_t start_of(pid_t pid)
{
	char path[32];
	unsigned long long ticks = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	if (!f || fscanf(f,
			 "%*d (x) R 1 2 (3) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
			 "%*d %*d %*d %llu",
			 &ticks) != 1)
		abort();
	fclose(f);
	return ticks * (1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK));
}

static bool lives(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

static bool was_killed(pid_t pid)
{
	int status;

	for (int i = 0; i < 5000; i++, usleep(1000))
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	return false;
}

static void test_end_process(void)
{
	pid_t pid = start_process();
	uint64_t start = start_of(pid);

	ok(end_process(pid, start + TICK_NS) == -ESRCH, "a process that started a tick later is another one");
	ok(end_process(pid, start - 1) == -ESRCH, "so is one that started before");
	ok(end_process(pid, 0) == -ESRCH, "or at no known time");
	ok(lives(pid), "it is left alone");
	ok(end_process(pid, start + TICK_NS - 1) == 0, "the right one, at any time within its tick");
	ok(was_killed(pid), "is killed");
	ok(end_process(pid, start) == -ESRCH, "and then there is none");
	ok(end_process(NEVER, start) == -ESRCH, "as with a number that nobody has");
}

static struct arena arena;

/* An event of a process with a detection that has these actions. */
static struct event *event_of(pid_t pid, uint64_t start, const char *action, uint8_t guuid)
{
	struct wire_header *wire = arena_zalloc(&arena, sizeof(*wire));
	struct event *e = arena_zalloc(&arena, sizeof(*e));
	struct obj_detection *d = arena_zalloc(&arena, sizeof(*d));
	struct str *actions = arena_zalloc(&arena, 2 * sizeof(*actions));

	event_make(e, EVENT_execve, &arena);
	wire->task.tgid = (uint32_t)pid;
	wire->task.start = start;
	e->wire = wire;
	e->info.task.tgid = pid;
	memset(e->info.task.guuid.bytes, guuid, sizeof(e->info.task.guuid.bytes));
	actions[0] = STR("other");
	actions[1] = str_of(action);
	d->actions = (struct strv){actions, 2};
	e->detection = d;
	return e;
}

/* What is logged when the action is run: a line, or nothing. */
static const char *run(struct actions *a, const struct event *e)
{
	static char text[512];
	int saved = dup(STDERR_FILENO);
	int fd = open(at("log"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	actions_run(a, e);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	close(fd);
	close(saved);
	return text;
}

static void test_actions(void)
{
	static struct actions a;
	pid_t pid = start_process(), other = start_process();
	uint64_t start = start_of(pid);

	is_str(run(&a, event_of(pid, start, "killed", 1)), "", "a label that nobody knows does nothing");
	ok(lives(pid), "and nobody dies of it");
	ok(strstr(run(&a, event_of(pid, start, "kill", 1)), "WARN") != NULL, "the action kill is told");
	ok(was_killed(pid), "and done");
	is_str(run(&a, event_of(pid, start, "kill", 1)), "", "later events of the process are passed over");
	ok(lives(other), "a bystander lives");

	const char *told = run(&a, event_of(NEVER, start, "kill", 2));
	ok(strstr(told, "INFO") && strstr(told, "has ended"), "one that has ended by itself is no error");
	is_str(run(&a, event_of(NEVER, start, "kill", 2)), "", "and told once");
	ok(strstr(run(&a, event_of(other, start_of(other) + 100 * TICK_NS, "kill", 3)), "has ended") != NULL,
	   "so is one whose number another process has");
	ok(lives(other), "which lives");
	is_str(run(&a, event_of(getpid(), 0, "kill", 4)), "", "the sensor itself is no target");

	struct event *e = event_of(other, start_of(other), "kill", 5);
	struct obj_filtering filter = {.actions = e->detection->actions};
	e->detection = NULL;
	e->filter = &filter;
	is_str(run(&a, e), "", "a filter does not kill");
	ok(lives(other), "really");
	kill(other, SIGKILL);
	ok(was_killed(other), "until the test ends it");
}

static void test_forgetting(void)
{
	static struct actions a;

	for (uint32_t i = 0; i <= ACTIONS_REMEMBERED; i++) {
		struct event *e = event_of(NEVER, 1, "kill", 0xff);
		memcpy(e->info.task.guuid.bytes, &i, sizeof(i));
		run(&a, e);
	}
	struct event *e = event_of(NEVER, 1, "kill", 0xff);
	uint32_t last = ACTIONS_REMEMBERED, first = 0;
	memcpy(e->info.task.guuid.bytes, &last, sizeof(last));
	is_str(run(&a, e), "", "the last ones are remembered");
	memcpy(e->info.task.guuid.bytes, &first, sizeof(first));
	ok(run(&a, e)[0] != '\0', "the oldest is forgotten for the newest");
}

static void test_scan_wish(void)
{
	struct event *e = event_of(1, 1, "scan-files", 1);
	struct obj_filtering filter = {.actions = e->detection->actions};

	ok(actions_want_scan(e), "a detection asks for a scan");
	e->detection = NULL;
	ok(!actions_want_scan(e), "without one nobody does");
	e->filter = &filter;
	ok(actions_want_scan(e), "a filter asks for a scan");
	ok(!actions_want_scan(event_of(1, 1, "scan-file", 1)), "another label does not");
}

int main(void)
{
	if (syscall(SYS_pidfd_open, getpid(), 0) < 0 && errno == ENOSYS) {
		printf("1..0 # SKIP no pidfd_open: valgrind does not know it\n");
		return 0;
	}
	tree_make();
	log_set_level(LOG_INFO);
	test_end_process();
	test_actions();
	test_forgetting();
	test_scan_wish();
	arena_fini(&arena);
	tree_remove();
	return done_testing();
}
