/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai rules check: what is wrong with rules and YARA rules, and what is slow. Needs no root. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cmd/cmd.h"
#include "detect/detect.h"

enum { PATHS_MAX = 4096 };

enum { STRICT, OPTIONS };

static const struct config_option options[OPTIONS] = {
	[STRICT] = {.name = "strict", .help = "fail on warnings, too"},
};

static void print_slow(void *context, const struct slow_pattern *slow)
{
	static const char *const reasons[] = {
		[SLOW_ALONE] = "takes the slow path: no database can hold this pattern, so it is tried alone",
		[SLOW_CONFIRMED] = "each hit of this pattern is confirmed by a second search",
		[SLOW_WIDE] = "takes the slow path on text that is not ASCII: words end differently there",
	};
	const struct place *place = slow->place;

	(void)context;
	if (slow->reason != SLOW_ALONE && log_get_level() < LOG_INFO)
		return;
	fprintf(stderr, "%.*s:%u:%u: note: rule '%.*s': %.*s %s\n", STR_ARG(place->file), place->line,
		place->column, STR_ARG(place->rule), STR_ARG(slow->operand), reasons[slow->reason]);
}

struct loaded {
	const char *paths[2][PATHS_MAX]; /* of rules, of YARA rules: a directory may hold both */
	uint32_t counts[2];
	struct ruleset *rules;
	struct yara_rules *yara;
};
enum { RULES, YARA };

static void sort_paths(const struct cmd_context *ctx, struct loaded *ret)
{
	struct stat st;

	for (size_t i = 1; i < ctx->operand_count; i++) {
		const char *path = ctx->operands[i];
		bool directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
		bool yara = yara_is_rule_file(path);
		if (directory || !yara)
			ret->paths[RULES][ret->counts[RULES]++] = path;
		if (directory || yara)
			ret->paths[YARA][ret->counts[YARA]++] = path;
	}
}

static int load(struct loaded *l, struct problems *problems)
{
	int err = ruleset_load(l->paths[RULES], l->counts[RULES], PATHS_MUST_EXIST, problems, &l->rules);
	if (!err)
		err = ruleset_compile(l->rules, NULL);
	int yara_err = yara_rules_load(l->paths[YARA], l->counts[YARA], PATHS_MUST_EXIST, problems, &l->yara);
	return err ? err : yara_err;
}

static int print_summary(const struct loaded *l)
{
	struct ruleset_facts facts = ruleset_facts(l->rules);
	struct buf text = {0};

	buf_printf(&text, "%u detections, %u filters, %u dependencies, %u regular expressions\n",
		   facts.detections, facts.filters, facts.dependencies, facts.regexes);
	if (l->yara)
		buf_printf(&text, "%u YARA rules\n", yara_rules_count(l->yara));
	int status = cmd_print(&text);
	buf_fini(&text);
	return status;
}

static int check(const struct cmd_context *ctx)
{
	bool strict = cmd_find_value(ctx, &options[STRICT]);
	struct problems problems = {0};
	static struct loaded l; /* too large for a stack */

	sort_paths(ctx, &l);
	int err = load(&l, &problems);
	cmd_report_problems(&problems);
	int status = EXIT_SUCCESS;
	if (err == -ENOMEM)
		status = cmd_fail("out of memory");
	else if (problems.errors)
		status = cmd_fail("the rules cannot be used: correct the %u error%s above", problems.errors,
				  problems.errors == 1 ? "" : "s");
	else if (strict && problems.warnings)
		status = cmd_fail("the rules have %u warning%s", problems.warnings,
				  problems.warnings == 1 ? "" : "s");
	if (l.rules)
		ruleset_each_slow(l.rules, print_slow, NULL);
	if (!status)
		status = print_summary(&l);
	ruleset_free(l.rules);
	yara_rules_release(l.yara);
	problems_fini(&problems);
	return status;
}

static int run_rules(const struct cmd_context *ctx)
{
	if (ctx->operand_count == 0 || strcmp(ctx->operands[0], "check") != 0)
		return cmd_fail_usage("expected 'kunai rules check PATH...'");
	if (ctx->operand_count == 1)
		return cmd_fail_usage("'kunai rules check' needs a file or directory of rules or YARA rules");
	return check(ctx);
}

const struct cmd_entry cmd_rules_entry = {
	.name = "rules",
	.summary = "Check detection rules and YARA rules",
	.operands = "check PATH...",
	.max_operands = PATHS_MAX,
	.options = options,
	.option_count = OPTIONS,
	.run = run_rules,
};
