/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "play.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

void do_write(struct step *s)
{
	static const char text[] = "written in a scenario\n";

	play_make_parents(s->words[1]);
	int fd = open(s->words[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0755);
	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
		play_fail("write", s->words[1]);
	close(fd);
}

void do_read(struct step *s)
{
	char buf[256];

	int fd = open(s->words[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, buf, sizeof(buf)) < 0)
		play_fail("read", s->words[1]);
	close(fd);
}

/* have FILE: it exists, with content. */
void do_have(struct step *s)
{
	if (access(s->words[1], F_OK) < 0)
		do_write(s);
}

void do_unlink(struct step *s)
{
	if (unlink(s->words[1]) < 0)
		play_fail("unlink", s->words[1]);
}

void do_rename(struct step *s)
{
	play_make_parents(s->words[2]);
	if (rename(s->words[1], s->words[2]) < 0)
		play_fail("rename", s->words[1]);
}

/* ---- memory ---- */

/* mprotect PROT */
void do_mprotect(struct step *s)
{
	void *p = mmap(NULL, CODE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p, CODE_PAGE, (int)strtol(s->words[1], NULL, 0));
}

void play_map(int fd, const char *name)
{
	if (mmap(NULL, CODE_PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		play_fail("map", name);
	close(fd);
	usleep(20000); /* it is hashed from its path */
}

/* mmap FILE: as code. */
void do_mmap(struct step *s)
{
	do_have(s);
	play_map(open(s->words[1], O_RDONLY | O_CLOEXEC), s->words[1]);
}

/* mmap-gone FILE: it is deleted first. */
void do_mmap_gone(struct step *s)
{
	do_have(s);
	int fd = open(s->words[1], O_RDONLY | O_CLOEXEC);
	unlink(s->words[1]);
	play_map(fd, s->words[1]);
}

void do_mmap_memfd(struct step *s)
{
	int fd = memfd_create(s->words[1], MFD_CLOEXEC);

	if (write(fd, s->words[1], 1) != 1)
		play_fail("write", s->words[1]);
	play_map(fd, s->words[1]);
}
