/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attacks on files of the sensor. */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- files ---- */

int attack_write_config(void)
{
	return attack_open(target.config, O_WRONLY);
}
int attack_truncate_config_open(void)
{
	return attack_open(target.config, O_WRONLY | O_TRUNC);
}
int attack_truncate_config(void)
{
	return attack_result(truncate(target.config, 0));
}
int attack_write_log(void)
{
	return attack_open(target.log, O_WRONLY | O_APPEND);
}
int attack_truncate_log(void)
{
	return attack_result(truncate(target.log, 0));
}
int attack_write_held(void)
{
	return attack_result(pwrite(ATTACK_HELD_FD, "x", 1, 0));
}
int attack_allocate_held(void)
{
	return attack_result(fallocate(ATTACK_HELD_FD, 0, 0, 1));
}
int attack_truncate_held(void)
{
	return attack_result(ftruncate(ATTACK_HELD_FD, 0));
}
int attack_map_held(void)
{
	return mmap(NULL, 1, PROT_READ, MAP_SHARED, ATTACK_HELD_FD, 0) == MAP_FAILED ? errno : 0;
}
int attack_map_held_copy(void)
{
	return mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, ATTACK_HELD_FD, 0) == MAP_FAILED ? errno
												   : 0;
}

/* chattr +i: a descriptor for reading is enough. */
static int set_flags(const char *path, unsigned long flags)
{
	int fd = open(path, O_RDONLY);

	return fd < 0 ? errno : attack_result(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

int attack_log_immutable(void)
{
	return set_flags(target.log, FS_IMMUTABLE_FL);
}
int attack_log_immutable_by_path(void)
{
	enum { SYS_FILE_SETATTR = 469 }; /* 6.17 */
	struct {
		uint64_t flags;
		uint32_t extent_size, extents, project, copy_extent_size;
	} attr = {.flags = 0x00000008}; /* FS_XFLAG_IMMUTABLE */
	int err = attack_result(syscall(SYS_FILE_SETATTR, AT_FDCWD, target.log, &attr, sizeof(attr), 0));

	return err == ENOSYS || err == EOPNOTSUPP ? ENOENT : err; /* nor has every file system it */
}
int attack_chmod_binary(void)
{
	return attack_result(chmod(target.binary, 0));
}
int attack_delete_binary(void)
{
	return attack_result(unlink(target.binary));
}
int attack_delete_config(void)
{
	return attack_result(unlink(target.config));
}
int attack_delete_log(void)
{
	return attack_result(unlink(target.log));
}
int attack_delete_socket(void)
{
	return attack_result(unlink(attack_join(target.run_dir, "status.sock")));
}
int attack_delete_pid_file(void)
{
	return attack_result(unlink(attack_join(target.run_dir, "kunai.pid")));
}

static int rename_aside(const char *from)
{
	char to[520];

	snprintf(to, sizeof(to), "%s.old", from);
	return attack_result(rename(from, to));
}

int attack_rename_config(void)
{
	return rename_aside(target.config);
}

int attack_read_log(void)
{
	return attack_open(target.log, O_RDONLY);
}

int attack_rename_over_log(void)
{
	char path[512]; /* beside it, on the same file system */

	snprintf(path, sizeof(path), "%s.attack", target.log);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	int err = attack_result(rename(path, target.log));
	unlink(path);
	return err;
}

int attack_rename_directory(void)
{
	char from[512];

	snprintf(from, sizeof(from), "%s", target.config);
	*strrchr(from, '/') = '\0';
	return rename_aside(from);
}

int attack_rename_run_directory(void)
{
	return rename_aside(target.run_dir);
}
