/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai run: what must be true before the sensor starts, each with one clear line when it is not. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/pipeline.h"
#include "probe/prog_reader.h"

enum { FILES_MAX = 4096 };

#define RUN_DIRECTORY "/run/kunai"
#define PID_FILE      RUN_DIRECTORY "/kunai.pid"
#define BTF_FILE      "/sys/kernel/btf/vmlinux"

/* include/linux/proc_ns.h: PROC_PID_INIT_INO, the inode number of the first pid namespace */
#define HOST_PID_NAMESPACE 0xEFFFFFFCu

static int check_host(void)
{
	struct stat st;

	if (geteuid() != 0)
		return cmd_fail(
			"root privileges are required to monitor system events; try `sudo kunai run`, or "
			"`kunai help` for what works without");
	if (stat("/proc/self/ns/pid", &st) < 0)
		return cmd_fail("cannot read /proc/self/ns/pid: %s; is /proc mounted?", strerror(errno));
	if (st.st_ino != HOST_PID_NAMESPACE)
		return cmd_fail(
			"this is not the host's pid namespace; run in it, a container with --pid=host");
	if (access(BTF_FILE, R_OK) < 0)
		return cmd_fail("cannot read " BTF_FILE
				": %s; a kernel with CONFIG_DEBUG_INFO_BTF and a mounted /sys "
				"are needed",
				strerror(errno));
	return EXIT_SUCCESS;
}

/*
 * The pid file, locked for as long as we run: a file that was left behind, or whose number is another process by now, does
 * not keep a sensor from starting. -EWOULDBLOCK when another one runs, and then its pid. Without the file, for whatever
 * reason, the sensor runs nevertheless.
 */
static int lock_pid_file(int *ret_fd, int *ret_other)
{
	char text[16] = "";

	if (mkdir(RUN_DIRECTORY, 0700) < 0 && errno != EEXIST)
		log_warn("cannot make " RUN_DIRECTORY ": %s", strerror(errno));
	int fd = open(PID_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0700);
	*ret_fd = fd;
	if (fd < 0) {
		log_warn("cannot write " PID_FILE ": %s", strerror(errno));
		return 0;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		ssize_t n = read(fd, text, sizeof(text) - 1);
		*ret_other = n > 0 ? atoi(text) : 0;
		return -EWOULDBLOCK;
	}
	int n = snprintf(text, sizeof(text), "%d", getpid());
	if (ftruncate(fd, 0) < 0 || write(fd, text, (size_t)n) != n)
		log_warn("cannot write " PID_FILE ": %s", strerror(errno));
	return 0;
}

/* Before any thread is started: all of them inherit it, and the pipeline reads the signals from a descriptor. */
static void block_signals(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGPIPE);
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

/* Roots of namespaces and files that wait to be hashed are held open. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= FILES_MAX)
		return;
	limit.rlim_cur = FILES_MAX;
	if (limit.rlim_max < FILES_MAX)
		limit.rlim_max = FILES_MAX;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn("cannot raise the number of open files to %u: %s", FILES_MAX, strerror(errno));
}

/* A file made for Kunai is accepted, but nobody may believe that its rules are applied. */
static void warn_of_unused(const struct config *config)
{
	const struct {
		bool used;
		const char *key;
	} keys[] = {
		{config->scanner.yara.count, "scanner.yara"},
		{config->max_eps_fs.set, "max_eps_fs"},
		{config->output.rotate_size.set, "output.rotate_size"},
		{config->output.rotate_interval.set, "output.rotate_interval"},
		{config->output.max_size.set, "output.max_size"},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].used)
			log_warn("%s has no effect in this version", keys[i].key);
}

/* Until it is done, patterns are tried one by one. */
struct compilation {
	struct scanner *scanner;
	pthread_t thread;
	bool begun;
	atomic_bool done;
};

static void *compile(void *argument)
{
	struct compilation *c = argument;

	if (scanner_compile(c->scanner) < 0)
		log_warn("no memory to compile the rules: they cost more than they could");
	c->done = true;
	return NULL;
}

static void compilation_begin(struct compilation *c, struct scanner *scanner)
{
	c->scanner = scanner;
	c->begun = !scanner_is_empty(scanner) && pthread_create(&c->thread, NULL, compile, c) == 0;
}

/* Ten thousand rules take half a minute, which nobody who stops the sensor waits for: then the process ends here. */
static void compilation_end(struct compilation *c, int status)
{
	if (c->begun && !c->done) {
		unlink(PID_FILE);
		_exit(status);
	}
	if (c->begun)
		pthread_join(c->thread, NULL);
}

/* Before there are threads. */
static void open_prog_reader(const struct config *config, struct prog_reader *ret)
{
	*ret = (struct prog_reader){.fd = -1};
	if (!config->events[EVENT_bpf_prog_load] && !config->events[EVENT_bpf_socket_filter])
		return;
	int err = prog_reader_open(ret);
	if (err)
		log_warn("cannot start the helper that reads BPF programs, their digests are unknown: %s",
			 strerror(-err));
}

static int run_sensor(const struct config *config, struct scanner *scanner)
{
	struct buf message = {0};
	struct sink sink;
	struct prog_reader prog_reader;
	struct compilation compilation = {0};

	int err = sink_open(&sink, config_output_standard(config), config->output.path);
	if (err)
		return cmd_fail("cannot write to the output %s: %s", config->output.path, strerror(-err));
	block_signals();
	warn_of_unused(config);
	raise_file_limit();
	open_prog_reader(config, &prog_reader);
	compilation_begin(&compilation, scanner);
	err = pipeline_run(config, scanner, prog_reader.fd, &sink, &message);
	prog_reader_close(&prog_reader);
	if (err)
		cmd_fail("%.*s", STR_ARG(buf_str(&message)));
	else if (sink.closed)
		fprintf(stderr, "kunai: the reader of the output has gone\n");
	sink_close(&sink);
	buf_fini(&message);
	int status = err ? EXIT_FAILURE : EXIT_SUCCESS;
	compilation_end(&compilation, status);
	return status;
}

static int scan_and_run(const struct config *config)
{
	struct scanner *scanner;

	int status = cmd_load_scanner(&config->scanner, &scanner);
	if (status)
		return status;
	status = run_sensor(config, scanner);
	scanner_free(scanner);
	return status;
}

static int run_and_unlink(const struct config *config)
{
	int status = scan_and_run(config);

	unlink(PID_FILE);
	return status;
}

static int run(const struct cmd_context *ctx)
{
	struct config config;

	int status = run_config_from_options(ctx, &config);
	if (status)
		return status;
	status = config.harden ? cmd_fail("this version has no hardened mode: leave harden out")
			       : check_host();
	int lock = -1, other = 0;
	if (!status && lock_pid_file(&lock, &other) < 0)
		log_warn("An instance of Kunai pid=%d is already running", other);
	else if (!status)
		status = run_and_unlink(&config);
	if (lock >= 0)
		close(lock);
	config_fini(&config);
	return status;
}

const struct cmd_entry cmd_run_entry = {
	.name = "run",
	.summary = "Watch this host and print its events",
	.options = config_options,
	.option_count = OPTION_COUNT,
	.run = run,
};
