/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A container made by hand: mount and UTS namespaces, a root of its own, a user that only it knows. */
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BOX_ID = 1234, MAP_BASE = 100000 };

static const char container_id[] = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e";

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
static void enter_root(bool with_proc)
{
	actor_must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	actor_must(mount("root", "root", NULL, MS_BIND, NULL) == 0 && chdir("root") == 0, "bind mount");
	actor_must(!with_proc || mount("proc", "proc", "proc", 0, NULL) == 0, "mount /proc");
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
	enter_root(true);
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

/* As docker names the cgroups of its containers. */
static void make_cgroup(char path[128])
{
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0)
		actor_skip("no namespaces here");
	actor_must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	actor_must(mkdir("cg", 0755) == 0, "mkdir");
	if (mount("cgroup2", "cg", "cgroup2", 0, NULL) < 0)
		actor_skip("no cgroups here");
	snprintf(path, 128, "cg/docker-%s.scope", container_id);
	actor_must(mkdir(path, 0755) == 0, "make a cgroup");
}

/* Whoever may leave it empty does. */
static void drop_cgroup(const char *path)
{
	for (int i = 0; i < 500 && rmdir(path) < 0 && errno == EBUSY; i++)
		usleep(10000);
}

static void state_cgroup(const char *op)
{
	struct fact fact;

	facts_begin(&fact, op);
	facts_string(&fact, "container_id", container_id);
	facts_end(&fact);
}

static void state_box(void)
{
	struct fact fact;

	facts_begin(&fact, "new_mount_namespace");
	facts_end(&fact);
}

/* The child plays a container's runtime, with a new cgroup and mount namespace; the case's own process waits for it. */
static bool become_runtime(char path[128])
{
	pid_t pid = actor_fork();

	if (pid > 0) {
		actor_wait(pid);
		return false;
	}
	make_cgroup(path);
	state_box();
	return true;
}

/* A runtime makes a process, and moves it into the container's cgroup when it runs already. */
static void isolate_moved(const struct actor_case *self)
{
	char path[128], procs[160];
	pid_t pid;

	(void)self;
	if (!become_runtime(path))
		return;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	pid = actor_fork();
	if (pid == 0) {
		int fd = open(procs, O_WRONLY | O_CLOEXEC);

		close(actor_file_open("before"));
		actor_must(fd >= 0 && write(fd, "0", 1) == 1, "move to a cgroup");
		state_cgroup("cgroup");
		close(fd);
		actor_fact_closed(procs, "write");
		close(actor_file_open("after"));
		pid = actor_fork();
		if (pid == 0)
			actor_exit(0);
		actor_wait(pid);
		actor_stay();
		actor_exit(0);
	}
	actor_wait(pid);
	drop_cgroup(path);
	actor_exit(0);
}

/* struct clone_args of linux/sched.h, version 2 */
struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

/* The very first event of a process that was made in another cgroup. */
static void isolate_cloned(const struct actor_case *self)
{
	struct clone3_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
	char path[128];
	pid_t pid;

	(void)self;
	if (!become_runtime(path))
		return;
	state_cgroup("cgroup_of_children");
	args.cgroup = (uint64_t)open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	actor_must(pid >= 0, "clone3");
	if (pid == 0) {
		actor_started(args.flags | args.exit_signal);
		actor_stay();
		actor_exit(0);
	}
	actor_wait(pid);
	drop_cgroup(path);
	actor_exit(0);
}

static void write_map(pid_t pid, const char *name)
{
	char path[64], map[32];
	int len = snprintf(map, sizeof(map), "0 %u 65536", MAP_BASE);

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	actor_must(fd >= 0 && write(fd, map, (size_t)len) == len, "map the ids");
	close(fd);
	actor_fact_closed(path, "write");
}

static void act_as_mapped_user(int ready, int mapped)
{
	struct fact fact;
	char byte = 0;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) < 0)
		actor_skip("no user namespaces here");
	facts_begin(&fact, "new_mount_namespace");
	facts_end(&fact);
	actor_must(write(ready, &byte, 1) == 1 && read(mapped, &byte, 1) == 1, "be mapped");
	facts_id_base = MAP_BASE;
	enter_root(false);
	actor_must(setgid(BOX_ID) == 0 && setuid(BOX_ID) == 0, "become another user");
	facts_refresh_names();
	actor_file_make("/tmp/file", "x", 1, 0600);
	actor_stay();
	actor_exit(0);
}

/* As of rootless containers: whom the container calls boxuser has another id outside. */
static void isolate_user_namespace(const struct actor_case *self)
{
	int ready[2], mapped[2];
	char byte = 0;
	pid_t pid;

	(void)self;
	make_root();
	actor_must(pipe(ready) == 0 && pipe(mapped) == 0, "pipe");
	pid = actor_fork();
	if (pid == 0)
		act_as_mapped_user(ready[1], mapped[0]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1) {
		write_map(pid, "uid_map");
		write_map(pid, "gid_map");
		actor_must(write(mapped[1], &byte, 1) == 1, "go on");
	}
	actor_wait(pid);
}

void actor_add_isolate(void)
{
	actor_add(isolate_user_namespace, 0, 0, 0, "container.user_namespace");
	actor_add(isolate_moved, 0, 0, 0, "container.moved");
	actor_add(isolate_cloned, 0, 0, 0, "container.cloned_into");
	actor_add(isolate_exec, 0, 0, 0, "container.exec");
	actor_add(isolate_files, 0, 0, 0, "container.files");
}
