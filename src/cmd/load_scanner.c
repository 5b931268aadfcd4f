/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules and IoCs for the commands that match events. */
#include <errno.h>
#include <stdlib.h>

#include "cmd/cmd.h"

int cmd_read_scanner(const struct config_scanner *config, enum path_policy policy, struct problems *problems,
		     struct scanner **ret)
{
	const struct scanner_paths paths = {
		.rules = (const char *const *)config->rules.v,
		.rule_count = config->rules.count,
		.iocs = (const char *const *)config->iocs.v,
		.ioc_count = config->iocs.count,
		.policy = policy,
		.yara = (const char *const *)config->yara.v,
		.yara_count = config->yara.count,
	};

	return scanner_load(&paths, problems, ret);
}

int cmd_load_scanner(const struct config_scanner *config, struct scanner **ret)
{
	struct problems problems = {0};

	int err = cmd_read_scanner(config, PATHS_MAY_BE_MISSING, &problems, ret);
	cmd_report_problems(&problems);
	uint32_t errors = problems.errors;
	problems_fini(&problems);
	if (errors)
		return cmd_fail("the rules and IoCs cannot be used: correct the %u error%s above", errors,
				errors == 1 ? "" : "s");
	if (err)
		return cmd_fail("cannot load the rules and IoCs: %s", strerror(-err));
	return EXIT_SUCCESS;
}
