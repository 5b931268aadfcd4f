/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that becomes executable. */
#define _GNU_SOURCE
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, MANY = 101 };

enum subject { ANONYMOUS, FILE_MAPPED, MEMFD, NOWHERE, SUBJECTS };
enum door { MPROTECT, PKEY_MPROTECT, DOORS };
static const char *const subjects[] = {"anonymous", "file", "memfd", "nowhere"};
static const char *const doors[] = {"mprotect", "pkey"};

/* path: what is mapped there, or NULL. */
static void state_mprotect(const void *address, size_t size, int prot, bool success, const char *path)
{
	struct fact fact;
	char text[32];

	facts_begin(&fact, "mprotect");
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)(uintptr_t)address);
	facts_string(&fact, "addr", text);
	facts_number(&fact, "prot", prot);
	facts_number(&fact, "size", (long long)size);
	facts_bool(&fact, "success", success);
	facts_string(&fact, "path", path ? path : "");
	facts_end(&fact);
}

static void *map_file(int fd)
{
	void *memory = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	actor_must(memory != MAP_FAILED, "map a file");
	close(fd);
	return memory;
}

static void *map_memfd(void)
{
	int fd = memfd_create("kunai code", MFD_CLOEXEC);

	actor_must(fd >= 0, "memfd");
	return map_file(fd);
}

static void *map_subject(int subject, const char **ret_path)
{
	*ret_path = subject == FILE_MAPPED ? actor_program() : subject == MEMFD ? "memfd:kunai code" : NULL;
	if (subject == FILE_MAPPED)
		return map_file(open(actor_program(), O_RDONLY | O_CLOEXEC));
	if (subject == MEMFD)
		return map_memfd();
	void *memory = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	actor_must(memory != MAP_FAILED, "anonymous memory");
	if (subject == NOWHERE)
		munmap(memory, 2 * PAGE);
	return memory;
}

static void mprotect_exec(const struct actor_case *self)
{
	const char *path;
	char *memory = map_subject(self->a, &path);
	int prot = PROT_READ | PROT_EXEC;

	/* the second page: of a mapping that is split by this */
	bool success = self->b == PKEY_MPROTECT
			       ? syscall(SYS_pkey_mprotect, memory + PAGE, PAGE, prot, -1) == 0
			       : mprotect(memory + PAGE, PAGE, prot) == 0;
	if (self->b == PKEY_MPROTECT && !success && errno == ENOSYS)
		actor_skip("no pkey_mprotect in this kernel");
	actor_must(success == (self->a != NOWHERE), "mprotect");
	state_mprotect(memory + PAGE, PAGE, prot, success, path);
}

