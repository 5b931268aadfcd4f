/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai run: what must be true before the sensor starts, each with one clear line when it is not. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/compile_helper.h"
#include "cmd/host_facts.h"
#include "cmd/output.h"
#include "cmd/pid_file.h"
#include "cmd/pipeline.h"
#include "cmd/privileges.h"
#include "probe/harden.h"
#include "probe/prog_reader.h"

enum { FILES_MAX = 32768 };

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

/* Before any thread is started: all of them inherit it, and the pipeline reads the signals from a descriptor. */
static void block_signals(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGPIPE);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

/* Whoever is at the terminal of a hardened sensor ends it with Ctrl-C, and does not stop it otherwise. */
static void block_other_signals(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t mask;

	sigfillset(&mask);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		sigdelset(&mask, faults[i]);
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

/* From the moment that `kunai reload` can find us: one that comes while we start is served when we have. */
static void block_hangup(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

/* Roots of namespaces and files that wait to be hashed are held open. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= FILES_MAX)
		return;
	struct rlimit wanted = {FILES_MAX, limit.rlim_max < FILES_MAX ? FILES_MAX : limit.rlim_max};
	if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
		return;
	int error = errno;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	log_warn("cannot raise the number of open files to %u, it is %llu: %s", FILES_MAX,
		 (unsigned long long)limit.rlim_cur, strerror(error));
}

/* Before there are threads. */
static void open_prog_reader(const struct config *config, struct helper *ret)
{
	*ret = (struct helper){.fd = -1};
	if (!config->events[EVENT_bpf_prog_load] && !config->events[EVENT_bpf_socket_filter])
		return;
	int err = prog_reader_open(ret);
	if (err)
		log_warn("cannot start the helper that reads BPF programs, their digests are unknown: %s",
			 strerror(-err));
}

/* What the command line says beside the configuration. */
struct run_options {
	bool text; /* standard output is for people */
	const char *config_file;
};

static int run_sensor(const struct config *config, const struct run_options *options,
		      struct reloader *reloader, const struct helper *prog_reader,
		      const struct helper *compiler)
{
	const struct sensor sensor = {
		.config_file = options->config_file,
		.helpers = {prog_reader->pid, compiler->pid},
	};
	struct buf message = {0};
	struct outputs outputs;

	int status = output_open(config, options->text, &outputs);
	if (status)
		return status;
	raise_file_limit();
	int err = reloader_start(reloader);
	if (err)
		log_warn("cannot start the thread that loads rules anew: %s", strerror(-err));
	err = pipeline_run(config, reloader, prog_reader->fd, &sensor, &outputs, &message);
	if (err)
		cmd_fail("%.*s", STR_ARG(buf_str(&message)));
	else if (outputs_are_closed(&outputs))
		fprintf(stderr, "kunai: the reader of the output has gone\n");
	outputs_close(&outputs);
	buf_fini(&message);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int scan_and_run(const struct config *config, const struct run_options *options)
{
	struct helper compiler = {.fd = -1}, prog_reader;
	struct reloader *reloader;

	/* before the rules are loaded: they need not have a share in that memory */
	open_prog_reader(config, &prog_reader);
	int err = config->scanner.rules.count ? compile_helper_open(&compiler) : 0;
	if (err)
		log_warn("cannot start the helper that compiles rules, they cost more than they could: %s",
			 strerror(-err));
	int status = reloader_open(&config->scanner, &compiler, &reloader);
	if (!status) {
		block_signals();
		if (config->harden)
			block_other_signals();
		status = run_sensor(config, options, reloader, &prog_reader, &compiler);
		reloader_close(reloader);
	}
	helper_close(&compiler);
	helper_close(&prog_reader);
	return status;
}

static int run_and_unlink(const struct config *config, const struct run_options *options)
{
	int status = scan_and_run(config, options);

	pid_file_remove();
	return status;
}

/* What cannot be found out now shows when it is tried. */
static int check_guard(void)
{
	int err = guard_check();

	if (err == -EOPNOTSUPP || err == -ENOENT)
		return cmd_fail("%s", guard_needs);
	if (err && err != -ENODATA)
		return cmd_fail(
			"the hardened mode is not possible: the kernel refuses programs of the BPF LSM: %s",
			strerror(-err));
	return EXIT_SUCCESS;
}

static int run(const struct cmd_context *ctx)
{
	struct run_options options = {0};
	struct config config;

	int status = cmd_read_format(ctx, &config_options[OPTION_format], &options.text);
	if (!status)
		status = cmd_use_run_directory(ctx, &config_options[OPTION_run_dir]);
	if (!status)
		status = run_config_from_options(ctx, &config);
	if (status)
		return status;
	const struct cmd_value *file = cmd_find_value(ctx, &config_options[OPTION_config]);
	options.config_file = file ? file->text : NULL;
	status = check_host();
	if (!status && config.harden)
		status = check_guard();
	int err = status ? 0 : privileges_drop();
	if (err)
		log_warn("cannot give up capabilities that are not needed: %s", strerror(-err));
	pid_t other = 0;
	int lock = -1;
	block_hangup();
	if (!status && pid_file_lock(&lock, &other) < 0)
		log_warn("An instance of Kunai pid=%d is already running", other);
	else if (!status)
		status = run_and_unlink(&config, &options);
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
