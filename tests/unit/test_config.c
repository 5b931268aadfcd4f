/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration file: what is read, what is refused and where, and the dump. */
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/host_uuid.h"
#include "base/nearest.h"
#include "config/option.h"

#define LOOPBACK     "an address of the loopback and a port such as 127.0.0.1:9557, or null\n"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Ends the buffer with NUL and returns its text, which stays the buffer's. */
static const char *cstring(struct buf *text)
{
	buf_add_char(text, '\0');
	text->len--;
	return text->p;
}

static void add_messages(const struct config_messages *messages, struct buf *out)
{
	for (uint32_t i = 0; i < messages->count; i++)
		buf_printf(out, "%u:%u %c %s\n", messages->v[i].line, messages->v[i].column,
			   messages->v[i].level == CONFIG_ERROR ? 'E' : 'W', messages->v[i].text);
}

/* A text as the name of a test, which is one line without control characters. */
static const char *one_line(const char *text)
{
	static char line[160];
	size_t n = 0;

	for (; text[n] && n < sizeof(line) - 1; n++)
		line[n] = text[n] == '\n' ? '|' : text[n] < 0x20 || text[n] == '#' ? '?' : text[n];
	line[n] = '\0';
	return line;
}

/* Loads the text, checks the messages it gives, and returns the configuration if there is one. */
static bool check_load(const char *text, const char *want_messages, struct config *ret)
{
	struct config_messages messages = {0};
	struct buf got = {0};

	int err = config_load_text(text, strlen(text), ret, &messages);
	add_messages(&messages, &got);
	is_str(cstring(&got), want_messages, one_line(text));
	ok(err == (messages.errors ? -EINVAL : 0), "the return value %d tells of %u errors", err,
	   messages.errors);
	buf_fini(&got);
	config_messages_fini(&messages);
	return err == 0;
}

static void check_messages(const char *text, const char *want)
{
	struct config config;

	if (check_load(text, want, &config))
		config_fini(&config);
}

static bool load(const char *text, struct config *ret)
{
	return ok(check_load(text, "", ret), "loaded");
}

static void check_dump(const struct config *config, const char *want, const char *name)
{
	struct buf text = {0};

	ok(config_dump(config, &text) == 0, "dumped");
	is_str(cstring(&text), want, name);
	buf_fini(&text);
}

/* What is dumped can be read without a word and gives the same dump. */
static void check_round_trip(const struct config *config)
{
	struct config_messages messages = {0};
	struct config again;
	struct buf text = {0};

	config_dump(config, &text);
	int err = config_load_text(cstring(&text), text.len, &again, &messages);
	if (ok(err == 0 && messages.count == 0, "the dump can be read")) {
		check_dump(&again, text.p, "the dump of the dump is the same");
		config_fini(&again);
	}
	config_messages_fini(&messages);
	buf_fini(&text);
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 65536);

	if (!file || !text || !fread(text, 1, 65535, file)) {
		printf("Bail out! cannot read %s: run this from the source root\n", path);
		exit(1);
	}
	fclose(file);
	return text;
}

static void test_defaults(void)
{
	char *golden = read_file("tests/unit/config_default.yaml");
	char sha256[CONFIG_SHA256_TEXT];
	struct config config;

	config_init_defaults(&config);
	ok(!config.max_eps_fs.set && !config.workers.set && !config.send_data_min_len.set,
	   "three keys are null");
	is_u64(config_send_data_min_len(&config), 256, "null send_data_min_len means 256");
	is_u64(config.max_args, 32768, "max_args");
	ok(!config.events[EVENT_read] && !config.events[EVENT_write] && !config.events[EVENT_write_close],
	   "three events are off");
	ok(config.events[EVENT_start] && config.events[EVENT_execve], "others are on");
	check_dump(&config, golden, "the default dump is exactly Kunai's");
	check_round_trip(&config);
	config_sha256(&config, sha256);
	is_str(sha256, "6b8a699bef5f581389c7021b247d4a2f0c8e6d2396e73a4f4d6fcf68d3f0aed3",
	       "SHA-256 of the default dump");
	config_fini(&config);
	free(golden);
}

static void test_null_and_empty(void)
{
	struct config config;

	if (load("", &config)) {
		ok(config.events[EVENT_execve], "an empty file is the defaults");
		config_fini(&config);
	}
	if (load("# nothing\n---\n", &config))
		config_fini(&config);
	if (load("host_uuid: ~\nmax_eps_fs:\nworkers: null\nsend_data_min_len: ~\noutput: {rotate_size: "
		 "Null, "
		 "rotate_interval: NULL, max_size: }\n",
		 &config)) {
		ok(!config.max_eps_fs.set && !config.workers.set && !config.output.max_size.set,
		   "null in all ways");
		is_str(config.host_uuid, "9fda529a-6ed9-5ba5-890c-85f3bd3cc601", "a null UUID is derived");
		config_fini(&config);
	}
	if (load("max_eps_fs: 0\nworkers: 0\nsend_data_min_len: 0", &config)) {
		ok(!config.max_eps_fs.set, "no limit of zero file events");
		ok(config.workers.set && config.workers.value == 0, "zero workers are not null");
		is_u64(config_send_data_min_len(&config), 0, "a zero send_data_min_len");
		config_fini(&config);
	}
}

