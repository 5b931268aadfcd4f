/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/mount_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	CLIMB_MAX = 128,   /* steps up from a process's root */
	RESOLVE_TRIES = 8, /* openat2 says EAGAIN when a rename interferes with ".." */
	LINK_TEXT_SIZE = 32,
};

/* What nsfs and a test's symbolic link both say: "mnt:[4026531841]". */
uint32_t mount_root_read_ns(int dir, const char *path)
{
	char text[LINK_TEXT_SIZE];
	ssize_t len = readlinkat(dir, path, text, sizeof(text) - 1);
	if (len < 0)
		return 0;
	text[len] = '\0';

	unsigned inum;
	char end;
	if (sscanf(text, "mnt:[%u%c", &inum, &end) != 2 || end != ']')
		return 0;
	return inum;
}

static bool is_top(int dir)
{
	struct statx here, above;
	if (statx(dir, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID, &here) < 0 ||
	    statx(dir, "..", AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID, &above) < 0)
		return true;
	return here.stx_ino == above.stx_ino && here.stx_mnt_id == above.stx_mnt_id &&
	       here.stx_dev_major == above.stx_dev_major && here.stx_dev_minor == above.stx_dev_minor;
}

/*
 * The root of a process is not the namespace's when the process called chroot. ".." leads from there to the top of the
 * mount tree, because only our own root stops it, and stays there. Each step costs a quarter of a microsecond, so not
 * more of them than most need; in all, as many as the kernel side walks.
 */
#define UP_8 "../../../../../../../.."

static int open_top(int dir)
{
	int fd = openat(dir, "root/" UP_8, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int steps = 8; fd >= 0 && steps < CLIMB_MAX && !is_top(fd); steps += 8) {
		int above = openat(fd, UP_8, O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = above;
	}
	return fd;
}

/*
 * The directory of /proc/<pid> stays that of one process: after its end every look-up in it fails, even when the pid
 * is in use again. The namespace is asked before and after because the process may move.
 */
int mount_root_open_member(int proc, bool climb, uint64_t id, uint32_t pid)
{
	char name[16];
	snprintf(name, sizeof(name), "%u", pid);
	int dir = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;

	int ret = -ESRCH;
	if (mount_root_read_ns(dir, "ns/mnt") != (uint32_t)id)
		goto out;
	int root = climb ? open_top(dir) : openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0) {
		ret = -errno;
		goto out;
	}
	if (mount_root_read_ns(dir, "ns/mnt") == (uint32_t)id)
		ret = root;
	else
		close(root);
out:
	close(dir);
	return ret;
}

bool mount_root_is_member(int proc, uint64_t id, uint32_t pid)
{
	char path[32];
	snprintf(path, sizeof(path), "%u/ns/mnt", pid);
	return mount_root_read_ns(proc, path) == (uint32_t)id;
}

/*
 * Without openat2 (seccomp filters and valgrind may not know it): one name after the other and no symbolic links, which
 * a path that the kernel told does not have.
 */
static int walk_below(int root, const char *path)
{
	char name[NAME_MAX + 1];
	int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);
	while (dir >= 0) {
		path += strspn(path, "/");
		size_t len = strcspn(path, "/");
		if (len == 0)
			return dir;
		int fd = -1, error = ENAMETOOLONG;
		if (len <= NAME_MAX) {
			memcpy(name, path, len);
			name[len] = '\0';
			fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			error = errno;
		}
		close(dir);
		if (fd < 0)
			return -error;

		struct stat st;
		if (strcmp(name, "..") == 0 || fstat(fd, &st) < 0 || S_ISLNK(st.st_mode)) {
			close(fd);
			return -ELOOP;
		}
		dir = fd;
		path += len;
	}
	return -errno;
}

int mount_root_open_below(int root, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | flags,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	if (path[0] == '\0')
		return -ENOENT;
	for (int i = 0; i < RESOLVE_TRIES; i++) {
		long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN)
			break;
	}
	return errno == ENOSYS ? walk_below(root, path) : -errno;
}
