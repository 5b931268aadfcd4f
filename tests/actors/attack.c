/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * attack PID BINARY CONFIG LOG RUN_DIR CGROUP [NAME]: what root can try against a hardened sensor. Prints one line of JSON for
 * each: its name, the process, what it must be reported as (0: it is allowed), and how it ended. CGROUP/../attacker beside the
 * sensor's own group is made for it; descriptor 8 is the configuration, open for writing since before the sensor started.
 *
 * attack occupy CPU SECONDS: lets nobody else use that processor.
 * attack traced PROGRAM ARGUMENT...: runs it with a tracer from its first moment on, and ends as it does.
 * attack terminal LOG PROGRAM ARGUMENT...: runs it on a terminal; when it writes to LOG, another process' SIGINT, the keys of
 * SIGQUIT and SIGTSTP, then Ctrl-C.
 * attack silence PID: takes a sensor that is not hardened its programs.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Codes of events, as in docs/hardened.md. */
enum { ALLOWED = 0, SIGNAL = 20, TRACE, PROC, LIMIT, SCHEDULING, CGROUP, BPF, WRITE, NAME };

enum trait { PLAIN, SILENT, OPTIONAL };

struct target target;

static const struct attack {
	const char *name;
	int (*run)(void);
	int code;
	enum trait trait;
} attacks[] = {
#define ATTACK(name, function, code, trait) {name, attack_##function, code, trait},
#include "attack.def"
#undef ATTACK
};

int attack_result(long n)
{
	return n < 0 ? errno : 0;
}

const char *attack_join(const char *directory, const char *name)
{
	static char text[2][1024];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), "%s/%s", directory, name);
	return text[turn];
}

int attack_open(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd >= 0)
		close(fd);
	return attack_result(fd);
}

int attack_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	int err = attack_result(write(fd, text, strlen(text)));
	close(fd);
	return err;
}

static const char *truth(bool value)
{
	return value ? "true" : "false";
}

static void try_one(const struct attack *a)
{
	int status = 0;

	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(a->run());
	waitpid(child, &status, 0);
	printf("{\"name\":\"%s\",\"pid\":%d,\"code\":%d,\"errno\":%d,\"silent\":%s,\"optional\":%s,\"alive\":"
	       "%s}\n",
	       a->name, child, a->code, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	       truth(a->trait == SILENT), truth(a->trait == OPTIONAL), truth(kill(target.pid, 0) == 0));
}

void attack_report(const char *name)
{
	for (size_t i = 0; i < sizeof(attacks) / sizeof(*attacks); i++)
		if (!name || strcmp(name, attacks[i].name) == 0)
			try_one(&attacks[i]);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "occupy") == 0)
		return attack_occupy(atoi(argv[2]), atoi(argv[3]));
	if (argc > 2 && strcmp(argv[1], "traced") == 0)
		return attack_trace_program(argv + 2);
	if (argc > 3 && strcmp(argv[1], "terminal") == 0)
		return attack_terminal(argv[2], argv + 3);
	if (argc == 3 && strcmp(argv[1], "silence") == 0)
		return attack_silence(atoi(argv[2]));
	if (argc < 7) {
		fprintf(stderr, "usage: attack PID BINARY CONFIG LOG RUN_DIR CGROUP [NAME]\n");
		return 2;
	}
	target = (struct target){atoi(argv[1]), argv[2], argv[3], argv[4], argv[5], argv[6]};
	attack_report(argc == 7 ? NULL : argv[7]);
	return 0;
}
