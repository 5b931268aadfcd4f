/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Executions. The executed program is always a link to this one: it finds KUNAI_ACTOR_CASE in its environment
 * and states what the kernel shows of it (actor_report), so the fact is written after the exec, by its result.
 */
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	SCRIPT_DEPTH_MAX = 5, /* exec_binprm() in fs/exec.c */
	CMDLINE_MAX = 128 * 1024,
	ARGS_LIMIT = 32 * 1024, /* the sensor's default max_args */
};

enum how { BY_EXECVE, BY_EXECVEAT, BY_FEXECVE };

struct launch {
	enum how how;
	const char *file;        /* passed to execve or execveat; NULL: fd is executed */
	int fd;                  /* of the program, or of the directory that file starts from */
	char *const *argv;       /* NULL: just the name */
	const char *exe;         /* the image's path, when /proc/self/exe would say something else */
	const char *script;      /* the script's path without symbolic links */
	const char *script_name; /* the script's absolute path as it was named */
	const char
		*then; /* "fork": the program clones a child; "stop": it stops itself; "stay": actor_stay() */
};

static void export_text(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
}

/* Returns only when the execution failed. */
static void execute(const struct launch *launch)
{
	static char *const plain[] = {"actor", NULL};
	char *const *argv = launch->argv ? launch->argv : plain;

	clearenv();
	export_text("KUNAI_ACTOR_CASE", facts_case);
	export_text("KUNAI_ACTOR_EXE", launch->exe);
	export_text("KUNAI_ACTOR_SCRIPT", launch->script);
	export_text("KUNAI_ACTOR_SCRIPT_NAME", launch->script_name);
	export_text("KUNAI_ACTOR_THEN", launch->then);
	if (launch->how == BY_FEXECVE)
		fexecve(launch->fd, argv, environ);
	else if (launch->how == BY_EXECVEAT)
		syscall(SYS_execveat, launch->fd, launch->file, argv, environ, 0);
	else if (launch->file)
		execve(launch->file, argv, environ);
	else
		syscall(SYS_execveat, launch->fd, "", argv, environ, AT_EMPTY_PATH);
}

void actor_execute(const char *file)
{
	execute(&(struct launch){.file = file});
}

void actor_execute_and_stop(const char *file)
{
	execute(&(struct launch){.file = file, .then = "stop"});
}

void actor_execute_and_stay(const char *file)
{
	execute(&(struct launch){.file = file, .then = "stay"});
}

static void run(const struct launch *launch)
{
	pid_t pid = actor_fork();

	if (pid == 0) {
		execute(launch);
		actor_must(false, "execute a program");
	}
	actor_wait(pid);
}

static size_t read_all(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got = 0;

	while (fd >= 0 && len < size && (got = read(fd, buf + len, size - len)) > 0)
		len += (size_t)got;
	if (fd >= 0)
		close(fd);
	return len;
}

static void state_exec(void)
{
	static char cmdline[CMDLINE_MAX + 1], text[PATH_MAX];
	const char *script = getenv("KUNAI_ACTOR_SCRIPT"), *name = getenv("KUNAI_ACTOR_SCRIPT_NAME");
	const char *exe = getenv("KUNAI_ACTOR_EXE");
	struct fact fact;

	facts_begin(&fact, "exec");
	if (!exe && readlink("/proc/self/exe", text, sizeof(text) - 1) > 0)
		exe = text;
	facts_string(&fact, "exe", exe ? exe : "?");
	facts_bytes(&fact, "cmdline", cmdline, read_all("/proc/self/cmdline", cmdline, CMDLINE_MAX));
	if (getcwd(text, sizeof(text)))
		facts_string(&fact, "cwd", text);
	if (script) {
		facts_string(&fact, "script", script);
		facts_string(&fact, "script_name", name ? name : script);
		facts_bytes(&fact, "script_data", cmdline, read_all(script, cmdline, CMDLINE_MAX));
	}
	facts_end(&fact);
}

bool actor_report(void)
{
	const char *then = getenv("KUNAI_ACTOR_THEN");
	pid_t pid;

	if (!getenv("KUNAI_ACTOR_CASE"))
		return false;
	facts_case = getenv("KUNAI_ACTOR_CASE");

	facts_refresh_names();
	state_exec();
	if (then && strcmp(then, "stop") == 0)
		actor_kill(getpid(), SIGSTOP);
	if (then && strcmp(then, "stay") == 0)
		actor_stay();
	if (then && strcmp(then, "fork") == 0) {
		pid = actor_fork();
		if (pid == 0)
			actor_exit(0);
		actor_wait(pid);
	}
	actor_exit(0);
}

