/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai test: rules against recordings that they must match, and a baseline that they must not. Never acts. */
#define LOG_MODULE "kunai::test"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cmd/cmd.h"
#include "cmd/recording.h"
#include "json/writer.h"

enum { RULES, TEST_DIR, BASELINE, MIN_SEVERITY_FP, OPTIONS, MIN_SEVERITY_FP_DEFAULT = 6 };

static const struct config_option options[OPTIONS] = {
	[RULES] = {.key = "scanner.rules",
		   .offset = offsetof(struct config, scanner.rules),
		   .type = OPTION_TYPE_PATHS,
		   .name = "rules",
		   .letter = 'r',
		   .aliases = "rule-path",
		   .argument = "FILE|DIR",
		   .help = "the rules; can be repeated"},
	[TEST_DIR] = {.name = "test-dir",
		      .letter = 't',
		      .argument = "DIR",
		      .help = "holds RULE.json for each rule: events that it must match; can be repeated"},
	[BASELINE] = {.name = "baseline",
		      .letter = 'b',
		      .argument = "PATH",
		      .help = "logs that no rule must match; can be repeated"},
	[MIN_SEVERITY_FP] =
		{.key = "scanner.min_severity", /* which means nothing else here */
		 .offset = offsetof(struct config, scanner.min_severity),
		 .type = OPTION_TYPE_NUMBER,
		 .max = UINT8_MAX,
		 .name = "min-severity-fp",
		 .letter = 'm',
		 .argument = "N",
		 .help = "severity from which a match in the baseline is a failure; 6 by default"},
};

struct test {
	struct scanner *scanner;
	const struct ruleset *rules;
	struct json_writer *writer;
	uint64_t min_severity_fp;
	uint64_t failures;
	uint64_t baselines; /* files read */
};

static bool holds(const struct strv *names, struct str name)
{
	for (uint32_t i = 0; i < names->n; i++)
		if (str_eq(names->v[i], name))
			return true;
	return false;
}

static bool matches(const struct test *t, const struct event *e, const struct rule_facts *rule)
{
	if (rule->excludes) {
		struct strv excluding = scanner_excluding(t->scanner);
		return holds(&excluding, rule->name);
	}
	if (rule->kind == RULE_IS_DETECTION)
		return e->detection && holds(&e->detection->rules, rule->name);
	return e->filter && holds(&e->filter->rules, rule->name);
}

static void show_event(const struct test *t, const struct event *e)
{
	struct buf text = {0};

	if (log_get_level() < LOG_DEBUG)
		return;
	json_write_event(t->writer, e, &text);
	log_debug("%.*s", STR_ARG(buf_str(&text)));
	buf_fini(&text);
}

/* NULL, or why the rule failed. */
static const char *test_recording(struct test *t, const struct rule_facts *rule, const char *path)
{
	const char *negative = rule->kind == RULE_IS_DETECTION ? "detection rule has false negatives"
							       : "filter rule has false negatives";
	const char *failure = NULL;
	struct recording recording;
	struct event event;
	struct str json;
	struct stat st;
	bool empty = true;
	int n;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || recording_open(&recording, path) < 0)
		return "rule is untested";
	while ((n = recording_next(&recording, &event, &json)) == 1) {
		empty = false;
		scanner_scan(t->scanner, &event);
		if (matches(t, &event, rule))
			continue;
		failure = negative;
		show_event(t, &event);
	}
	if (n < 0 || recording.bad)
		failure = "its recording holds what is no event";
	else if (empty)
		failure = "its recording is empty";
	recording_close(&recording);
	return failure;
}

static void test_rule(struct test *t, const struct rule_facts *rule, const struct cmd_context *ctx)
{
	const char *failure = NULL;

	for (size_t i = 0; i < ctx->value_count && !failure; i++) {
		char *path;
		if (ctx->values[i].option != &options[TEST_DIR])
			continue;
		if (asprintf(&path, "%s/%.*s.json", ctx->values[i].text, STR_ARG(rule->name)) < 0) {
			failure = "out of memory";
			break;
		}
		failure = test_recording(t, rule, path);
		free(path);
	}
	if (!failure) {
		log_info("rule=%.*s test successful", STR_ARG(rule->name));
		return;
	}
	log_error("rule=%.*s %s", STR_ARG(rule->name), failure);
	t->failures++;
}

