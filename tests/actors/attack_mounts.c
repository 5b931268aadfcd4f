/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attacks on files of the sensor by what is mounted over them. */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *config_directory(void)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s", target.config);
	*strrchr(path, '/') = '\0';
	return path;
}

int attack_mount_bound(void)
{
	return attack_result(mount("/etc/hosts", target.config, NULL, MS_BIND, NULL));
}
int attack_mount_directory(void)
{
	return attack_result(mount("tmpfs", config_directory(), "tmpfs", 0, NULL));
}

/* The calls that mount(8) makes since util-linux 2.39. */
int attack_mount_moved(void)
{
	enum { CLONE = 1, EMPTY_PATH = 4 }; /* OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH */
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/etc/hosts", CLONE);

	return tree < 0 ? errno
			: attack_result(
				  syscall(SYS_move_mount, tree, "", AT_FDCWD, target.config, EMPTY_PATH));
}

/* As services and containers do. */
int attack_mount_private(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	return attack_mount_directory();
}

/* What is mounted in a namespace that shares its mounts with ours comes to ours. */
int attack_mount_shared(void)
{
	if (mount(NULL, "/", NULL, MS_SHARED, NULL) < 0 || unshare(CLONE_NEWNS) < 0)
		return errno;
	int err = attack_mount_directory();
	return mount(NULL, "/", NULL, MS_PRIVATE, NULL) < 0 ? errno : err;
}