const char *actor_program(void)
{
	static char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/scenario", actor_env.bin);
	return path;
}

static void link_program(const char *name)
{
	actor_must(link(actor_program(), name) == 0, "link the program");
}

static void make_script(const char *path, const char *interpreter, const char *argument)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "#!%s%s%s\nThis is text.\n", interpreter, *argument ? " " : "",
			   argument);

	actor_must(len > 0 && len < (int)sizeof(text), "the interpreter's path is short");
	actor_file_make(path, text, (size_t)len, 0755);
}

static void exec_absolute(const struct actor_case *self)
{
	(void)self;
	run(&(struct launch){.file = actor_program()});
}

static void exec_relative(const struct actor_case *self)
{
	(void)self;
	link_program("program");
	run(&(struct launch){.file = "./program"});
}

static void exec_dots(const struct actor_case *self)
{
	(void)self;
	link_program("program");
	actor_must(mkdir("dir", 0755) == 0, "mkdir");
	run(&(struct launch){.file = "dir/.././/program"});
}

static void exec_symlink(const struct actor_case *self)
{
	(void)self;
	link_program("program");
	actor_must(symlink("program", "link") == 0, "symlink");
	run(&(struct launch){.file = "./link"});
}

static void exec_odd_name(const struct actor_case *self)
{
	static const char name[] = "./sp ace \"quote\" back\\slash \xc3\xa9 \xff\xfe new\nline";
	char path[PATH_MAX];

	(void)self;
	link_program(name);
	run(&(struct launch){.file = name, .exe = actor_path(path, name + 2)});
}

static void script_absolute(const struct actor_case *self)
{
	char path[PATH_MAX];

	(void)self;
	actor_path(path, "script");
	make_script(path, actor_program(), "");
	run(&(struct launch){.file = path, .script = path});
}

static void script_relative(const struct actor_case *self)
{
	char path[PATH_MAX];

	(void)self;
	make_script("script", actor_program(), "one argument");
	run(&(struct launch){.file = "./script", .script = actor_path(path, "script")});
}

static void script_symlink(const struct actor_case *self)
{
	char path[PATH_MAX], name[PATH_MAX];

	(void)self;
	make_script("script", actor_program(), "");
	actor_must(symlink("script", "link") == 0, "symlink");
	run(&(struct launch){.file = "./link",
			     .script = actor_path(path, "script"),
			     .script_name = actor_path(name, "link")});
}

/* A child cloned from a script without exec runs the interpreter. */
static void script_child(const struct actor_case *self)
{
	char path[PATH_MAX];

	(void)self;
	make_script("script", actor_program(), "");
	run(&(struct launch){.file = "./script", .script = actor_path(path, "script"), .then = "fork"});
}

static void make_chain(int depth)
{
	char path[PATH_MAX], interpreter[PATH_MAX + 16], name[16];

	snprintf(interpreter, sizeof(interpreter), "%s", actor_program());
	for (int level = 1; level <= depth; level++) {
		snprintf(name, sizeof(name), "s%d", level);
		make_script(name, interpreter, "");
		snprintf(interpreter, sizeof(interpreter), "%s", actor_path(path, name));
	}
}

static void script_chain(const struct actor_case *self)
{
	char path[PATH_MAX], name[16];

	snprintf(name, sizeof(name), "s%d", self->a);
	make_chain(self->a);
	run(&(struct launch){.file = actor_path(path, name), .script = path});
}

static void script_chain_too_long(const struct actor_case *self)
{
	char path[PATH_MAX];
	pid_t pid;

	(void)self;
	make_chain(SCRIPT_DEPTH_MAX + 1);
	pid = actor_fork();
	if (pid == 0) {
		execute(&(struct launch){.file = "./s6"});
		actor_must(errno == ELOOP, "the kernel refuses a chain of 6");
		execute(&(struct launch){.file = "./s5", .script = actor_path(path, "s5")});
		actor_must(false, "execute a chain of 5");
	}
	actor_wait(pid);
}

static void *execute_in_thread(void *argument)
{
	actor_started(0x3d0f00); /* what the C library's pthread_create passes */
	execute(argument);
	actor_must(false, "execute a program in a thread");
	return NULL;
}

