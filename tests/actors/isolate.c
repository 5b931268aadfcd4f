/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A container made by hand: mount and UTS namespaces, a root of its own, a user that only it knows. */
#include "actor.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BOX_ID = 1234 };

static const char passwd[] = "# a comment\n\nroot:x:0:0:root:/:/bin/sh\n+\nbroken:x:not-a-number:1\n"
			     "boxuser:x:1234:1234::/:/bin/sh\n";
static const char group[] = "root:x:0:\n\nbad\nboxgroup:x:1234:\n";

static void make_root(void)
{
	static const char *const directories[] = {"root", "root/bin", "root/etc", "root/tmp", "root/proc"};

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		actor_must(mkdir(directories[i], 0755) == 0 && chmod(directories[i], 0777) == 0, "mkdir");
	actor_file_make("root/etc/passwd", passwd, sizeof(passwd) - 1, 0644);
	actor_file_make("root/etc/group", group, sizeof(group) - 1, 0644);
	actor_must(link(actor_program(), "root/bin/actor") == 0, "link the program");
}

/* An initramfs cannot be pivoted away from, only covered. */
static void enter_root(void)
{
	actor_must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	actor_must(mount("root", "root", NULL, MS_BIND, NULL) == 0 && chdir("root") == 0, "bind mount");
	actor_must(mount("proc", "proc", "proc", 0, NULL) == 0, "mount /proc");
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		actor_must(umount2(".", MNT_DETACH) == 0, "leave the old root");
	} else {
		actor_must(mount(".", "/", NULL, MS_MOVE, NULL) == 0 && chroot(".") == 0,
			   "cover the old root");
	}
	actor_must(chdir("/") == 0, "chdir");
}

static void enter_box(void)
{
	static const char name[] = "kunai-box";
	struct fact fact;

	if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0)
		actor_skip("no namespaces here");
	facts_begin(&fact, "new_mount_namespace");
	facts_end(&fact);
	actor_must(sethostname(name, sizeof(name) - 1) == 0, "sethostname");
	enter_root();
	actor_must(setgid(BOX_ID) == 0 && setuid(BOX_ID) == 0, "become another user");
	facts_refresh_names();
}

static void isolate_exec(const struct actor_case *self)
{
	pid_t pid;

	(void)self;
	make_root();
	pid = actor_fork();
	if (pid == 0) {
		enter_box();
		actor_execute_and_stay("/bin/actor");
		actor_must(false, "execute the program");
	}
	actor_wait(pid);
}

static void isolate_files(const struct actor_case *self)
{
	pid_t pid;

	(void)self;
	make_root();
	pid = actor_fork();
	if (pid == 0) {
		pid_t child;

		enter_box();
		child = actor_fork();
		if (child == 0) {
			actor_file_make("/tmp/file", "x", 1, 0600);
			actor_exit(0);
		}
		actor_wait(child);
		actor_stay();
		actor_exit(0);
	}
	actor_wait(pid);
}

void actor_add_isolate(void)
{
	actor_add(isolate_exec, 0, 0, 0, "container.exec");
	actor_add(isolate_files, 0, 0, 0, "container.files");
}