static void test_all_keys(void)
{
	struct config config;
	bool loaded = load("host_uuid: \"0123456789ABCDEF0123456789abcdef\"\n"
			   "max_buffered_events: 0x10\n"
			   "max_eps_fs: 2048\n"
			   "workers: 3\n"
			   "send_data_min_len: 18446744073709551615\n"
			   "harden: True\n"
			   "force_load: TRUE\n"
			   "max_args: 131072\n"
			   "output:\n"
			   "  path: '/tmp/it''s'\n"
			   "  rotate_size: 10 MB\n"
			   "  rotate_interval: 1h 30m\n"
			   "  max_size: \"1.5GB\"\n"
			   "  buffered: true\n"
			   "  stdout: true\n"
			   "  socket: /run/k ''s/socket\n"
			   "  syslog: ~\n"
			   "  journald: '/null'\n"
			   "metrics: '[::1]:9557'\n"
			   "scanner:\n"
			   "  rules: [/a, 'b c', \"d\\te\"]\n"
			   "  iocs:\n"
			   "    - /i\n"
			   "  yara: []\n"
			   "  min_severity: 255\n"
			   "  show_positive_file_scan: false\n",
			   &config);
	if (!loaded)
		return;

	is_str(config.host_uuid, "01234567-89ab-cdef-0123-456789abcdef", "host_uuid");
	is_u64(config.max_buffered_events, 16, "max_buffered_events");
	is_u64(config.max_eps_fs.value, 2048, "max_eps_fs");
	is_u64(config.workers.value, 3, "workers");
	is_u64(config.send_data_min_len.value, UINT64_MAX, "send_data_min_len");
	ok(config.harden && config.force_load && config.output.buffered, "three booleans are true");
	ok(!config.scanner.show_positive_file_scan, "and one false");
	is_u64(config.max_args, 131072, "max_args");
	is_str(config.output.path, "/tmp/it's", "output.path");
	is_u64(config.output.rotate_size.value, 10485760, "rotate_size");
	is_u64(config.output.rotate_interval.value, UINT64_C(5400000000000), "rotate_interval");
	is_u64(config.output.max_size.value, 1610612736, "max_size");
	ok(config.output.standard_too && !config.output.syslog, "output.stdout, and no syslog");
	is_str(config.output.socket, "/run/k ''s/socket", "output.socket");
	is_str(config.output.journald, "/null", "output.journald");
	is_str(config.metrics, "[::1]:9557", "metrics");
	is_u64(config.scanner.rules.count, 3, "three rules");
	is_str(config.scanner.rules.v[2], "d\te", "the third one");
	is_u64(config.scanner.iocs.count, 1, "one IoC file");
	is_u64(config.scanner.min_severity, 255, "min_severity");
	check_round_trip(&config);
	config_fini(&config);
}

static void test_changed_dump(void)
{
	struct config config;
	bool loaded = load("host_uuid: 9fda529a-6ed9-5ba5-890c-85f3bd3cc601\n"
			   "max_args: 4096\n"
			   "output: {path: 'true', rotate_size: 10MB, rotate_interval: 15m, max_size: 1GB}\n"
			   "scanner: {rules: [/a b, '12', 'x: y'], iocs: ['#']}\n",
			   &config);
	if (!loaded)
		return;

	struct buf text = {0};
	config_dump(&config, &text);
	char *events = strstr(cstring(&text), "events:\n  execve:");
	ok(events != NULL, "events follow");
	if (events)
		*events = '\0';
	is_str(text.p,
	       "host_uuid: 9fda529a-6ed9-5ba5-890c-85f3bd3cc601\n"
	       "max_buffered_events: 1024\n"
	       "max_eps_fs: null\n"
	       "workers: null\n"
	       "send_data_min_len: null\n"
	       "harden: false\n"
	       "force_load: false\n"
	       "max_args: 4096\n"
	       "output:\n"
	       "  path: 'true'\n"
	       "  rotate_size: 10MB\n"
	       "  rotate_interval: 15m\n"
	       "  max_size: 1GB\n"
	       "  buffered: false\n"
	       "scanner:\n"
	       "  rules:\n"
	       "  - /a b\n"
	       "  - '12'\n"
	       "  - 'x: y'\n"
	       "  iocs:\n"
	       "  - '#'\n"
	       "  yara: []\n"
	       "  min_severity: 0\n"
	       "  show_positive_file_scan: true\n",
	       "a changed configuration");
	buf_fini(&text);
	check_round_trip(&config);
	config_fini(&config);
}

