/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line: what is parsed, what is refused in which words, and the configuration that `run` gets. */
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/cmd.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { MAX_ARGS = 16 };

static int run_nothing(const struct cmd_context *ctx)
{
	(void)ctx;
	return EXIT_SUCCESS;
}

const struct cmd_entry cmd_run_entry = {
	.name = "run",
	.summary = "Run",
	.options = config_options,
	.option_count = OPTION_COUNT,
	.run = run_nothing,
};

static const struct cmd_entry *const commands[] = {&cmd_run_entry, &cmd_config_entry, &cmd_rules_entry,
						   &cmd_help_entry, NULL};

/* Splits at single spaces in place; the arguments live in the line. */
static int split(char *line, char *argv[MAX_ARGS])
{
	int argc = 0;

	argv[argc++] = "kunai";
	for (char *word = strtok(line, " "); word && argc < MAX_ARGS; word = strtok(NULL, " "))
		argv[argc++] = word;
	return argc;
}

struct parsed {
	char line[256];
	char *argv[MAX_ARGS];
	struct cmd_context ctx;
	struct buf error;
	int err;
};

static void parse(struct parsed *p, const char *line)
{
	*p = (struct parsed){0};
	snprintf(p->line, sizeof(p->line), "%s", line);
	int argc = split(p->line, p->argv);
	p->err = cmd_parse(commands, argc, p->argv, &p->ctx, &p->error);
	buf_add_char(&p->error, '\0');
}

static void parsed_fini(struct parsed *p)
{
	cmd_fini(&p->ctx);
	buf_fini(&p->error);
}

