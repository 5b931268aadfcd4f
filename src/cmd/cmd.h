/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line. Commands are constant tables; what was parsed borrows argv, so it lives as long as the
 * process. This layer alone prints: one line on stderr for an error, with the name of the thing and what to do.
 */
#ifndef KUNAI_CMD_CMD_H
#define KUNAI_CMD_CMD_H

#include "base/buf.h"
#include "base/log.h"
#include "config/config.h"
#include "config/option.h"
#include "detect/problem.h"
#include "detect/scanner.h"

#define CONFIG_DEFAULT_PATH "/etc/kunai/config.yaml"

enum { EXIT_USAGE = 2 }; /* beside EXIT_SUCCESS and EXIT_FAILURE */

struct cmd_context;

/* One subcommand: each lives in a file of its own, which exports this. */
struct cmd_entry {
	const char *name;
	const char *summary;
	const char *operands; /* what help shows after the options, or NULL: there are none */
	unsigned int max_operands;
	const struct config_option *options; /* rows without a name are not on the command line */
	size_t option_count;
	int (*run)(const struct cmd_context *ctx); /* returns the exit status */
};

struct cmd_value {
	const struct config_option *option;
	const char *text; /* NULL for a flag */
};

struct cmd_context {
	const struct cmd_entry *const *commands; /* ends with NULL; the first one is the default */
	const struct cmd_entry *entry;
	bool explicit_entry; /* false: no subcommand was named */

	struct cmd_value *values; /* options of the entry in the order given */
	size_t value_count;
	const char **operands;
	size_t operand_count;

	bool debug;
	bool silent;
	unsigned int verbose;
	bool help;
	bool version;
};

extern const struct cmd_entry cmd_run_entry, cmd_config_entry, cmd_replay_entry, cmd_test_entry,
	cmd_rules_entry, cmd_reload_entry, cmd_logs_entry, cmd_status_entry, cmd_stop_entry,
	cmd_install_entry, cmd_uninstall_entry, cmd_completion_entry, cmd_doctor_entry, cmd_help_entry;

/*
 * Parses the arguments (argv[0] is skipped). Returns 0, -ENOMEM, or -EINVAL with one line about the mistake in
 * error. The context is to be finished in every case.
 */
int cmd_parse(const struct cmd_entry *const *commands, int argc, char *const *argv, struct cmd_context *ret,
	      struct buf *error);
void cmd_fini(struct cmd_context *ctx);

/* The last value given for an option; NULL when it was not given. */
const struct cmd_value *cmd_find_value(const struct cmd_context *ctx, const struct config_option *option);

/* Returns NULL when there is none. */
const struct cmd_entry *cmd_find_entry(const struct cmd_entry *const *commands, const char *name);

/* Appends "; did you mean 'x'?", or what commands there are. */
void cmd_add_nearest_entry(const struct cmd_entry *const *commands, const char *name, struct buf *out);

/* -d over -v over -s. */
enum log_level cmd_log_level(const struct cmd_context *ctx);

/* The options that every command has. */
enum {
	CMD_GLOBAL_DEBUG,
	CMD_GLOBAL_SILENT,
	CMD_GLOBAL_VERBOSE,
	CMD_GLOBAL_HELP,
	CMD_GLOBAL_VERSION,
	CMD_GLOBALS
};
extern const struct config_option cmd_globals[CMD_GLOBALS];

/* Help as text. With entry NULL that of the program. */
void cmd_add_help(const struct cmd_entry *const *commands, const struct cmd_entry *entry, struct buf *out);

/* Prints "Error: ..." and returns EXIT_FAILURE. */
int cmd_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints "kunai: ..." and returns EXIT_USAGE. */
int cmd_fail_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The option --format: *ret_text is true for text, false for json. Returns EXIT_SUCCESS, or EXIT_USAGE after saying why. */
int cmd_read_format(const struct cmd_context *ctx, const struct config_option *option, bool *ret_text);

/* Of the commands that ask a running sensor. */
#define OPTION_RUN_DIRECTORY                                                    \
	{                                                                       \
		.type = OPTION_TYPE_FILE, .name = "run-dir", .argument = "DIR", \
		.default_text = RUN_DIRECTORY_DEFAULT,                          \
		.help = "directory of the sensor's pid file and socket"         \
	}

/* The option --run-dir. Returns EXIT_SUCCESS, or EXIT_USAGE after saying why. */
int cmd_use_run_directory(const struct cmd_context *ctx, const struct config_option *option);

/* Whether what is written to it is for a terminal that shows colours. */
bool cmd_wants_colour(int fd);

/* Prints the buffer on stdout and returns the exit status. */
int cmd_print(const struct buf *text);

/* Prints "path:line:column: error: text" for each message; warnings only if the log level shows them. */
void cmd_report_messages(const char *path, const struct config_messages *messages);

/* The same for rules. */
void cmd_report_problems(const struct problems *problems);

/* Rules and IoCs, see scanner_load(). */
int cmd_read_scanner(const struct config_scanner *config, enum path_policy policy, struct problems *problems,
		     struct scanner **ret);

/* What cmd_read_scanner() found, which is freed. Returns EXIT_SUCCESS, or another exit status after saying why. */
int cmd_conclude_load(int err, struct problems *problems);

/* Both, with patterns compiled: from the sensor's cache, if we may read it, or here and now. */
int cmd_load_compiled_scanner(const struct config_scanner *config, struct scanner **ret);

#define CACHE_DIRECTORY "/var/lib/kunai" /* of compiled patterns */

/* A configuration file. Returns EXIT_SUCCESS, or another exit status after saying why; ret is the caller's on success only. */
int cmd_load_config(const char *path, struct config *ret);

/*
 * The effective configuration of `run`: the file of --config or the defaults, then the other options. Returns
 * EXIT_SUCCESS, or another exit status after saying why; ret is the caller's on success only.
 */
int run_config_from_options(const struct cmd_context *ctx, struct config *ret);

#endif