static void test_odd_paths(void)
{
	static const char *const paths[] = {
		"/caf\xc3\xa9", "/new\nline", " /spaces ", "/quote'\"", "/\x01\x7f", "~",  "-",
		"- a",          "[a",         "/a#b",      "/a #b",     "@a",        "*a", "&a",
		"!a",           "%a",         "1.5",       "0x10"};
	struct config config;
	char sha256[CONFIG_SHA256_TEXT];

	config_init_defaults(&config);
	for (size_t i = 0; i < COUNT(paths); i++)
		option_set_text(&config_options[OPTION_scanner_rules], &config, str_of(paths[i]));
	is_u64(config.scanner.rules.count, COUNT(paths), "odd paths are taken");
	check_round_trip(&config);

	/* From the command line: a path that is no UTF-8 cannot stand in YAML but must not break the dump. */
	option_clear_list(&config_options[OPTION_scanner_rules], &config);
	option_set_text(&config_options[OPTION_scanner_rules], &config, str_of("/a\xff"));
	is_str(config.scanner.rules.v[0], "/a\xff", "the path itself keeps its bytes");
	ok(config_sha256(&config, sha256) == 0 && strlen(sha256) == 64, "the dump replaces them");
	check_round_trip(&config);
	config_fini(&config);
}

static void test_wrong_values(void)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{"host_uuid: 5\n", "1:12 E host_uuid: found '5', expected a UUID such as "
				   "9fda529a-6ed9-5ba5-890c-85f3bd3cc601\n"},
		{"host_uuid: 9fda529a-6ed9-5ba5-890c-85f3bd3cc60\n",
		 "1:12 E host_uuid: found the string '9fda529a-6ed9-5ba5-890c-85f3bd3cc60', expected a UUID "
		 "such as "
		 "9fda529a-6ed9-5ba5-890c-85f3bd3cc601\n"},
		{"host_uuid: 9fda529a-6ed9-5ba5-890c-85f3bd3cc60g\n",
		 "1:12 E host_uuid: found the string '9fda529a-6ed9-5ba5-890c-85f3bd3cc60g', expected a UUID "
		 "such as "
		 "9fda529a-6ed9-5ba5-890c-85f3bd3cc601\n"},
		{"max_buffered_events: 0\n",
		 "1:22 E max_buffered_events: found '0', expected a number from 1 to 65535\n"},
		{"max_buffered_events: 65536\n",
		 "1:22 E max_buffered_events: found '65536', expected a number from 1 to 65535\n"},
		{"max_buffered_events: -1\n",
		 "1:22 E max_buffered_events: found '-1', expected a number from 1 to 65535\n"},
		{"max_buffered_events: '1024'\n",
		 "1:22 E max_buffered_events: found the string '1024', expected a number from 1 to 65535\n"},
		{"max_buffered_events: 10.5\n",
		 "1:22 E max_buffered_events: found '10.5', expected a number from 1 to 65535\n"},
		{"max_buffered_events:\n",
		 "1:21 E max_buffered_events: found null, expected a number from 1 to 65535\n"},
		{"max_buffered_events: true\n",
		 "1:22 E max_buffered_events: found 'true', expected a number from 1 to 65535\n"},
		{"max_buffered_events: [1]\n",
		 "1:22 E max_buffered_events: found a list, expected a number from 1 to 65535\n"},
		{"max_eps_fs: none\n",
		 "1:13 E max_eps_fs: found the string 'none', expected a number of at least 0, or null\n"},
		{"max_eps_fs: 18446744073709551616\n", "1:13 E max_eps_fs: found '18446744073709551616', "
						       "expected a number of at least 0, or null\n"},
		{"workers: {}\n",
		 "1:10 E workers: found a mapping, expected a number from 0 to 1024, or null\n"},
		{"workers: 1025\n",
		 "1:10 E workers: found '1025', expected a number from 0 to 1024, or null\n"},
		{"send_data_min_len: 1KB\n", "1:20 E send_data_min_len: found the string '1KB', expected a "
					     "number of at least 0, or null\n"},
		{"harden: 1\n", "1:9 E harden: found '1', expected true or false\n"},
		{"harden: yes\n", "1:9 E harden: found the string 'yes', expected true or false\n"},
		{"harden: 'true'\n", "1:9 E harden: found the string 'true', expected true or false\n"},
		{"harden: ~\n", "1:9 E harden: found null, expected true or false\n"},
		{"force_load: []\n", "1:13 E force_load: found a list, expected true or false\n"},
		{"max_args: 4095\n",
		 "1:11 E max_args: found '4095', expected a number from 4096 to 131072\n"},
		{"max_args: 131073\n",
		 "1:11 E max_args: found '131073', expected a number from 4096 to 131072\n"},
		{"output: /dev/stdout\n",
		 "1:9 E output: found the string '/dev/stdout', expected a mapping\n"},
		{"output:\n", "1:8 E output: found null, expected a mapping\n"},
		{"output:\n  path: 5\n", "2:9 E output.path: found '5', expected a path\n"},
		{"output:\n  socket: run/x\n",
		 "2:11 E output.socket: found the string 'run/x', expected an absolute path, or null\n"},
		{"output:\n  syslog: true\n",
		 "2:11 E output.syslog: found 'true', expected an absolute path, or null\n"},
		{"metrics: 0.0.0.0:9557\n",
		 "1:10 E metrics: found the string '0.0.0.0:9557', expected " LOOPBACK},
		{"metrics: 127.0.0.1\n", "1:10 E metrics: found the string '127.0.0.1', expected " LOOPBACK},
		{"metrics: 127.0.0.1:65536\n",
		 "1:10 E metrics: found the string '127.0.0.1:65536', expected " LOOPBACK},
		{"metrics: 127.0.0.1:0\n",
		 "1:10 E metrics: found the string '127.0.0.1:0', expected " LOOPBACK},
		{"metrics: 128.0.0.1:1\n",
		 "1:10 E metrics: found the string '128.0.0.1:1', expected " LOOPBACK},
		{"metrics: '[::2]:9557'\n",
		 "1:10 E metrics: found the string '[::2]:9557', expected " LOOPBACK},
		{"output:\n  path: ''\n", "2:9 E output.path: found the string '', expected a path\n"},
		{"output:\n  path: \"a\\0b\"\n",
		 "2:9 E output.path: found the string 'a?b', expected a path\n"},
		{"output:\n  rotate_size: 10\n", "2:16 E output.rotate_size: found '10', expected a size "
						 "above zero such as 10MB or 1.5GB (units B, "
						 "KB, MB, GB, TB), or null\n"},
		{"output:\n  rotate_size: 0B\n", "2:16 E output.rotate_size: found the string '0B', expected "
						 "a size above zero such as 10MB or 1.5GB "
						 "(units B, KB, MB, GB, TB), or null\n"},
		{"output:\n  max_size: 10MiB\n", "2:13 E output.max_size: found the string '10MiB', expected "
						 "a size above zero such as 10MB or 1.5GB "
						 "(units B, KB, MB, GB, TB), or null\n"},
		{"output:\n  rotate_interval: often\n", "2:20 E output.rotate_interval: found the string "
							"'often', expected a duration of at least a second "
							"such as 15m or 1h 30m, or null\n"},
		{"output:\n  rotate_interval: 999ms\n", "2:20 E output.rotate_interval: found the string "
							"'999ms', expected a duration of at least a second "
							"such as 15m or 1h 30m, or null\n"},
		{"output:\n  buffered: 0\n", "2:13 E output.buffered: found '0', expected true or false\n"},
		{"scanner: []\n", "1:10 E scanner: found a list, expected a mapping\n"},
		{"scanner:\n  rules: /a\n",
		 "2:10 E scanner.rules: found the string '/a', expected a list of paths\n"},
		{"scanner:\n  iocs:\n", "2:8 E scanner.iocs: found null, expected a list of paths\n"},
		{"scanner:\n  yara: [/a, 5, [], '']\n",
		 "2:14 E scanner.yara: found '5', expected a path\n"
		 "2:17 E scanner.yara: found a list, expected a path\n"
		 "2:21 E scanner.yara: found the string '', expected a path\n"},
		{"scanner:\n  min_severity: 256\n",
		 "2:17 E scanner.min_severity: found '256', expected a number from 0 to 255\n"},
		{"scanner:\n  show_positive_file_scan: no\n",
		 "2:28 E scanner.show_positive_file_scan: found the string 'no', expected true or false\n"},
		{"harden: \"\x1b[31m\"\n", "1:10 E not valid YAML: control characters are not allowed\n"},
		{"harden: \"\\e[31m\"\n", "1:9 E harden: found the string '?[31m', expected true or false\n"},
		{"harden: 1\nworkers: x\noutput:\n  path: []\n",
		 "1:9 E harden: found '1', expected true or false\n"
		 "2:10 E workers: found the string 'x', expected a number from 0 to 1024, or null\n"
		 "4:9 E output.path: found a list, expected a path\n"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_messages(cases[i].text, cases[i].want);
}