static void test_refused(void)
{
	static const struct {
		const char *line;
		const char *want;
	} cases[] = {
		{"--incldue=all", "unknown option '--incldue=all'; did you mean '--include'?"},
		{"run --Include=all", "unknown option '--Include=all'; did you mean '--include'?"},
		{"--max-eps 3", "unknown option '--max-eps'; did you mean '--max-eps-fs'?"},
		{"--max_eps_fs=3", "unknown option '--max_eps_fs=3'; did you mean '--max-eps-fs'?"},
		{"--verbos", "unknown option '--verbos'; did you mean '--verbose'?"},
		{"--qqqqqqqq", "unknown option '--qqqqqqqq'; 'kunai run --help' lists the options"},
		{"-x", "unknown option '-x'; 'kunai run --help' lists the options"},
		{"-vx", "unknown option '-vx'; 'kunai run --help' lists the options"},
		{"config --dmp", "unknown option '--dmp'; did you mean '--dump'?"},
		{"config --include=all",
		 "unknown option '--include=all'; 'kunai config --help' lists the options"},
		{"rnu", "unknown command 'rnu'; did you mean 'run'?"},
		{"-v confg", "unknown command 'confg'; did you mean 'config'?"},
		{"replay", "unknown command 'replay'; the commands are run, config, rules, help"},
		{"-", "unexpected argument '-'; 'kunai run --help' tells what is expected"},
		{"run x", "unexpected argument 'x'; 'kunai run --help' tells what is expected"},
		{"run run", "unexpected argument 'run'; 'kunai run --help' tells what is expected"},
		{"--harden config", "unexpected argument 'config'; write 'kunai config' before its options"},
		{"help run config",
		 "unexpected argument 'config'; 'kunai help --help' tells what is expected"},
		{"run -- --harden",
		 "unexpected argument '--harden'; 'kunai run --help' tells what is expected"},
		{"--config", "option '--config' needs a value: --config=FILE"},
		{"run -c", "option '--config' needs a value: --config=FILE"},
		{"run --config --harden", "option '--config' needs a value: --config=FILE"},
		{"--harden=true", "option '--harden' takes no value"},
		{"-v=2", "option '--verbose' takes no value"},
		{"--debug=", "option '--debug' takes no value"},
		{"config --validate", "option '--validate' needs a value: --validate=FILE"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct parsed p;
		parse(&p, cases[i].line);
		ok(p.err == -EINVAL, "refused: %s", cases[i].line);
		is_str(p.error.p, cases[i].want, cases[i].line);
		parsed_fini(&p);
	}
}

static void test_global(void)
{
	static const struct {
		const char *line;
		const char *entry;
		bool explicit_entry;
		enum log_level level;
	} cases[] = {
		{"", "run", false, LOG_WARN},
		{"-v", "run", false, LOG_INFO},
		{"-vv", "run", false, LOG_DEBUG},
		{"-v -v run -v", "run", true, LOG_TRACE},
		{"--verbose --verbose --verbose --verbose", "run", false, LOG_TRACE},
		{"-s", "run", false, LOG_OFF},
		{"-sv", "run", false, LOG_OFF},
		{"-sd", "run", false, LOG_DEBUG},
		{"--debug -s -vvv", "run", false, LOG_DEBUG},
		{"-s config", "config", true, LOG_OFF},
		{"config -s", "config", true, LOG_OFF},
		{"config --silent --dump", "config", true, LOG_OFF},
		{"--harden -v", "run", false, LOG_INFO},
		{"-vc /x", "run", false, LOG_INFO},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct parsed p;
		parse(&p, cases[i].line);
		ok(p.err == 0 && p.error.p[0] == '\0', "parsed: '%s'", cases[i].line);
		is_str(p.ctx.entry->name, cases[i].entry, "its command");
		ok(p.ctx.explicit_entry == cases[i].explicit_entry, "named or not");
		is_u64(cmd_log_level(&p.ctx), cases[i].level, "its log level");
		parsed_fini(&p);
	}
}

static void test_help_and_version(void)
{
	static const struct {
		const char *line;
		bool help;
		bool version;
		bool explicit_entry;
	} cases[] = {
		{"-h", true, false, false},
		{"--help", true, false, false},
		{"run --help", true, false, true},
		{"--help config", true, false, true},
		{"-V", false, true, false},
		{"config -V", false, true, true},
		{"--include=x -h", true, false, false},
		{"--version", false, true, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct parsed p;
		parse(&p, cases[i].line);
		ok(p.err == 0 && p.ctx.help == cases[i].help && p.ctx.version == cases[i].version, "%s",
		   cases[i].line);
		ok(p.ctx.explicit_entry == cases[i].explicit_entry, "named or not");
		parsed_fini(&p);
	}
}

static void test_values(void)
{
	static const struct {
		const char *line;
		enum option_id id;
		const char *want;
	} cases[] = {
		{"--config=/a=b", OPTION_config, "/a=b"},
		{"run --config /a", OPTION_config, "/a"},
		{"-c /a", OPTION_config, "/a"},
		{"-c/a", OPTION_config, "/a"},
		{"-c=/a", OPTION_config, "/a"},
		{"-vc/a", OPTION_config, "/a"},
		{"-c -", OPTION_config, "-"},
		{"--config=-x", OPTION_config, "-x"},
		{"--config=", OPTION_config, ""},
		{"-c /a -c /b", OPTION_config, "/b"},
		{"-w 3", OPTION_workers, "3"},
		{"-w3", OPTION_workers, "3"},
		{"--rule-file=/r", OPTION_scanner_rules, "/r"},
		{"--ioc-file /i", OPTION_scanner_iocs, "/i"},
		{"--yara-rules=/y", OPTION_scanner_yara, "/y"},
		{"-r /r", OPTION_scanner_rules, "/r"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct parsed p;
		parse(&p, cases[i].line);
		const struct cmd_value *value = cmd_find_value(&p.ctx, &config_options[cases[i].id]);
		is_str(value ? value->text : NULL, cases[i].want, cases[i].line);
		parsed_fini(&p);
	}

	struct parsed p;
	parse(&p, "run --harden");
	const struct cmd_value *value = cmd_find_value(&p.ctx, &config_options[OPTION_harden]);
	ok(value && !value->text, "a flag has no text");
	ok(!cmd_find_value(&p.ctx, &config_options[OPTION_config]), "what was not given is not there");
	parsed_fini(&p);
}

/* What `kunai <line>` writes to stderr, by putting a file in its place for the while. */
struct captured {
	int saved;
	FILE *file;
	char text[1024];
};

static void capture_begin(struct captured *c)
{
	*c = (struct captured){.saved = dup(STDERR_FILENO), .file = tmpfile()};
	dup2(fileno(c->file), STDERR_FILENO);
}

static void capture_end(struct captured *c)
{
	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	rewind(c->file);
	c->text[fread(c->text, 1, sizeof(c->text) - 1, c->file)] = '\0';
	fclose(c->file);
}

/* The status, and on success the configuration. */
static int configure(const char *line, struct config *ret, struct captured *stderr_text)
{
	struct parsed p;

	parse(&p, line);
	ok(p.err == 0, "parsed: %s", line);
	capture_begin(stderr_text);
	int status = run_config_from_options(&p.ctx, ret);
	capture_end(stderr_text);
	parsed_fini(&p);
	return status;
}

static bool configure_well(const char *line, struct config *ret)
{
	struct captured text;
	bool well = ok(configure(line, ret, &text) == EXIT_SUCCESS, "a configuration");

	is_str(text.text, "", "and no message");
	return well;
}

static char config_path[] = "/tmp/kunai-cmdline-XXXXXX";

static void test_overrides(void)
{
	struct config config;
	char line[256];

	/* The file says: send_data_min_len 7, max_eps_fs 2048, harden, rules [/f], only execve and exit. */
	snprintf(line, sizeof(line), "-s -c %s", config_path);
	log_set_level(LOG_OFF);
	if (configure_well(line, &config)) {
		is_u64(config_send_data_min_len(&config), 7,
		       "an option that is not given leaves the file's value");
		ok(config.harden && config.max_eps_fs.set, "so do others");
		is_str(config.scanner.rules.v[0], "/f", "and the lists");
		config_fini(&config);
	}

	snprintf(line, sizeof(line),
		 "--send-data-min-len=0 -r /a -c %s --rules=/b --include=write_close --max-eps-fs=none "
		 "--exclude exit --without-hook=f,g",
		 config_path);
	if (configure_well(line, &config)) {
		is_u64(config_send_data_min_len(&config), 0, "an option overrides wherever it stands");
		is_u64(config.scanner.rules.count, 2, "a list replaces the file's");
		is_str(config.scanner.rules.v[0], "/a", "in order");
		ok(!config.max_eps_fs.set, "none is null");
		is_str(config.without_hooks, "f,g", "what no file can have is taken, too");
		ok(config.events[EVENT_write_close], "--include enables what the file does not name");
		ok(config.events[EVENT_execve] && !config.events[EVENT_exit] && !config.events[EVENT_clone],
		   "the others are the file's but for --exclude");
		config_fini(&config);
	}
	log_set_level(LOG_WARN);
}

static void test_events(void)
{
	static const char *const lines[] = {"--include=execve,clone --exclude=all",
					    "--exclude all --include execve,clone",
					    "--exclude=all --include=execve --include=clone",
					    "--include=execve,clone --exclude=exit,all"};
	struct config config;

	for (size_t i = 0; i < COUNT(lines); i++) {
		if (!configure_well(lines[i], &config))
			continue;
		uint32_t n = 0;
		for (int type = 0; type < EVENT_COUNT; type++)
			n += event_catalogue[type].configurable && config.events[type];
		ok(n == 2 && config.events[EVENT_execve] && config.events[EVENT_clone], "exactly two: %s",
		   lines[i]);
		config_fini(&config);
	}

	if (configure_well("--include=all", &config)) {
		ok(config.events[EVENT_read] && config.events[EVENT_write_close], "all are all");
		config_fini(&config);
	}

	struct captured text;
	if (ok(configure("--include=wite_close", &config, &text) == EXIT_SUCCESS,
	       "an unknown event is no error")) {
		ok(strstr(text.text,
			  "option '--include': unknown event 'wite_close'; did you mean 'write_close'?\n"),
		   "but a warning");
		config_fini(&config);
	}
}

static void test_bad_values(void)
{
	static const struct {
		const char *line;
		int status;
		const char *want;
	} cases[] = {
		{"--max-eps-fs=abc", EXIT_USAGE,
		 "kunai: option '--max-eps-fs': found 'abc', expected a number of at least 0, or null\n"},
		{"--min-severity 256", EXIT_USAGE,
		 "kunai: option '--min-severity': found '256', expected a number from 0 to 255\n"},
		{"--min-severity none", EXIT_USAGE,
		 "kunai: option '--min-severity': found 'none', expected a number from 0 to 255\n"},
		{"--max-args=131073", EXIT_USAGE,
		 "kunai: option '--max-args': found '131073', expected a number from 4096 to 131072\n"},
		{"--max-buffered-events=", EXIT_USAGE,
		 "kunai: option '--max-buffered-events': found '', expected a number from 1 to 65535\n"},
		{"--rules=", EXIT_USAGE, "kunai: option '--rules': found '', expected a list of paths\n"},
		{"-c /nonexistent", EXIT_FAILURE,
		 "Error: cannot read the configuration file /nonexistent: No such file or directory\n"},
		{"-c /", EXIT_FAILURE, "Error: cannot read the configuration file /: Is a directory\n"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct captured text;
		struct config config;
		int status = configure(cases[i].line, &config, &text);
		ok(status == cases[i].status, "status of %s", cases[i].line);
		is_str(text.text, cases[i].want, cases[i].line);
		if (status == EXIT_SUCCESS)
			config_fini(&config);
	}
}

static void write_config(const char *text)
{
	FILE *file = fopen(config_path, "we");

	fputs(text, file);
	fclose(file);
}

static void test_bad_file(void)
{
	char line[128], want[512];
	struct captured text;
	struct config config;

	write_config("hardn: true\nharden: 1\nworkers: []\n");
	snprintf(line, sizeof(line), "-c %s", config_path);
	snprintf(want, sizeof(want),
		 "%s:1:1: warning: unknown key 'hardn'; did you mean 'harden'?\n"
		 "%s:2:9: error: harden: found '1', expected true or false\n"
		 "%s:3:10: error: workers: found a list, expected a number from 0 to 1024, or null\n"
		 "Error: the configuration file %s cannot be used: correct the 2 errors above\n",
		 config_path, config_path, config_path, config_path);
	is_u64((uint64_t)configure(line, &config, &text), EXIT_FAILURE, "a bad file is a failure");
	is_str(text.text, want, "all that is wrong is said");

	write_config("hardn: true\n");
	log_set_level(LOG_OFF);
	if (configure_well(line, &config))
		config_fini(&config);
	log_set_level(LOG_WARN);
}

/* Runs a command with its output in a file. */
static int run_command(const char *line, struct buf *ret_out, struct captured *err)
{
	struct parsed p;
	char bytes[4096];
	size_t n;

	parse(&p, line);
	ok(p.err == 0, "parsed: %s", line);
	fflush(stdout);
	int saved = dup(STDOUT_FILENO);
	FILE *file = tmpfile();
	dup2(fileno(file), STDOUT_FILENO);
	capture_begin(err);
	int status = p.ctx.entry->run(&p.ctx);
	capture_end(err);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);

	buf_reset(ret_out);
	rewind(file);
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buf_add(ret_out, bytes, n);
	buf_add_char(ret_out, '\0');
	ret_out->len--;
	fclose(file);
	parsed_fini(&p);
	return status;
}

static void check_event_lines(const char *text)
{
	unsigned int id, last = 0, lines = 0;
	bool wide = true, ascending = true;

	for (const char *line = text; *line; line = strchr(line, '\n') + 1, lines++) {
		wide &= strcspn(line, "\n") == 27;
		ascending &= sscanf(line, "%*[a-z_]: %u", &id) == 1 && id > last;
		last = id;
	}
	ok(wide, "every line is 27 columns wide");
	ok(ascending, "in the order of ids");
	is_u64(lines, 26, "26 events");
}

static void test_config_command(void)
{
	struct captured err;
	struct buf out = {0};
	char line[128];

	is_u64((uint64_t)run_command("config", &out, &err), EXIT_SUCCESS, "without options nothing happens");
	is_u64(out.len, 0, "and nothing is printed");

	run_command("config --list-events", &out, &err);
	ok(strncmp(out.p, "execve:                   1\nexecve_script:            2\n", 56) == 0,
	   "the first events");
	ok(strstr(out.p, "\nfile_scan:              500\n"), "the last one");
	check_event_lines(out.p);

	run_command("config --list-actions", &out, &err);
	char *second = strchr(out.p, '\n') + 1;
	ok(strncmp(out.p, "kill:         k", 15) == 0 && strncmp(second, "scan-files:   s", 15) == 0,
	   "the actions are explained from column 15 on");
	ok(strchr(second, '\n')[1] == '\0', "two lines");

	is_u64((uint64_t)run_command("config --dump", &out, &err), EXIT_SUCCESS, "the dump");
	FILE *file = fopen("tests/unit/config_default.yaml", "re");
	char golden[4096] = "";
	if (ok(file && fread(golden, 1, sizeof(golden) - 1, file) > 0, "the golden file"))
		is_str(out.p, golden, "is exactly Kunai's");
	if (file)
		fclose(file);

	is_u64((uint64_t)run_command("config --dump --list-events", &out, &err), EXIT_USAGE,
	       "one option only");
	is_str(err.text, "kunai: option '--list-events' cannot be used with '--dump'\n", "and it is said");

	snprintf(line, sizeof(line), "config --validate %s", config_path);
	write_config("output: {path: /dev/null}\n");
	is_u64((uint64_t)run_command(line, &out, &err), EXIT_SUCCESS, "a good file");
	ok(out.len == 0 && !err.text[0], "without a word");
	write_config("scanner: {rules: [/nonexistent]}\n");
	is_u64((uint64_t)run_command(line, &out, &err), EXIT_SUCCESS, "a missing path is no error");
	ok(strstr(err.text, ": warning: scanner.rules: cannot read /nonexistent: No such file"),
	   "but a warning");
	write_config("output: {path: /nonexistent/a/b}\n");
	is_u64((uint64_t)run_command(line, &out, &err), EXIT_FAILURE, "an output that cannot be");
	ok(strstr(err.text, "\nError: failed at initializing event consumer: "), "is an error");
	write_config("harden: 1\n");
	is_u64((uint64_t)run_command(line, &out, &err), EXIT_FAILURE, "a bad file");
	ok(strstr(err.text, ":1:9: error: ") &&
		   strstr(err.text, "\nError: failed at deserializing YAML configuration: "),
	   "is an error");
	is_u64((uint64_t)run_command("config --validate=/nonexistent", &out, &err), EXIT_FAILURE,
	       "a missing file");
	is_str(err.text, "Error: failed at reading configuration: /nonexistent: No such file or directory\n",
	       "is an error");
	buf_fini(&out);
}

static void test_help(void)
{
	struct captured err;
	struct buf out = {0};

	is_u64((uint64_t)run_command("help", &out, &err), EXIT_SUCCESS, "help");
	ok(strstr(out.p, "Usage: kunai [OPTIONS] [COMMAND]\n") && strstr(out.p, "\n  config "),
	   "of the program");
	run_command("help run", &out, &err);
	for (int id = 0; id < OPTION_COUNT; id++) {
		char want[64];
		snprintf(want, sizeof(want), "--%s ", config_options[id].name);
		if (config_options[id].name)
			ok(strstr(out.p, want) != NULL, "help shows %s", want);
	}
	ok(strstr(out.p, "(default: 1024)\n"), "and defaults");
	ok(!strstr(out.p, "rule-file"), "but no old names");
	for (const char *line = out.p; *line; line = strchr(line, '\n') + 1) {
		if (strcspn(line, "\n") > 100)
			ok(false, "a line that is too long: %.40s", line);
	}
	is_u64((uint64_t)run_command("help rnu", &out, &err), EXIT_USAGE, "of what is not there");
	is_str(err.text, "kunai: unknown command 'rnu'; did you mean 'run'?\n", "the nearest");
	buf_fini(&out);
}

static void check_man_page(const char *page, const struct config_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char name[64];
		if (!options[i].name)
			continue;
		snprintf(name, sizeof(name), "Fl -%s", options[i].name);
		ok(strstr(page, name) != NULL, "kunai(8) explains --%s", options[i].name);
	}
}

static void test_man_page(void)
{
	FILE *file = fopen("man/kunai.8", "re");
	char *page = calloc(1, 65536);

	if (ok(file && page && fread(page, 1, 65535, file) > 0,
	       "man/kunai.8 (run this from the source root)")) {
		check_man_page(page, config_options, OPTION_COUNT);
		check_man_page(page, cmd_globals, CMD_GLOBALS);
		check_man_page(page, cmd_config_entry.options, cmd_config_entry.option_count);
		check_man_page(page, cmd_rules_entry.options, cmd_rules_entry.option_count);
	}
	if (file)
		fclose(file);
	free(page);
}

int main(void)
{
	setenv("KUNAI_HOST_UUID_SEED", "kunai", 1);
	int fd = mkstemp(config_path);
	if (!ok(fd >= 0, "temporary file"))
		return done_testing();
	close(fd);
	write_config("send_data_min_len: 7\nmax_eps_fs: 2048\nharden: true\nscanner: {rules: [/f]}\n"
		     "events:\n  execve: {enable: true}\n  exit: {enable: true}\n");

	test_refused();
	test_global();
	test_help_and_version();
	test_values();
	test_overrides();
	test_events();
	test_bad_values();
	test_bad_file();
	test_config_command();
	test_help();
	test_man_page();
	unlink(config_path);
	return done_testing();
}