static void test_rules(struct test *t, const struct cmd_context *ctx)
{
	struct rule_facts rule;

	if (!cmd_find_value(ctx, &options[TEST_DIR]))
		return;
	for (uint32_t i = 0; ruleset_rule(t->rules, i, &rule); i++)
		if (rule.kind != RULE_IS_DEPENDENCY)
			test_rule(t, &rule, ctx);
}

static void check_false_positives(struct test *t, const struct event *e, const char *path)
{
	struct rule_facts rule;

	for (uint32_t i = 0; e->detection && ruleset_rule(t->rules, i, &rule); i++) {
		if (rule.kind != RULE_IS_DETECTION || rule.excludes || rule.severity < t->min_severity_fp ||
		    !matches(t, e, &rule))
			continue;
		log_error("rule=%.*s rule has false positives: %s", STR_ARG(rule.name), path);
		show_event(t, e);
		t->failures++;
	}
}

static void test_log(struct test *t, const char *path)
{
	struct recording recording;
	struct event event;
	struct str json;
	int n;

	int err = recording_open(&recording, path);
	if (err) {
		log_error("cannot read %s: %s", path, strerror(-err));
		t->failures++;
		return;
	}
	t->baselines++;
	while ((n = recording_next(&recording, &event, &json)) == 1) {
		scanner_scan(t->scanner, &event);
		check_false_positives(t, &event, path);
	}
	if (n < 0 || recording.bad)
		t->failures++;
	recording_close(&recording);
}

static bool is_log(const char *path)
{
	static const char *const endings[] = {".json", ".jsonl", ".json.gz", ".jsonl.gz"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		if (str_ends_with(str_of(path), str_of(endings[i])))
			return true;
	return false;
}

/* What was not read may hold what a rule must not match. */
static void fail_baseline(struct test *t, const char *path, int error)
{
	log_error("cannot read %s: %s", path, strerror(error));
	t->failures++;
}

static void test_baseline(struct test *t, const char *path)
{
	char *paths[] = {(char *)path, NULL};
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (tree && (entry = fts_read(tree))) {
		if (entry->fts_info == FTS_F && is_log(entry->fts_path))
			test_log(t, entry->fts_path);
		if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
			fail_baseline(t, entry->fts_path, entry->fts_errno);
	}
	if (tree)
		fts_close(tree);
	else
		fail_baseline(t, path, errno);
}

static void test_baselines(struct test *t, const struct cmd_context *ctx)
{
	for (size_t i = 0; i < ctx->value_count; i++)
		if (ctx->values[i].option == &options[BASELINE])
			test_baseline(t, ctx->values[i].text);
	if (t->baselines == 0)
		log_warn("rules were not tested against any baseline");
}

static int test_all(const struct cmd_context *ctx, const struct config *config)
{
	bool given = cmd_find_value(ctx, &options[MIN_SEVERITY_FP]);
	struct test t = {
		.min_severity_fp = given ? config->scanner.min_severity : MIN_SEVERITY_FP_DEFAULT,
		.writer = json_writer_new(),
	};

	int status = t.writer ? cmd_load_compiled_scanner(&config->scanner, &t.scanner)
			      : cmd_fail("out of memory");
	if (!status) {
		t.rules = scanner_rules(t.scanner);
		test_rules(&t, ctx);
		test_baselines(&t, ctx);
	}
	if (!status && t.failures)
		status = cmd_fail("test failure");
	scanner_free(t.scanner);
	json_writer_free(t.writer);
	return status;
}

static int run_test(const struct cmd_context *ctx)
{
	struct config config;

	int status = run_config_from_options(ctx, &config);
	if (status)
		return status;
	status = config.scanner.rules.count ? test_all(ctx, &config)
					    : cmd_fail_usage("'kunai test' needs --rules=FILE|DIR");
	config_fini(&config);
	return status;
}

const struct cmd_entry cmd_test_entry = {
	.name = "test",
	.summary = "Test rules against recorded events",
	.options = options,
	.option_count = OPTIONS,
	.run = run_test,
};