static void test_keys(void)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{"hardn: true\n", "1:1 W unknown key 'hardn'; did you mean 'harden'?\n"},
		{"max-eps-fs: 5\n", "1:1 W unknown key 'max-eps-fs'; did you mean 'max_eps_fs'?\n"},
		{"event: {}\n", "1:1 W unknown key 'event'; did you mean 'events'?\n"},
		{"zzzzzzzz: {}\n", "1:1 W unknown key 'zzzzzzzz'\n"},
		{"output.path: x\n", "1:1 W unknown key 'output.path'\n"},
		{"'': 1\n", "1:1 W unknown key ''\n"},
		{"outpt:\n  path: x\n", "1:1 W unknown key 'outpt'; did you mean 'output'?\n"},
		{"output:\n  pth: x\n", "2:3 W unknown key 'pth'; did you mean 'path'?\n"},
		{"output:\n  harden: x\n", "2:3 W unknown key 'harden'\n"},
		{"output:\n  output: {path: x}\n", "2:3 W unknown key 'output'\n"},
		{"output:\n  events: x\n", "2:3 W unknown key 'events'\n"},
		{"scanner: {rule: []}\n", "1:11 W unknown key 'rule'; did you mean 'rules'?\n"},
		{"harden: true\nharden: false\n", "2:1 E duplicate key 'harden'\n"},
		{"output: {}\noutput: {}\n", "2:1 E duplicate key 'output'\n"},
		{"output: {path: a, path: b}\n", "1:19 E duplicate key 'path'\n"},
		{"[a]: 1\n", "1:1 E key: found a list, expected a plain word\n"},
		{"{}: 1\nharden: x\n", "1:1 E key: found a mapping, expected a plain word\n"
				       "2:9 E harden: found the string 'x', expected true or false\n"},
		{"- harden\n", "1:1 E configuration: found a list, expected a mapping\n"},
		{"harden\n", "1:1 E configuration: found the string 'harden', expected a mapping\n"},
		{"harden: true\n---\nharden: false\n", "3:1 E more than one document in the file\n"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_messages(cases[i].text, cases[i].want);
}