static void exec_thread(const struct actor_case *self)
{
	struct launch launch = {.file = actor_program()};
	pthread_t thread;
	pid_t pid = actor_fork();

	(void)self;
	if (pid == 0) {
		actor_must(pthread_create(&thread, NULL, execute_in_thread, &launch) == 0, "pthread_create");
		pthread_join(thread, NULL);
		actor_must(false, "the exec ends the other threads");
	}
	actor_wait(pid);
}

static void copy_program(int to)
{
	struct stat stat;
	int from = open(actor_program(), O_RDONLY | O_CLOEXEC);

	actor_must(from >= 0 && fstat(from, &stat) == 0, "open the program");
	actor_must(sendfile(to, from, NULL, (size_t)stat.st_size) == stat.st_size, "copy the program");
	close(from);
}

static void state_memory_closed(const char *path)
{
	struct fact fact;

	facts_begin(&fact, "close");
	facts_string(&fact, "path", path);
	facts_string(&fact, "written_by", "sendfile");
	facts_bool(&fact, "during_exec", true);
	facts_end(&fact);
}

static void exec_memory(const struct actor_case *self)
{
	pid_t pid = actor_fork();

	(void)self;
	if (pid == 0) {
		int fd = (int)syscall(SYS_memfd_create, "kunai memory", MFD_CLOEXEC);

		actor_must(fd >= 0, "memfd_create");
		copy_program(fd);
		state_memory_closed("memfd:kunai memory");
		execute(&(struct launch){.fd = fd, .exe = "memfd:kunai memory"});
		actor_must(false, "execute memory");
	}
	actor_wait(pid);
}

static void exec_deleted(const struct actor_case *self)
{
	char path[PATH_MAX];
	int fd;

	(void)self;
	link_program("gone");
	fd = open("gone", O_PATH | O_CLOEXEC);
	actor_must(fd >= 0 && unlink("gone") == 0, "delete the program");
	actor_fact_unlinked("gone");
	run(&(struct launch){.fd = fd, .exe = actor_path(path, "gone")});
}

/* A script that is named by a descriptor only, which its interpreter must be able to open. */
static void script_descriptor(const struct actor_case *self)
{
	char path[PATH_MAX], name[32];
	int fd;

	(void)self;
	make_script("script", actor_program(), "");
	fd = open("script", O_RDONLY);
	actor_must(fd >= 0, "open the script");
	snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	run(&(struct launch){.fd = fd, .script = actor_path(path, "script"), .script_name = name});
}

static void exec_descriptor(const struct actor_case *self)
{
	int fd;

	link_program("program");
	fd = open("program", (self->a ? O_PATH : O_RDONLY) | O_CLOEXEC);
	actor_must(fd >= 0, "open the program");
	run(&(struct launch){.fd = fd});
}

/* The C library's call. */
static void exec_fexecve(const struct actor_case *self)
{
	run(&(struct launch){.fd = open(actor_program(), O_RDONLY | O_CLOEXEC), .how = BY_FEXECVE});
	(void)self;
}

static void exec_below(const struct actor_case *self)
{
	int dir;

	(void)self;
	actor_must(mkdir("dir", 0755) == 0 && mkdir("elsewhere", 0755) == 0, "mkdir");
	link_program("dir/program");
	dir = open("dir", O_PATH | O_DIRECTORY | O_CLOEXEC);
	actor_must(dir >= 0 && chdir("elsewhere") == 0, "chdir");
	run(&(struct launch){.file = "../dir/./program", .fd = dir, .how = BY_EXECVEAT});
	actor_must(chdir("..") == 0, "chdir");
}

/* The child has the parent's memory until it executes. */
static void exec_vfork(const struct actor_case *self)
{
#ifdef SYS_vfork
	const struct launch launch = {.file = actor_program()};
	pid_t pid = vfork();

	(void)self;
	if (pid == 0) {
		actor_started(CLONE_VFORK | CLONE_VM | SIGCHLD);
		execute(&launch);
		actor_must(false, "execute a program");
	}
	actor_wait(pid);
#else
	(void)self;
	actor_skip("no vfork here");
#endif
}

static void fail(const char *file, int error)
{
	execute(&(struct launch){.file = file});
	actor_must(errno == error, file);
}

