/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that an open(2) created, by every call that can, under names of every kind. */
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	PATH_LIMIT = 4096, /* what the sensor keeps of a path */
	DEEP_NAME = 100,   /* length of the directories' names */
};

static void created(int fd, const char *path)
{
	actor_must(fd >= 0, path);
	close(fd);
	actor_fact_created(path);
}

static void create_open(const struct actor_case *self)
{
	(void)self;
	created(open("file", O_WRONLY | O_CREAT, 0600), "file");
}

static void create_exclusive(const struct actor_case *self)
{
	(void)self;
	created(open("file", O_RDONLY | O_CREAT | O_EXCL, 0), "file");
}

#ifdef SYS_open
static void create_raw_open(const struct actor_case *self)
{
	(void)self;
	created((int)syscall(SYS_open, "file", O_WRONLY | O_CREAT, 0600), "file");
}

static void create_creat(const struct actor_case *self)
{
	(void)self;
	created((int)syscall(SYS_creat, "file", 0600), "file");
}
#endif

static void create_openat(const struct actor_case *self)
{
	int dir;

	(void)self;
	actor_must(mkdir("dir", 0755) == 0, "mkdir");
	dir = open("dir", O_PATH | O_DIRECTORY);
	actor_must(dir >= 0 && mkdir("elsewhere", 0755) == 0 && chdir("elsewhere") == 0, "chdir");
	actor_must(close(openat(dir, "file", O_WRONLY | O_CREAT, 0600)) == 0, "openat");
	actor_must(chdir("..") == 0, "chdir");
	actor_fact_created("dir/file");
}

static void create_openat2(const struct actor_case *self)
{
	struct open_how how = {.flags = O_WRONLY | O_CREAT | O_CLOEXEC, .mode = 0600};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how));

	(void)self;
	if (fd < 0 && errno == ENOSYS)
		actor_skip("no openat2 here");
	created(fd, "file");
}

/* Neither an existing file, nor a directory or a failure, nor an unnamed file is one that was created. */
static void create_nothing(const struct actor_case *self)
{
	int fd;

	(void)self;
	actor_file_make("file", "x", 1, 0644);
	close(open("file", O_WRONLY | O_CREAT, 0600));
	close(open("file", O_WRONLY | O_CREAT | O_TRUNC, 0600));
	actor_fact_closed("file", "truncate");
	actor_must(open("file", O_WRONLY | O_CREAT | O_EXCL, 0600) < 0, "an exclusive open fails");
	actor_must(open("missing/file", O_WRONLY | O_CREAT, 0600) < 0, "no such directory");
	actor_must(mkdir("dir", 0755) == 0 && symlink("file", "link") == 0 && link("file", "hard") == 0,
		   "others");
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd >= 0)
		close(fd);
}

static void create_through_link(const struct actor_case *self)
{
	(void)self;
	actor_must(mkdir("dir", 0755) == 0 && symlink("dir", "link") == 0, "symlink");
	actor_must(close(open("link/../link/./file", O_WRONLY | O_CREAT, 0600)) == 0, "open");
	actor_fact_created("dir/file");
}

static void create_odd_names(const struct actor_case *self)
{
	static const char *const names[] = {"sp ace",
					    "quote\"d",
					    "back\\slash",
					    "new\nline",
					    "uni\xc3\xa9",
					    "bad\xff\xfe",
					    "cut\xe2\x82",
					    "\x01\x7f",
					    "emoji\xf0\x9f\xa6\x80",
					    "surrogate\xed\xa0\x80",
					    "overlong\xc0\xaf"};

	(void)self;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		created(open(names[i], O_WRONLY | O_CREAT, 0600), names[i]);
}

/* Back to the case's directory, deleting on the way: not every rm(1) can with such long paths. */
static void climb(char *path)
{
	char *name = strrchr(path, '/');
	struct fact fact;

	actor_must(unlink(name + 1) == 0, "delete the deep file");
	facts_begin(&fact, "unlink");
	facts_string(&fact, "path", path);
	facts_bool(&fact, "success", true);
	facts_bool(&fact, "cut", strlen(path) > PATH_LIMIT);
	facts_bool(&fact, "unverified", strlen(path) > PATH_LIMIT);
	facts_end(&fact);
	for (*name = 0; strlen((name = strrchr(path, '/') + 1)) == DEEP_NAME; name[-1] = 0)
		actor_must(chdir("..") == 0 && rmdir(name) == 0, "delete a deep directory");
}