static void test_syntax(void)
{
	check_messages("harden: [\n",
		       "2:1 E not valid YAML: while parsing a flow node, did not find expected node "
		       "content\n");
	check_messages(
		"harden: true\n\tworkers: 1\n",
		"2:1 E not valid YAML: while scanning a plain scalar, found a tab character that violates "
		"indentation\n");
	check_messages("harden: true\nworkers: *one\n", "2:10 E not valid YAML: found undefined alias\n");
	check_messages("harden: true\n\xff\xfe\n", "2:1 E not valid YAML: invalid leading UTF-8 octet\n");
	check_messages("harden: true\n... x\n",
		       "2:5 E not valid YAML: did not find expected <document start>\n");
}

static void test_aliases(void)
{
	struct config config;

	if (load("output:\n  path: &p /tmp/x\nscanner:\n  rules: &r [*p, *p]\n  iocs: *r\n", &config)) {
		is_str(config.scanner.iocs.v[1], "/tmp/x", "an alias of a list of aliases");
		config_fini(&config);
	}
	check_messages("output: &o\n  path: *o\n", "1:9 E output.path: found a mapping, expected a path\n");
	check_messages("output: &o\n  *o : x\n", "1:9 E key: found a mapping, expected a plain word\n");
	/* Ten levels of ten aliases each: ten thousand million nodes if they were copied. */
	struct buf bomb = {0};
	buf_add_str(&bomb, STR("a0: &a0 [x]\n"));
	for (int i = 1; i <= 10; i++) {
		buf_printf(&bomb, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			buf_printf(&bomb, "%s*a%d", j ? ", " : "", i - 1);
		buf_add_str(&bomb, STR("]\n"));
	}
	buf_add_str(&bomb, STR("scanner: {rules: *a10}\n"));

	struct config_messages messages = {0};
	int err = config_load_text(bomb.p, bomb.len, &config, &messages);
	ok(err == -EINVAL && messages.errors == 10, "an alias bomb is a list of ten lists: %u errors",
	   messages.errors);
	config_messages_fini(&messages);
	buf_fini(&bomb);
}

static uint32_t count_enabled(const struct config *config)
{
	uint32_t n = 0;

	for (int type = 0; type < EVENT_COUNT; type++)
		n += event_catalogue[type].configurable && config->events[type];
	return n;
}

#define ABSENT_BUT_EXECVE                                                                                 \
	"execve_script, exit, exit_group, clone, prctl, kill, ptrace, init_module, bpf_prog_load, "       \
	"bpf_socket_filter, mprotect_exec, mmap_exec, connect, dns_query, send_data, read, read_config, " \
	"write, "                                                                                         \
	"write_config, file_rename, file_unlink, write_close, file_create, io_uring_sqe, file_scan\n"

static void test_events(void)
{
	struct config config;

	if (check_load("events:\n  execve: {enable: true}\n",
		       "1:1 W disabled because the map of events does not name them: " ABSENT_BUT_EXECVE,
		       &config)) {
		is_u64(count_enabled(&config), 1, "what is absent is disabled");
		ok(config.events[EVENT_start] && config.events[EVENT_event_loss], "but not what cannot be");
		config_fini(&config);
	}
	check_messages("events:\n  exeve: {enable: true}\n  execve: {enable: true}\n",
		       "2:3 E unknown event 'exeve'; did you mean 'execve'?\n"
		       "1:1 W disabled because the map of events does not name them: " ABSENT_BUT_EXECVE);
	check_messages("events:\n  execve: true\n",
		       "2:11 E execve: found 'true', expected a mapping with enable: true or false\n"
		       "1:1 W disabled because the map of events does not name them: " ABSENT_BUT_EXECVE);
	check_messages("events:\n  execve: {enable: 1}\n",
		       "2:20 E enable: found '1', expected true or false\n"
		       "1:1 W disabled because the map of events does not name them: " ABSENT_BUT_EXECVE);
	check_messages("events:\n  execve: {}\n",
		       "2:11 E execve: found a mapping, expected enable: true or false in it\n"
		       "1:1 W disabled because the map of events does not name them: " ABSENT_BUT_EXECVE);
	check_messages("events:\n  execve: {enabled: true, enable: false}\n",
		       "2:12 W unknown key 'enabled'; did you mean 'enable'?\n"
		       "1:1 W disabled because the map of events does not name them: " ABSENT_BUT_EXECVE);
	check_messages("events:\n  execve: {enable: true, enable: false}\n",
		       "2:26 E duplicate key 'enable'\n"
		       "1:1 W disabled because the map of events does not name them: " ABSENT_BUT_EXECVE);
	check_messages("events:\n  execve: {enable: true}\n  execve: {enable: true}\n",
		       "3:3 E duplicate key 'execve'\n"
		       "1:1 W disabled because the map of events does not name them: " ABSENT_BUT_EXECVE);
	check_messages(
		"events:\n  execve: {enable: true}\n  start: {enable: false}\n  error: {enable: true}\n",
		"3:11 W event 'start' cannot be disabled\n"
		"1:1 W disabled because the map of events does not name them: " ABSENT_BUT_EXECVE);
	check_messages("events:\n",
		       "1:8 E events: found null, expected a mapping from names of events to enable: true "
		       "or false\n");
	check_messages(
		"events: {}\nevents: {}\n",
		"1:1 W disabled because the map of events does not name them: execve, " ABSENT_BUT_EXECVE
		"2:1 E duplicate key 'events'\n");
}

/* As Kunai 0.6.2 wrote it: no host_uuid, no rotate_interval, throttled. */
static void test_kunai_files(void)
{
	struct config config;
	struct buf text = {0};

	buf_add_str(
		&text,
		STR("max_buffered_events: 1024\nmax_eps_fs: 2048\nworkers: null\nsend_data_min_len: null\n"
		    "harden: false\noutput:\n  path: /dev/stdout\n  rotate_size: null\n  max_size: null\n"
		    "  buffered: false\nscanner:\n  rules: []\n  iocs: []\n  yara: []\n  min_severity: 0\n"
		    "  show_positive_file_scan: true\nevents:\n"));
	for (int type = 0; type < EVENT_COUNT; type++) {
		if (event_catalogue[type].configurable)
			buf_printf(&text, "  %s:\n    enable: %s\n", event_catalogue[type].name.p,
				   type % 2 ? "true" : "false");
	}
	if (load(cstring(&text), &config)) {
		bool same = true;
		for (int type = 0; type < EVENT_COUNT; type++)
			same &= !event_catalogue[type].configurable || config.events[type] == (type % 2 == 1);
		ok(same, "the events are those of the file");
		is_u64(config.max_eps_fs.value, 2048, "and so is the throttle");
		config_fini(&config);
	}
	buf_fini(&text);
}

static void test_bounds(void)
{
	struct config_messages messages = {0};
	struct config config;
	struct buf text = {0};

	buf_add_str(&text, STR("harden: true\n#"));
	while (text.len < CONFIG_MAX_FILE)
		buf_add_char(&text, 'x');
	if (ok(config_load_text(text.p, text.len, &config, &messages) == 0, "a file of 1 MiB is read"))
		config_fini(&config);
	buf_add_char(&text, 'x');
	ok(config_load_text(text.p, text.len, &config, &messages) == -EINVAL, "one byte more is not");
	is_str(messages.count ? messages.v[0].text : "", "larger than 1048576 bytes", "and it is said");
	config_messages_fini(&messages);

	buf_reset(&text);
	buf_add_str(&text, STR("a: ["));
	for (int i = 1; i < CONFIG_MAX_COSTLY; i++)
		buf_printf(&text, "&a%d x, ", i);
	size_t len = text.len;
	buf_add_str(&text, STR("]\n"));
	if (ok(config_load_text(text.p, text.len, &config, &messages) == 0, "256 costly characters are read"))
		config_fini(&config);
	text.len = len;
	buf_add_str(&text, STR("&last x]\n"));
	ok(config_load_text(text.p, text.len, &config, &messages) == -EINVAL, "one more is not");
	config_messages_fini(&messages);

	buf_reset(&text);
	buf_add_str(&text, STR("scanner:\n  rules:\n"));
	for (int i = 0; i < CONFIG_MAX_PATHS; i++)
		buf_add_str(&text, STR("  - /a\n"));
	if (ok(config_load_text(text.p, text.len, &config, &messages) == 0, "4096 paths are read"))
		config_fini(&config);
	buf_add_str(&text, STR("  - /a\n  - /a\n"));
	ok(config_load_text(text.p, text.len, &config, &messages) == -EINVAL && messages.errors == 1,
	   "one more is not");
	config_messages_fini(&messages);

	buf_reset(&text);
	for (int i = 0; i < CONFIG_MAX_MESSAGES + 3; i++)
		buf_printf(&text, "x%d: 1\n", i);
	buf_add_str(&text, STR("harden: 1\n"));
	ok(config_load_text(text.p, text.len, &config, &messages) == -EINVAL,
	   "an error behind many warnings counts");
	ok(messages.count == CONFIG_MAX_MESSAGES && messages.dropped == 4 && messages.errors == 1,
	   "the list of messages is bounded");
	config_messages_fini(&messages);

	buf_reset(&text);
	for (int i = 0; i < 100000; i++)
		buf_add_char(&text, "[{"[i % 2]);
	ok(config_load_text(text.p, text.len, &config, &messages) == -EINVAL, "deep nesting is refused");
	is_str(messages.count ? messages.v[0].text : "", "more than 256 of the characters & [ { %",
	       "before it takes time");
	config_messages_fini(&messages);
	buf_fini(&text);
}

static void test_files(void)
{
	char dir[] = "/tmp/kunai-config-XXXXXX";
	char path[64], text[256];
	struct config_messages messages = {0};
	struct config config;
	struct buf got = {0};

	ok(config_load("/nonexistent/x.yaml", &config, &messages) == -ENOENT, "no file");
	ok(config_load("/", &config, &messages) == -EISDIR, "a directory");
	ok(config_load("/dev/null", &config, &messages) == 0 && messages.count == 0, "an empty file");
	config_fini(&config);
	ok(config_load("/dev/zero", &config, &messages) == -EINVAL, "an endless file");
	config_messages_fini(&messages);

	if (!ok(mkdtemp(dir) != NULL, "temporary directory"))
		return;
	snprintf(path, sizeof(path), "%s/c.yaml", dir);
	snprintf(text, sizeof(text), "output: {path: %s/new/log}\nscanner: {rules: [%s, %s/none]}\n", dir,
		 dir, dir);
	FILE *file = fopen(path, "we");
	fputs(text, file);
	fclose(file);
	ok(config_load(path, &config, &messages) == 0 && messages.count == 0, "a file");
	config_check_files(&config, &messages);
	ok(messages.count == 1 && messages.errors == 0 && strstr(messages.v[0].text, "/none: No such file"),
	   "a path that is missing is warned about");
	snprintf(text, sizeof(text), "%s/new", dir);
	ok(access(text, F_OK) < 0, "the check makes no directory");
	config_messages_fini(&messages);

	static const struct {
		const char *path;
		const char *want; /* NULL: fine */
	} outputs[] = {
		{"stdout", NULL},
		{"/dev/stderr", NULL},
		{"/dev/null", NULL},
		{"/tmp", "Is a directory"},
		{"/dev/null/x", "Not a directory"},
		{"/nonexistent/a/b", "No such file or directory"},
	};
	for (size_t i = 0; i < COUNT(outputs); i++) {
		option_set_text(&config_options[OPTION_output_path], &config, str_of(outputs[i].path));
		option_clear_list(&config_options[OPTION_scanner_rules], &config);
		config_check_files(&config, &messages);
		buf_reset(&got);
		add_messages(&messages, &got);
		ok(outputs[i].want ? strstr(cstring(&got), outputs[i].want) != NULL : got.len == 0,
		   "output %s: %s", outputs[i].path, one_line(cstring(&got)));
		ok(messages.errors == (outputs[i].want != NULL), "counted");
		config_messages_fini(&messages);
	}
	config_fini(&config);
	buf_fini(&got);
	unlink(path);
	rmdir(dir);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	fputs(text, file);
	fclose(file);
}

static void test_host_uuid(void)
{
	char dir[] = "/tmp/kunai-uuid-XXXXXX";
	char machine_id[64], boot_id[64], uuid[CONFIG_UUID_TEXT], other[CONFIG_UUID_TEXT];
	const struct host_uuid_sources sources = {"KUNAI_TEST_SEED", machine_id, boot_id};

	host_uuid_of_seed(STR("kunai"), uuid);
	is_str(uuid, "9fda529a-6ed9-5ba5-890c-85f3bd3cc601", "the vector of the specification");
	if (!ok(mkdtemp(dir) != NULL, "temporary directory"))
		return;
	snprintf(machine_id, sizeof(machine_id), "%s/machine-id", dir);
	snprintf(boot_id, sizeof(boot_id), "%s/boot_id", dir);

	host_uuid_derive(&sources, uuid);
	host_uuid_derive(&sources, other);
	ok(strlen(uuid) == 36 && uuid[14] == '4' && strcmp(uuid, other) != 0, "random: %s", uuid);

	write_text(boot_id, "F0F0F0F0-1111-4222-8333-444455556666\n");
	host_uuid_derive(&sources, uuid);
	is_str(uuid, "f0f0f0f0-1111-4222-8333-444455556666", "the boot id as it is");

	write_text(machine_id, " \n");
	host_uuid_derive(&sources, uuid);
	is_str(uuid, "f0f0f0f0-1111-4222-8333-444455556666", "an empty machine-id does not count");

	write_text(machine_id, "kunai \t\n\n");
	host_uuid_derive(&sources, uuid);
	is_str(uuid, "9fda529a-6ed9-5ba5-890c-85f3bd3cc601", "the machine-id without white space at its end");

	setenv("KUNAI_TEST_SEED", "python.org", 1);
	host_uuid_derive(&sources, uuid);
	is_str(uuid, "cd5d0bff-2444-5d26-ab53-4f7db1cb733d", "the seed comes first");
	unsetenv("KUNAI_TEST_SEED");

	ok(host_uuid_parse(STR("9fda529a-6ed9-5ba5-890c-85f3bd3cc6011"), uuid) == -EINVAL, "too long");
	ok(host_uuid_parse(STR("9fda529a6ed9-5ba5-890c-85f3bd3cc6-01"), uuid) == -EINVAL,
	   "dashes in wrong places");
	ok(host_uuid_parse(STR(""), uuid) == -EINVAL, "empty");
	unlink(machine_id);
	unlink(boot_id);
	rmdir(dir);
}

static void test_enable_events(void)
{
	struct config_messages messages = {0};
	struct config config;
	struct buf got = {0};

	config_init_defaults(&config);
	config_enable_events(&config, STR("all"), false, &messages);
	is_u64(count_enabled(&config), 0, "all disabled");
	ok(config.events[EVENT_error], "but for what always is");
	config_enable_events(&config, STR(" execve, clone,,nonsense,conect,start,"), true, &messages);
	is_u64(count_enabled(&config), 2, "two enabled");
	config_enable_events(&config, STR("start"), false, &messages);
	add_messages(&messages, &got);
	is_str(cstring(&got),
	       "0:0 W unknown event 'nonsense'\n"
	       "0:0 W unknown event 'conect'; did you mean 'connect'?\n"
	       "0:0 W event 'start' cannot be disabled\n",
	       "warnings");
	config_enable_events(&config, STR("exit,all"), true, &messages);
	is_u64(count_enabled(&config), 26, "all enabled");
	buf_fini(&got);
	config_messages_fini(&messages);
	config_fini(&config);
}

static void test_nearest(void)
{
	static const struct {
		const char *name;
		const char *want;
	} cases[] = {{"inlcude", "include"}, {"INCLUDE", "include"},
		     {"excl", "exclude"},    {"xinclude", "include"},
		     {"zzz", NULL},          {"", NULL},
		     {"in", NULL},           {"max-ep", "max-eps-fs"}};
	static const char *const known[] = {"include", "exclude", "max-eps-fs"};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct nearest nearest;
		nearest_init(&nearest, str_of(cases[i].name));
		for (size_t j = 0; j < COUNT(known); j++)
			nearest_offer(&nearest, str_of(known[j]));
		is_str(nearest.best.p, cases[i].want, cases[i].name);
	}

	char name[NEAREST_MAX_NAME + 2];
	memset(name, 'a', sizeof(name));
	name[NEAREST_MAX_NAME] = '\0';
	struct nearest nearest;
	nearest_init(&nearest, str_of(name));
	nearest_offer(&nearest, str_of(name));
	ok(nearest.best.p != NULL, "a name at the bound");
	name[NEAREST_MAX_NAME] = 'a';
	name[NEAREST_MAX_NAME + 1] = '\0';
	nearest_init(&nearest, str_of(name));
	nearest_offer(&nearest, str_of(name));
	ok(nearest.best.p == NULL, "and one past it");
}