static void exec_failed(const struct actor_case *self)
{
	char path[PATH_MAX];
	pid_t pid;

	actor_file_make("no_permission", "#!/bin/false\n", 13, 0644);
	actor_file_make("no_format", "plain text", 10, 0755);
	actor_file_make("no_interpreter", "#!/nowhere/at/all\n", 18, 0755);
	make_script("script", actor_program(), "");
	pid = actor_fork();
	if (pid == 0) {
		fail("./missing", ENOENT);
		fail("./no_permission", EACCES);
		fail("./no_format", ENOEXEC);
		fail("./no_interpreter", ENOENT);
		if (self->a)
			execute(&(struct launch){.file = "./script", .script = actor_path(path, "script")});
		else
			execute(&(struct launch){.file = actor_program()});
		actor_must(false, "execute a program after failures");
	}
	actor_wait(pid);
}

static void args_odd(const struct actor_case *self)
{
	static char *const argv[] = {
		"actor",       "",  "two words", "quote\"d",    "quoted \"two\"", "tab\there",    "new\nline",
		"back\\slash", "",  "\xc3\xa9",  "bad\xff\xfe", "cut\xe2\x82",    "mid\xe2\x82x", "\x01\x7f",
		" ",           NULL};

	(void)self;
	run(&(struct launch){.file = actor_program(), .argv = argv});
}

static void args_none(const struct actor_case *self)
{
	static char *const argv[] = {NULL};

	(void)self;
	run(&(struct launch){.file = actor_program(), .argv = argv});
}

/* The argument area, NULs included, is exactly self->a bytes long. */
static void args_length(const struct actor_case *self)
{
	char *argv[] = {"actor", NULL, NULL};
	size_t len = (size_t)self->a - sizeof("actor") - 1;

	argv[1] = malloc(len + 1);
	actor_must(argv[1], "memory");
	for (size_t i = 0; i < len; i++)
		argv[1][i] = (char)('a' + i % 23);
	argv[1][len] = 0;
	run(&(struct launch){.file = actor_program(), .argv = argv});
}

static void args_many(const struct actor_case *self)
{
	char **argv = calloc((size_t)self->a + 1, sizeof(*argv));

	actor_must(argv, "memory");
	for (int i = 0; i < self->a; i++)
		actor_must(asprintf(&argv[i], "%d", i) > 0, "memory");
	run(&(struct launch){.file = actor_program(), .argv = argv});
}

void actor_add_exec(void)
{
	static const int lengths[] = {512,        4096,           31 * 1024, ARGS_LIMIT - 1,
				      ARGS_LIMIT, ARGS_LIMIT + 1, 40009,     120011};

	actor_add(exec_absolute, 0, 0, 0, "exec.absolute");
	actor_add(exec_relative, 0, 0, 0, "exec.relative");
	actor_add(exec_dots, 0, 0, 0, "exec.dots");
	actor_add(exec_symlink, 0, 0, 0, "exec.symlink");
	actor_add(exec_odd_name, 0, 0, 0, "exec.odd_name");
	actor_add(exec_thread, 0, 0, 0, "exec.thread");
	actor_add(exec_memory, 0, 0, 0, "exec.memory");
	actor_add(exec_deleted, 0, 0, 0, "exec.deleted");
	actor_add(exec_descriptor, 0, 0, 0, "exec.empty_path");
	actor_add(exec_descriptor, 1, 0, 0, "exec.empty_path.o_path");
	actor_add(exec_fexecve, 0, 0, 0, "exec.fexecve");
	actor_add(exec_below, 0, 0, 0, "exec.execveat");
	actor_add(exec_vfork, 0, 0, 0, "exec.vfork");
	actor_add(exec_failed, 0, 0, 0, "exec.after_failures");
	actor_add(exec_failed, 1, 0, 0, "script.after_failures");
	actor_add(script_absolute, 0, 0, 0, "script.absolute");
	actor_add(script_relative, 0, 0, 0, "script.relative");
	actor_add(script_symlink, 0, 0, 0, "script.symlink");
	actor_add(script_child, 0, 0, 0, "script.child");
	actor_add(script_descriptor, 0, 0, 0, "script.descriptor");
	actor_add(script_chain, 2, 0, 0, "script.chain_2");
	actor_add(script_chain, SCRIPT_DEPTH_MAX, 0, 0, "script.chain_%d", SCRIPT_DEPTH_MAX);
	actor_add(script_chain_too_long, 0, 0, 0, "script.chain_too_long");
	actor_add(args_none, 0, 0, 0, "args.none");
	actor_add(args_odd, 0, 0, 0, "args.odd");
	actor_add(args_many, 997, 0, 0, "args.many");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		actor_add(args_length, lengths[i], 0, 0, "args.length_%d", lengths[i]);
}
