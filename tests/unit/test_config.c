/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration file: what is read, and the dump. */
#include "config_check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/host_uuid.h"
#include "config/option.h"

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
	test_aliases();
	test_events();
	test_kunai_files();
	test_files();
	test_host_uuid();
	test_enable_events();
	test_man_page();
	return done_testing();
}