static void test_message_text(void)
{
	struct buf text = {0};
	char raw[101];

	memset(raw, 'a', 100);
	raw[100] = '\0';
	memcpy(raw + 63, "\xc3\xa9", 2);
	buf_add_quoted(&text, str_of(raw));
	is_u64(text.len, 63 + 5, "cut before a character, not in it");
	buf_reset(&text);
	buf_add_quoted(&text, str_of("a\nb"));
	is_str(cstring(&text), "'a?b'", "no control characters");
	buf_fini(&text);
}

static void test_man_page(void)
{
	char *page = read_file("man/kunai.conf.5");

	for (int id = 0; id < OPTION_COUNT; id++) {
		char item[96];
		if (!config_options[id].key)
			continue;
		snprintf(item, sizeof(item), ".It Ic %s\n", config_options[id].key);
		ok(strstr(page, item) != NULL, "kunai.conf(5) explains %s", config_options[id].key);
	}
	free(page);
}

int main(void)
{
	setenv("KUNAI_HOST_UUID_SEED", "kunai", 1);
	test_defaults();
	test_null_and_empty();
	test_all_keys();
	test_changed_dump();
	test_odd_paths();
	test_wrong_values();
	test_keys();
	test_syntax();
	test_aliases();
	test_events();
	test_kunai_files();
	test_bounds();
	test_files();
	test_host_uuid();
	test_enable_events();
	test_nearest();
	test_message_text();
	test_man_page();
	return done_testing();
}