/* Creates a file whose path is exactly `length` bytes long, by walking down to it. */
static void create_deep(const struct actor_case *self)
{
	static char path[2 * PATH_LIMIT];
	char name[256];
	size_t len, want = (size_t)self->a;
	struct fact fact;

	actor_must(getcwd(path, sizeof(path)) != NULL, "getcwd");
	for (len = strlen(path); want - len > 1 + 2 * DEEP_NAME + 1; len += 1 + DEEP_NAME) {
		memset(name, 'a' + (int)(len % 23), DEEP_NAME);
		name[DEEP_NAME] = 0;
		actor_must(mkdir(name, 0755) == 0 && chdir(name) == 0, "go deeper");
		path[len] = '/';
		strcpy(path + len + 1, name);
	}
	memset(name, 'z', sizeof(name));
	name[want - len - 1] = 0;
	actor_must(close(open(name, O_WRONLY | O_CREAT, 0600)) == 0, "create a deep file");

	path[len] = '/';
	strcpy(path + len + 1, name);
	facts_begin(&fact, "create");
	facts_string(&fact, "path", path);
	facts_bool(&fact, "cut", want > PATH_LIMIT);
	facts_end(&fact);
	climb(path);
}

/* A path of many short components. */
static void create_many_components(const struct actor_case *self)
{
	for (int i = 0; i < self->a; i++)
		actor_must(mkdir("d", 0755) == 0 && chdir("d") == 0, "go deeper");
	actor_must(close(open("file", O_WRONLY | O_CREAT, 0600)) == 0, "create a deep file");
	actor_fact_created("file");
}

/* The path is that of the mount through which the file was opened. Another mount namespace is a container. */
static void create_bind_mount(const struct actor_case *self)
{
	struct fact fact;

	(void)self;
	actor_must(mkdir("real", 0755) == 0 && mkdir("real/dir", 0755) == 0 && mkdir("mounted", 0755) == 0,
		   "mkdir");
	if (unshare(CLONE_NEWNS) < 0)
		actor_skip("no mount namespaces here");
	facts_begin(&fact, "new_mount_namespace");
	facts_end(&fact);
	actor_must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	actor_must(mount("real", "mounted", NULL, MS_BIND, NULL) == 0, "bind mount");
	created(open("mounted/dir/file", O_WRONLY | O_CREAT, 0600), "mounted/dir/file");
	created(open("real/dir/other", O_WRONLY | O_CREAT, 0600), "real/dir/other");
	actor_must(mount("tmpfs", "real", "tmpfs", 0, NULL) == 0, "mount a tmpfs");
	created(open("real/third", O_WRONLY | O_CREAT, 0600), "real/third");
	actor_stay();
}

void actor_add_file_create(void)
{
	actor_add(create_open, 0, 0, 0, "file_create.open");
	actor_add(create_exclusive, 0, 0, 0, "file_create.exclusive");
#ifdef SYS_open
	actor_add(create_raw_open, 0, 0, 0, "file_create.raw_open");
	actor_add(create_creat, 0, 0, 0, "file_create.creat");
#endif
	actor_add(create_openat, 0, 0, 0, "file_create.openat");
	actor_add(create_openat2, 0, 0, 0, "file_create.openat2");
	actor_add(create_nothing, 0, 0, 0, "file_create.nothing");
	actor_add(create_through_link, 0, 0, 0, "file_create.through_link");
	actor_add(create_odd_names, 0, 0, 0, "file_create.odd_names");
	actor_add(create_deep, 1024, 0, 0, "file_create.length_1024");
	actor_add(create_deep, PATH_LIMIT - 97, 0, 0, "file_create.length_%d", PATH_LIMIT - 97);
	actor_add(create_deep, PATH_LIMIT - 1, 0, 0, "file_create.length_%d", PATH_LIMIT - 1);
	actor_add(create_deep, PATH_LIMIT + 901, 0, 0, "file_create.length_%d", PATH_LIMIT + 901);
	actor_add(create_many_components, 97, 0, 0, "file_create.components_97");
	actor_add(create_bind_mount, 0, 0, 0, "file_create.bind_mount");
}
