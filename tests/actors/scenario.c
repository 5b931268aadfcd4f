/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The driver: runs every case in a process of its own, one after the other.
 *
 *   scenario run WORK FACTS STORM [PATTERN]       all cases, or those whose names match
 *   scenario run-throttled WORK FACTS STORM       those for a sensor that throttles
 *   scenario linger NAME WORK FACTS GO_FILE...    see identity.c
 *   scenario mix WORK SEED COUNT                 see mix.c
 *   scenario list
 *   scenario await-line FILE SECONDS              until the file has a line
 *   scenario await-mark FILE MARK SECONDS         until the file names MARK, which is created
 *   scenario be-refused                           see refused.c
 */
#include "actor.h"
#include "mix.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CASE_SECONDS_MAX = 600, /* a storm in an emulated machine */
	ANCESTORS_MAX = 64,
};

static struct actor_case cases[ACTOR_CASES_MAX];
static int case_count;
static volatile pid_t running;

void actor_add(void (*run)(const struct actor_case *self), int a, int b, int c, const char *name, ...)
{
	struct actor_case *new_case = &cases[case_count];
	va_list args;

	if (case_count == ACTOR_CASES_MAX)
		abort();
	*new_case = (struct actor_case){.run = run, .a = a, .b = b, .c = c};
	va_start(args, name);
	vsnprintf(new_case->name, sizeof(new_case->name), name, args);
	va_end(args);
	case_count++;
}

static void add_cases(void)
{
	actor_add_exec();
	actor_add_clones();
	actor_add_exits();
	actor_add_write_close();
	actor_add_file_create();
	actor_add_names();
	actor_add_accesses();
	actor_add_handles();
	actor_add_connect();
	actor_add_send();
	actor_add_dns();
	actor_add_isolate();
	actor_add_identity();
	actor_add_control();
	actor_add_others();
	actor_add_memory();
	actor_add_filter();
	actor_add_prog();
	actor_add_module();
	actor_add_ia32();
	actor_add_shell();
	actor_add_uring();
	actor_add_uring_untold();
	actor_add_storm();
}

static int fail(const char *what)
{
	fprintf(stderr, "scenario: %s: %s\n", what, strerror(errno));
	return 1;
}

static int open_facts(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	if (fd < 0 || dup2(fd, FACTS_FD) < 0)
		return -1;
	return close(fd);
}

static int copy_program(const char *name)
{
	char from[PATH_MAX], to[PATH_MAX + 16], *slash;
	ssize_t len = readlink("/proc/self/exe", from, sizeof(from) - 32);
	struct stat stat;
	int in, out, status;

	if (len < 0)
		return -1;
	from[len] = 0;
	slash = strrchr(from, '/');
	snprintf(slash + 1, 32, "%s", name);
	snprintf(to, sizeof(to), "%s/%s", actor_env.bin, name);
	in = open(from, O_RDONLY | O_CLOEXEC);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	status = in < 0 || out < 0 || fstat(in, &stat) < 0 ||
				 sendfile(out, in, NULL, (size_t)stat.st_size) != stat.st_size
			 ? -1
			 : 0;
	close(in);
	close(out);
	return status;
}

static int prepare(const char *work, const char *storm)
{
	const struct rlimit no_core = {0, 0};

	actor_env.storm = (unsigned)strtoul(storm, NULL, 10);
	if (!realpath(work, actor_env.work))
		return -1;
	snprintf(actor_env.bin, sizeof(actor_env.bin), "%.*s/bin", PATH_MAX - 8, actor_env.work);
	if ((mkdir(actor_env.bin, 0755) < 0 && errno != EEXIST) || copy_program("scenario") < 0 ||
	    copy_program("true") < 0)
		return -1;
	return setrlimit(RLIMIT_CORE, &no_core);
}

static pid_t parent_of(pid_t pid)
{
	char path[64], text[512] = "", *field;
	pid_t parent = 0;
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	stream = fopen(path, "re");
	if (stream && fread(text, 1, sizeof(text) - 1, stream) > 0 && (field = strrchr(text, ')')))
		sscanf(field + 2, "%*c %d", &parent);
	if (stream)
		fclose(stream);
	return parent;
}

/* The executables of the driver's ancestors, youngest first, one fact each. */
static void state_ancestors(void)
{
	char path[64], exe[PATH_MAX];
	pid_t pid = getppid();
	struct fact fact;

	for (int i = 0; pid > 0 && i < ANCESTORS_MAX; i++, pid = parent_of(pid)) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/exe", pid);
		len = readlink(path, exe, sizeof(exe) - 1);
		exe[len > 0 ? len : 0] = 0;
		facts_begin(&fact, "ancestor");
		facts_number(&fact, "ancestor_pid", pid);
		facts_string(&fact, "exe", len > 0 ? exe : "?");
		facts_end(&fact);
	}
}

/* Whether the whole test runs in a mount namespace other than the host's, which kthreadd lives in. */
static bool is_contained(void)
{
	struct stat host, own;

	return stat("/proc/2/ns/mnt", &host) == 0 && stat("/proc/self/ns/mnt", &own) == 0 &&
	       host.st_ino != own.st_ino;
}

static void state_driver(char **argv)
{
	char exe[PATH_MAX] = "";
	struct fact fact;
	char cmdline[2 * PATH_MAX];
	size_t len = 0;

	for (int i = 0; argv[i]; i++)
		len += (size_t)snprintf(cmdline + len, sizeof(cmdline) - len, "%s", argv[i]) + 1;
	facts_begin(&fact, "driver");
	facts_bytes(&fact, "cmdline", cmdline, len);
	facts_string(&fact, "exe", readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0 ? exe : "?");
	facts_number(&fact, "start_ticks", (long long)actor_start_ticks());
	facts_bool(&fact, "contained", is_contained());
	facts_end(&fact);
	state_ancestors();
}

