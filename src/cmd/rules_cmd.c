/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai rules check: what is wrong with rules, and what is slow. Needs no root. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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

static int print_summary(const struct ruleset *rs)
{
	struct ruleset_facts facts = ruleset_facts(rs);
	struct buf text = {0};

	buf_printf(&text, "%u detections, %u filters, %u dependencies, %u regular expressions\n",
		   facts.detections, facts.filters, facts.dependencies, facts.regexes);
	int status = cmd_print(&text);
	buf_fini(&text);
	return status;
}

static int check(const struct cmd_context *ctx)
{
	const char *const *paths = ctx->operands + 1;
	bool strict = cmd_find_value(ctx, &options[STRICT]);
	struct problems problems = {0};
	struct ruleset *rs = NULL;

	int err = ruleset_load(paths, (uint32_t)ctx->operand_count - 1, PATHS_MUST_EXIST, &problems, &rs);
	if (!err)
		err = ruleset_compile(rs);
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
	if (rs)
		ruleset_each_slow(rs, print_slow, NULL);
	if (!status)
		status = print_summary(rs);
	ruleset_free(rs);
	problems_fini(&problems);
	return status;
}

static int run_rules(const struct cmd_context *ctx)
{
	if (ctx->operand_count == 0 || strcmp(ctx->operands[0], "check") != 0)
		return cmd_fail_usage("expected 'kunai rules check PATH...'");
	if (ctx->operand_count == 1)
		return cmd_fail_usage("'kunai rules check' needs a file or directory of rules");
	return check(ctx);
}

const struct cmd_entry cmd_rules_entry = {
	.name = "rules",
	.summary = "Check detection rules",
	.operands = "check PATH...",
	.max_operands = PATHS_MAX,
	.options = options,
	.option_count = OPTIONS,
	.run = run_rules,
};
