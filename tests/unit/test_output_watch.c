/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said of a disk that fails, minute by minute: the time is ours. */
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "tests/support/tree.h"
#include "tests/unit/tap.h"

#define SECOND       UINT64_C(1000000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { WAIT_MS = 20000 };

static struct output_watch w;
static struct outputs o;

/* output_open() alone calls it, and is not called here. */
int cmd_fail(const char *format, ...)
{
	(void)format;
	abort();
}

/* What is said at this second of the host's life, less when and how badly; valid until the next call. */
static const char *watch(uint64_t seconds)
{
	static char text[1024];
	int ends[2], before = dup(2);

	/* the limit of files is none of pipes */
	if (pipe2(ends, O_NONBLOCK) < 0)
		abort();
	dup2(ends[1], 2);
	output_watch(&w, &o, seconds * SECOND);
	dup2(before, 2);
	ssize_t n = read(ends[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(before);
	close(ends[0]);
	close(ends[1]);
	char *message = strstr(text, "] ");
	return message ? message + 2 : text;
}

static void await(bool broken)
{
	struct output_stats stats;

	for (int i = 0; i < WAIT_MS; i++) {
		outputs_read_stats(&o, 0, &stats);
		if (broken ? stats.error != 0 : stats.waiting == 0 && stats.error == 0)
			return;
		usleep(1000);
	}
}

static void set_size_limit(rlim_t size)
{
	const struct rlimit limit = {size, RLIM_INFINITY};

	setrlimit(RLIMIT_FSIZE, &limit);
}

/* Once a second or so; the limit is one of what we print, too, so that what was said is looked at later. */
static void test_failing(void)
{
	static const uint64_t seconds[] = {101, 102, 160, 161, 220, 221};
	char said[COUNT(seconds)][256];

	set_size_limit(0);
	outputs_write(&o, "a line\n", 7, NULL, 0);
	await(true);
	for (size_t i = 0; i < COUNT(seconds); i++)
		snprintf(said[i], sizeof(said[i]), "%s", watch(seconds[i]));
	set_size_limit(RLIM_INFINITY);
	ok(strstr(said[0], "File too large; 1 lines wait, 0 were dropped"), "one that fails is told: %s",
	   said[0]);
	is_str(said[1], "", "a second later nothing is said");
	is_str(said[2], "", "nor after 59 seconds");
	is_str(said[3], said[0], "after a minute it is said again");
	is_str(said[4], "", "once a minute");
	is_str(said[5], said[0], "  for as long as it fails");
	await(false);
}

int main(void)
{
	unsigned int failed;

	tree_make();
	signal(SIGXFSZ, SIG_IGN);
	const struct output_spec spec = {.kind = OUTPUT_FILE, .path = at("events")};
	ok(outputs_open(&o, &spec, 1, &failed) == 0, "a file");
	is_str(watch(100), "", "of one that works nothing is said");
	test_failing();
	ok(strstr(watch(222), "works again; 0 lines were dropped"), "that it works again is said at once");
	is_str(watch(300), "", "  and once");
	outputs_close(&o);
	tree_remove();
	return done_testing();
}
