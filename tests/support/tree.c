/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[64];

void tree_make(void)
{
	strcpy(base, "/tmp/kunai-test-XXXXXX");
	if (!mkdtemp(base))
		abort();
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void tree_remove_at(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void tree_remove(void)
{
	tree_remove_at(base);
}

const char *at(const char *format, ...)
{
	static char path[4][4200];
	static unsigned turn;
	char *p = path[turn++ % 4];
	int n = sprintf(p, "%s/", base);
	va_list args;

	va_start(args, format);
	vsnprintf(p + n, sizeof(path[0]) - (size_t)n, format, args);
	va_end(args);
	return p;
}

void write_bytes(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	close(fd);
}

void write_file(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

void link_to(const char *path, const char *target)
{
	unlink(path);
	if (symlink(target, path) < 0)
		abort();
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		abort();
}

void add_process(uint32_t pid, uint32_t inum, const char *root)
{
	char link[32];

	make_dir(at("proc/%u", pid));
	make_dir(at("proc/%u/ns", pid));
	snprintf(link, sizeof(link), "mnt:[%u]", inum);
	link_to(at("proc/%u/ns/mnt", pid), link);
	link_to(at("proc/%u/root", pid), at("%s", root));
}
