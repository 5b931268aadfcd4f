/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernel modules. Where the test's VM has one that can be removed, overlay, it is loaded again. */
#include "module.h"

#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	ARGS_MAX = 1024, /* that an event shows */
	MANY = 101,
	NOBODY = 65534,
	REMOVE_TRIES = 50, /* tenths of a second */
};

const char module_garbage[] = "this is no module";

int module_garbage_open(void)
{
	actor_file_make("garbage.ko", module_garbage, sizeof(module_garbage) - 1, 0644);
	int fd = open("garbage.ko", O_RDONLY | O_CLOEXEC);
	actor_must(fd >= 0, "open the garbage");
	return fd;
}

void module_state(const char *syscall_name, const struct module_call *call)
{
	char absolute[PATH_MAX];
	struct fact fact;

	facts_begin(&fact, "module");
	facts_string(&fact, "syscall", syscall_name);
	facts_string(&fact, "name", call->name ? call->name : "?");
	facts_string(&fact, "args", call->args ? call->args : "?");
	facts_string(&fact, "error", call->error ? strerrorname_np(call->error) : "");
	facts_number(&fact, "flags", call->flags);
	if (call->path) {
		struct stat stat_buf;
		actor_must(stat(call->path, &stat_buf) == 0, "stat the file");
		facts_string(&fact, "path", actor_path(absolute, call->path));
		facts_number(&fact, "size", stat_buf.st_size);
	}
	if (call->content)
		facts_string(&fact, "content", call->content);
	facts_end(&fact);
}

static void load(const void *image, size_t size, struct module_call *call)
{
	const char *args = call->args ? call->args : actor_nowhere;

	call->error = syscall(SYS_init_module, image, size, args) < 0 ? errno : 0;
	module_state("init_module", call);
}

static void load_file(int fd, struct module_call *call)
{
	const char *args = call->args ? call->args : actor_nowhere;

	call->error = syscall(SYS_finit_module, fd, args, call->flags) < 0 ? errno : 0;
	module_state("finit_module", call);
}

/* a: finit_module; b: length of the arguments, -1 for unreadable ones; c: flags */
static void module_refused(const struct actor_case *self)
{
	char args[2 * ARGS_MAX] = "";
	struct module_call call = {.args = self->b < 0 ? NULL : args, .flags = (unsigned)self->c};

	memset(args, 'x', self->b < 0 ? 0 : (size_t)self->b);
	if (self->a) {
		int fd = module_garbage_open();
		call.path = "garbage.ko";
		call.content = module_garbage;
		load_file(fd, &call);
		close(fd);
	} else {
		load(module_garbage, sizeof(module_garbage), &call);
	}
	actor_must(call.error != 0, "be refused");
}

static void module_refused_many(const struct actor_case *self)
{
	for (int i = 0; i < MANY; i++)
		module_refused(self);
}

static void module_bad_descriptor(const struct actor_case *self)
{
	struct module_call call = {.args = ""};

	(void)self;
	load_file(150, &call);
	actor_must(call.error != 0, "be refused");
}

static void module_refused_user(const struct actor_case *self)
{
	(void)self;
	actor_must(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0,
		   "become nobody");
	facts_refresh_names();
	struct module_call call = {.args = "a=b"};
	load(module_garbage, sizeof(module_garbage), &call);
	actor_must(call.error != 0, "be refused");
}

static void find_overlay(char path[PATH_MAX])
{
	glob_t found;

	if (glob("/modules/*-overlay.ko", 0, NULL, &found) != 0)
		actor_skip("no module here that can be loaded");
	snprintf(path, PATH_MAX, "%s", found.gl_pathv[0]);
	globfree(&found);
}

/* The mounts of earlier cases may take a moment to go. */
static void remove_overlay(void)
{
	for (int i = 0; i < REMOVE_TRIES; i++) {
		if (syscall(SYS_delete_module, "overlay", O_NONBLOCK) == 0 || errno == ENOENT)
			return;
		usleep(100000);
	}
	actor_must(false, "remove the module");
}

static char *read_file(const char *path, size_t *ret_size)
{
	struct stat stat_buf;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	actor_must(fd >= 0 && fstat(fd, &stat_buf) == 0, "open the module");
	char *bytes = malloc((size_t)stat_buf.st_size);
	actor_must(bytes && read(fd, bytes, (size_t)stat_buf.st_size) == stat_buf.st_size, "read the module");
	close(fd);
	*ret_size = (size_t)stat_buf.st_size;
	return bytes;
}

/* Loads it by both calls; in between there is a load of what is there already. */
static void module_loaded(const struct actor_case *self)
{
	struct module_call by_file = {.name = "overlay", .args = "index=off redirect_dir=on"};
	struct module_call again = {.args = "", .error = 0};
	struct module_call by_image = {.name = "overlay", .args = ""};
	char path[PATH_MAX];
	size_t size;

	(void)self;
	find_overlay(path);
	char *image = read_file(path, &size);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	by_file.path = path;
	remove_overlay();
	load_file(fd, &by_file);
	actor_must(by_file.error == 0, "load the module's file");
	close(fd);
	load(image, size, &again);
	actor_must(again.error == EEXIST, "find it loaded");
	remove_overlay();
	load(image, size, &by_image);
	actor_must(by_image.error == 0, "load the module");
	free(image);
}

void actor_add_module(void)
{
	static const char *const doors[] = {"init", "finit"};

	for (int door = 0; door < 2; door++) {
		actor_add(module_refused, door, 0, 0, "module.%s.garbage", doors[door]);
		actor_add(module_refused, door, -1, 0, "module.%s.unreadable", doors[door]);
		actor_add(module_refused, door, ARGS_MAX, 0, "module.%s.full", doors[door]);
		actor_add(module_refused, door, ARGS_MAX + 1, 0, "module.%s.long", doors[door]);
		actor_add(module_refused, door, 2 * ARGS_MAX - 1, 0, "module.%s.longer", doors[door]);
	}
	actor_add(module_refused, 1, 3, 3, "module.finit.flags");
	actor_add(module_bad_descriptor, 0, 0, 0, "module.finit.bad_descriptor");
	actor_add(module_refused_user, 0, 0, 0, "module.init.user");
	actor_add(module_refused_many, 0, 7, 0, "module.init.many");
	actor_add(module_loaded, 0, 0, 0, "module.loaded");
}
