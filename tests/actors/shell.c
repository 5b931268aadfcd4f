/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real shell, which states nothing: its parent knows what it does. */
#include "actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shell {
	struct who who;
	char command[PATH_MAX + 32];
	char file[PATH_MAX];
};

static void state_exec(const struct shell *shell)
{
	char cmdline[PATH_MAX + 64], exe[PATH_MAX];
	struct fact fact;
	int len = snprintf(cmdline, sizeof(cmdline), "sh%c-c%c%s", 0, 0, shell->command) + 1;

	actor_must(realpath("/bin/sh", exe) != NULL, "find the shell");
	facts_begin_for(&fact, "exec", &shell->who);
	facts_string(&fact, "exe", exe);
	facts_bytes(&fact, "cmdline", cmdline, (size_t)len);
	facts_bool(&fact, "foreign", true); /* a program that the judge has no copy of */
	facts_end(&fact);
}

static void state_rest(const struct shell *shell)
{
	struct fact fact;

	facts_begin_for(&fact, "create", &shell->who);
	facts_string(&fact, "path", shell->file);
	facts_end(&fact);
	facts_begin_for(&fact, "close", &shell->who);
	facts_string(&fact, "path", shell->file);
	facts_string(&fact, "written_by", "write");
	facts_end(&fact);
	facts_begin_for(&fact, "exit_group", &shell->who);
	facts_number(&fact, "code", 0);
	facts_end(&fact);
}

static void shell_redirect(const struct actor_case *self)
{
	struct shell shell = {.who = facts_self()};
	pid_t pid;

	(void)self;
	if (access("/bin/sh", X_OK) != 0)
		actor_skip("no /bin/sh here");
	actor_path(shell.file, "x");
	snprintf(shell.command, sizeof(shell.command), "echo hi > %s", shell.file);
	pid = actor_fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", shell.command, (char *)NULL);
		actor_must(false, "execute the shell");
	}
	actor_wait(pid);
	shell.who.ppid = shell.who.tgid;
	shell.who.pid = shell.who.tgid = pid;
	strcpy(shell.who.comm, "sh");
	state_exec(&shell);
	state_rest(&shell);
}

void actor_add_shell(void)
{
	actor_add(shell_redirect, 0, 0, 0, "shell.redirect");
}
