/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration file: what is wrong with it, and where. */
#include "config_check.h"

#include <stdlib.h>

#include "base/nearest.h"
#include "config/option.h"

#define LOOPBACK "an address of the loopback and a port such as 127.0.0.1:9557, or null\n"

static const struct {
	const char *text;
	const char *want;
} wrong_values[] = {
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
	{"workers: {}\n", "1:10 E workers: found a mapping, expected a number from 0 to 1024, or null\n"},
	{"workers: 1025\n", "1:10 E workers: found '1025', expected a number from 0 to 1024, or null\n"},
	{"send_data_min_len: 1KB\n", "1:20 E send_data_min_len: found the string '1KB', expected a "
				     "number of at least 0, or null\n"},
	{"harden: 1\n", "1:9 E harden: found '1', expected true or false\n"},
	{"harden: yes\n", "1:9 E harden: found the string 'yes', expected true or false\n"},
	{"harden: 'true'\n", "1:9 E harden: found the string 'true', expected true or false\n"},
	{"harden: ~\n", "1:9 E harden: found null, expected true or false\n"},
	{"force_load: []\n", "1:13 E force_load: found a list, expected true or false\n"},
	{"max_args: 4095\n", "1:11 E max_args: found '4095', expected a number from 4096 to 131072\n"},
	{"max_args: 131073\n", "1:11 E max_args: found '131073', expected a number from 4096 to 131072\n"},
	{"output: /dev/stdout\n", "1:9 E output: found the string '/dev/stdout', expected a mapping\n"},
	{"output:\n", "1:8 E output: found null, expected a mapping\n"},
	{"output:\n  path: 5\n", "2:9 E output.path: found '5', expected a path\n"},
	{"output:\n  socket: run/x\n",
	 "2:11 E output.socket: found the string 'run/x', expected an absolute path, or null\n"},
	{"output:\n  syslog: true\n",
	 "2:11 E output.syslog: found 'true', expected an absolute path, or null\n"},
	{"metrics: 0.0.0.0:9557\n", "1:10 E metrics: found the string '0.0.0.0:9557', expected " LOOPBACK},
	{"metrics: 127.0.0.1\n", "1:10 E metrics: found the string '127.0.0.1', expected " LOOPBACK},
	{"metrics: 127.0.0.1:65536\n",
	 "1:10 E metrics: found the string '127.0.0.1:65536', expected " LOOPBACK},
	{"metrics: 127.0.0.1:0\n", "1:10 E metrics: found the string '127.0.0.1:0', expected " LOOPBACK},
	{"metrics: 128.0.0.1:1\n", "1:10 E metrics: found the string '128.0.0.1:1', expected " LOOPBACK},
	{"metrics: '[::2]:9557'\n", "1:10 E metrics: found the string '[::2]:9557', expected " LOOPBACK},
	{"output:\n  path: ''\n", "2:9 E output.path: found the string '', expected a path\n"},
	{"output:\n  path: \"a\\0b\"\n", "2:9 E output.path: found the string 'a?b', expected a path\n"},
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

static void test_wrong_values(void)
{
	for (size_t i = 0; i < COUNT(wrong_values); i++)
		check_messages(wrong_values[i].text, wrong_values[i].want);
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

int main(void)
{
	test_wrong_values();
	test_keys();
	test_syntax();
	test_bounds();
	test_nearest();
	test_message_text();
	return done_testing();
}