/* Nothing becomes executable. */
static void mprotect_other(const struct actor_case *self)
{
	const char *path;
	char *memory = map_subject(FILE_MAPPED, &path);

	(void)self;
	actor_must(mprotect(memory, PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect");
	actor_must(mprotect(memory, PAGE, PROT_NONE) == 0, "mprotect");
}

/* With this personality, what is readable is executable. */
static void mprotect_implied(const struct actor_case *self)
{
	const char *path;
	char *memory = map_subject(ANONYMOUS, &path);

	(void)self;
	actor_must(personality(READ_IMPLIES_EXEC) >= 0, "personality");
	actor_must(mprotect(memory, PAGE, PROT_WRITE) == 0, "mprotect");
	actor_must(mprotect(memory, PAGE, PROT_READ) == 0, "mprotect");
	state_mprotect(memory, PAGE, PROT_READ, true, NULL);
}

static void mprotect_many(const struct actor_case *self)
{
	const char *path;
	char *memory = map_subject(ANONYMOUS, &path);

	(void)self;
	for (size_t i = 0; i < MANY; i++) {
		int prot = PROT_EXEC | (i % 2 ? PROT_WRITE : PROT_READ);

		actor_must(mprotect(memory, 2 * PAGE, prot) == 0, "mprotect");
		state_mprotect(memory, 2 * PAGE, prot, true, NULL);
	}
}

/* The file that is mapped: the actors' program, which the judge knows, unless its content is told. */
static void state_mmap(const char *path, int prot, bool success, const char *content)
{
	char absolute[PATH_MAX];
	struct fact fact;

	facts_begin(&fact, "mmap");
	facts_string(&fact, "path", strncmp(path, "memfd:", 6) ? actor_path(absolute, path) : path);
	facts_number(&fact, "prot", prot);
	facts_bool(&fact, "success", success);
	if (content)
		facts_string(&fact, "content", content);
	facts_end(&fact);
}

static void map(int fd, int prot, int flags, const char *path, const char *content)
{
	actor_must(mmap(NULL, PAGE, prot, flags, fd, 0) != MAP_FAILED, "mmap");
	state_mmap(path, prot, true, content);
	close(fd);
}

static int open_program(void)
{
	int fd = open(actor_program(), O_RDONLY | O_CLOEXEC);

	actor_must(fd >= 0, "open the program");
	return fd;
}

static void mmap_file(const struct actor_case *self)
{
	map(open_program(), PROT_READ | PROT_EXEC, self->a, actor_program(), NULL);
}

/* A file that was written a moment ago. */
static void mmap_fresh(const struct actor_case *self)
{
	static const char content[] = "fresh code";

	(void)self;
	actor_file_make("fresh.so", content, sizeof(content) - 1, 0755);
	map(open("fresh.so", O_RDONLY | O_CLOEXEC), PROT_EXEC, MAP_PRIVATE, "fresh.so", content);
}

/* No name leads there. */
static void mmap_memfd(const struct actor_case *self)
{
	int fd = memfd_create("kunai code", MFD_CLOEXEC);

	(void)self;
	actor_must(fd >= 0, "memfd");
	map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE, "memfd:kunai code", NULL);
}

/* A descriptor for writing only cannot be mapped. */
static void mmap_refused(const struct actor_case *self)
{
	int fd = open("refused", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

	(void)self;
	actor_must(fd >= 0, "create a file");
	actor_fact_created("refused");
	actor_must(mmap(NULL, PAGE, PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED, "mmap is refused");
	state_mmap("refused", PROT_EXEC, false, "");
	close(fd);
}

/* None of these maps a file for execution. */
static void mmap_other(const struct actor_case *self)
{
	int fd = open_program();

	(void)self;
	actor_must(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED, "not executable");
	actor_must(mmap(NULL, PAGE, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED, "no file");
	actor_must(mmap(NULL, PAGE, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, fd, 0) != MAP_FAILED,
		   "a descriptor that is not looked at");
	actor_must(mmap(NULL, PAGE, PROT_EXEC, MAP_PRIVATE, 150, 0) == MAP_FAILED, "a bad descriptor");
}

static void mmap_implied(const struct actor_case *self)
{
	(void)self;
	actor_must(personality(READ_IMPLIES_EXEC) >= 0, "personality");
	map(open_program(), PROT_READ, MAP_PRIVATE, actor_program(), NULL);
}

static void mmap_many(const struct actor_case *self)
{
	(void)self;
	for (int i = 0; i < MANY; i++)
		map(open_program(), PROT_EXEC, MAP_PRIVATE, actor_program(), NULL);
}

void actor_add_memory(void)
{
	for (int subject = 0; subject < SUBJECTS; subject++)
		for (int door = 0; door < DOORS; door++)
			actor_add(mprotect_exec, subject, door, 0, "mprotect_exec.%s.%s", doors[door],
				  subjects[subject]);
	actor_add(mprotect_other, 0, 0, 0, "mprotect_exec.not_exec");
	actor_add(mprotect_implied, 0, 0, 0, "mprotect_exec.implied");
	actor_add(mprotect_many, 0, 0, 0, "mprotect_exec.many");
	actor_add(mmap_file, MAP_PRIVATE, 0, 0, "mmap_exec.private");
	actor_add(mmap_file, MAP_SHARED, 0, 0, "mmap_exec.shared");
	actor_add(mmap_fresh, 0, 0, 0, "mmap_exec.fresh");
	actor_add(mmap_memfd, 0, 0, 0, "mmap_exec.memfd");
	actor_add(mmap_refused, 0, 0, 0, "mmap_exec.refused");
	actor_add(mmap_other, 0, 0, 0, "mmap_exec.not_exec");
	actor_add(mmap_implied, 0, 0, 0, "mmap_exec.implied");
	actor_add(mmap_many, 0, 0, 0, "mmap_exec.many");
}
