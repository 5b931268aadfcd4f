/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 64 << 10, OPEN_DIRECTORIES = 16, DEPTH_MIN = 2 };

bool setup_ask(const char *question)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO)) {
		printf("%s [y/N] no, as there is no terminal to ask: --force means yes\n", question);
		return false;
	}
	printf("%s [y/N] ", question);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return (answer[0] == 'y' || answer[0] == 'Y') && answer[1] == '\n';
}

int setup_make_directories(const char *path, mode_t mode)
{
	struct stat st;
	int err = 0;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	if (errno != ENOENT)
		return -errno;
	char *copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	err = setup_make_directories(dirname(copy), mode);
	free(copy);
	if (!err && mkdir(path, mode) < 0 && errno != EEXIST)
		err = -errno;
	return err;
}

int setup_make_parents(const char *path, mode_t mode)
{
	char *copy = strdup(path);
	int err = copy ? setup_make_directories(dirname(copy), mode) : -ENOMEM;

	free(copy);
	return err;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int copy_all(int from, int to)
{
	char *block = malloc(BLOCK);
	ssize_t n = 0;
	int err = block ? 0 : -ENOMEM;

	while (!err && (n = read(from, block, BLOCK)) > 0)
		err = write_all(to, block, (size_t)n);
	free(block);
	return err ? err : n < 0 ? -errno : 0;
}

/* from < 0: the text. */
static int fill_and_rename(const char *temporary, int from, const struct buf *text, const char *path,
			   mode_t mode)
{
	unlink(temporary);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int err = from < 0 ? write_all(fd, text->p, text->len) : copy_all(from, fd);
	if (!err && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		err = -errno;
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && rename(temporary, path) < 0)
		err = -errno;
	if (err)
		unlink(temporary);
	return err;
}

static int replace_file(const char *path, int from, const struct buf *text, mode_t mode)
{
	char *temporary;

	if (asprintf(&temporary, "%s.kunai-new", path) < 0)
		return -ENOMEM;
	int err = fill_and_rename(temporary, from, text, path, mode);
	free(temporary);
	return err;
}

int setup_write_file(const char *path, const struct buf *text, mode_t mode)
{
	return replace_file(path, -1, text, mode);
}

int setup_copy_file(const char *from, const char *path, mode_t mode)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int err = replace_file(path, fd, NULL, mode);
	close(fd);
	return err;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type;
	/* the directory itself may be a mount point, which is emptied and stays */
	return remove(path) == 0 || (ftw->level == 0 && errno == EBUSY) ? 0 : -1;
}

/* /etc and /var are no directories of ours, whatever an option says. */
static unsigned int depth_of(const char *resolved)
{
	unsigned int depth = 0;

	for (; *resolved; resolved++)
		depth += resolved[0] == '/' && resolved[1] != '\0';
	return depth;
}

int setup_remove_directory(const char *path)
{
	char *resolved = realpath(path, NULL);
	int err = 0;

	if (!resolved)
		return -errno;
	if (depth_of(resolved) < DEPTH_MIN)
		err = -EPERM;
	else if (nftw(resolved, remove_entry, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0)
		err = -errno;
	free(resolved);
	return err;
}
