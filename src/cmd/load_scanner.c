/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules and IoCs for the commands that match events. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "detect/pattern_cache.h"

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

int cmd_conclude_load(int err, struct problems *problems)
{
	uint32_t errors = problems->errors;

	cmd_report_problems(problems);
	problems_fini(problems);
	if (errors)
		return cmd_fail("the rules and IoCs cannot be used: correct the %u error%s above", errors,
				errors == 1 ? "" : "s");
	if (err)
		return cmd_fail("cannot load the rules and IoCs: %s", strerror(-err));
	return EXIT_SUCCESS;
}

static int find_in_cache(void *context, struct pattern_set *set)
{
	return pattern_cache_read(context, set);
}

/* Never made here, nor anything in it: it belongs to the sensor. */
static int compile(struct scanner *scanner)
{
	struct pattern_cache cache;

	if (geteuid() == 0 && pattern_cache_open(CACHE_DIRECTORY, false, &cache) == 0) {
		const struct pattern_source source = {.context = &cache, .find = find_in_cache};
		int err = scanner_find_compiled(scanner, &source);
		pattern_cache_close(&cache);
		if (err != -EAGAIN)
			return err;
	}
	return scanner_compile(scanner, NULL);
}

int cmd_load_compiled_scanner(const struct config_scanner *config, struct scanner **ret)
{
	struct problems problems = {0};
	struct scanner *scanner;

	int err = cmd_read_scanner(config, PATHS_MAY_BE_MISSING, &problems, &scanner);
	int status = cmd_conclude_load(err, &problems);
	if (status)
		return status;
	if (compile(scanner) < 0) {
		scanner_free(scanner);
		return cmd_fail("out of memory");
	}
	*ret = scanner;
	return EXIT_SUCCESS;
}