static void kill_case(int signal_number)
{
	(void)signal_number;
	kill(-running, SIGKILL);
}

static void lead(const struct actor_case *self, const char *dir)
{
	setpgid(0, 0);
	actor_started(SIGCHLD);
	actor_must(chdir(dir) == 0, "the case's directory");
	self->run(self);
	actor_exit(0);
}

static int reap_all(pid_t leader)
{
	int status = -1, other;
	pid_t pid;

	/* A case may leave a child to the driver on purpose (CLONE_PARENT). */
	while ((pid = waitpid(-1, &other, __WALL)) > 0 || errno == EINTR)
		if (pid == leader)
			status = other;
	return status;
}

static void run_case(const struct actor_case *self)
{
	char dir[PATH_MAX + 64];
	struct fact fact;
	int status;

	facts_case = self->name;
	snprintf(dir, sizeof(dir), "%s/%s", actor_env.work, self->name);
	mkdir(dir, 0755);
	facts_begin(&fact, "begin");
	facts_end(&fact);

	running = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (running == 0)
		lead(self, dir);
	alarm(CASE_SECONDS_MAX);
	status = reap_all(running);
	alarm(0);

	facts_begin(&fact, "end");
	facts_number(&fact, "status", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	facts_end(&fact);
}

static int run(char **argv)
{
	const char *pattern = argv[5] ? argv[5] : "*";
	/* No SA_RESTART: waitpid must notice. */
	const struct sigaction on_alarm = {.sa_handler = kill_case};

	if (open_facts(argv[3]) < 0)
		return fail(argv[3]);
	if (prepare(argv[2], argv[4]) < 0)
		return fail(argv[2]);
	sigaction(SIGALRM, &on_alarm, NULL);
	facts_refresh_names();
	state_driver(argv);
	for (int i = 0; i < case_count; i++)
		if (fnmatch(pattern, cases[i].name, 0) == 0)
			run_case(&cases[i]);
	return 0;
}

static int linger(char **argv)
{
	if (chdir(argv[3]) < 0 || open_facts(argv[4]) < 0)
		return fail(argv[4]);
	facts_refresh_names();
	state_driver(argv);
	return actor_linger(argv[2], argv + 5);
}

static int mix(char **argv)
{
	if (mkdir(argv[2], 0755) < 0 ||
	    mix_run(argv[2], strtoull(argv[3], NULL, 10), (unsigned)atoi(argv[4])) < 0)
		return fail("mix");
	return 0;
}

static int list(void)
{
	for (int i = 0; i < case_count; i++)
		puts(cases[i].name);
	return 0;
}

static int await_line(const char *path, unsigned seconds)
{
	char byte;

	for (unsigned tenths = 0; tenths < 10 * seconds; tenths++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		while (fd >= 0 && read(fd, &byte, 1) == 1)
			if (byte == '\n')
				return 0;
		if (fd >= 0)
			close(fd);
		usleep(100000);
	}
	errno = ETIMEDOUT;
	return fail(path);
}

/* Whether the text is in what was appended since *offset; a text across two reads is found in the second. */
static bool appeared(int fd, const char *text, off_t *offset)
{
	static char buf[1 << 16];
	size_t overlap = strlen(text) - 1;
	ssize_t len;

	while ((len = pread(fd, buf, sizeof(buf), *offset)) > 0) {
		if (memmem(buf, (size_t)len, text, strlen(text)))
			return true;
		if ((size_t)len <= overlap)
			return false;
		*offset += len - (ssize_t)overlap;
	}
	return false;
}

/* Output is in the order of time: when a new file shows in it, so has everything before. */
static int await_mark(const char *path, const char *mark, unsigned seconds)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), file = open(mark, O_WRONLY | O_CREAT | O_EXCL, 0600);
	off_t offset = 0;

	if (fd < 0 || file < 0)
		return fail(fd < 0 ? path : mark);
	close(file);
	for (unsigned tenths = 0; tenths < 10 * seconds; tenths++) {
		if (appeared(fd, mark, &offset))
			return 0;
		usleep(100000);
	}
	errno = ETIMEDOUT;
	return fail(mark);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (actor_report())
		return 0;

	if (strcmp(verb, "run-throttled") == 0 && argc == 5) {
		actor_add_throttled();
		return run(argv);
	}
	add_cases();
	if (strcmp(verb, "run") == 0 && (argc == 5 || argc == 6))
		return run(argv);
	if (strcmp(verb, "linger") == 0 && argc > 5)
		return linger(argv);
	if (strcmp(verb, "mix") == 0 && argc == 5)
		return mix(argv);
	if (strcmp(verb, "list") == 0)
		return list();
	if (strcmp(verb, "await-line") == 0 && argc == 4)
		return await_line(argv[2], (unsigned)atoi(argv[3]));
	if (strcmp(verb, "await-mark") == 0 && argc == 5)
		return await_mark(argv[2], argv[3], (unsigned)atoi(argv[4]));
	if (strcmp(verb, "be-refused") == 0)
		return actor_be_refused();
	fprintf(stderr,
		"usage: scenario run WORK FACTS STORM [PATTERN] | mix ... | list | linger ... | await-...\n");
	return 2;
}
