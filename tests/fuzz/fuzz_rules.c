/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a file of rules: no crash, and what is accepted can be run, by both engines with the same result. */
#include <stdlib.h>

#include "detect/detect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void make_event(struct event *ret)
{
	*ret = (struct event){.type = EVENT_write_close};
	ret->info.event.name = STR("write_close");
	ret->info.task.name = STR("sh");
	ret->info.task.uid = 1000;
	ret->data.write_close.common.exe.path = STR("/usr/bin/bash");
	ret->data.write_close.common.command_line = STR("bash -c 'caf\xc3\xa9'");
	ret->data.write_close.path.text = STR("/tmp/x.sh");
}

static void check_strv(struct strv a, const struct str *v, uint32_t n)
{
	require(a.n == n);
	for (uint32_t i = 0; i < n; i++)
		require(str_eq(a.v[i], v[i]));
}

static void run(struct ruleset *rs)
{
	struct detector *d = detector_new(rs);
	struct str rules[64];
	struct event e;

	require(d);
	make_event(&e);
	struct verdict fast = detect_event(d, &e);
	bool detected = fast.detection, filtered = fast.filter;
	uint32_t n = detected ? fast.detection->rules.n : 0;
	for (uint32_t i = 0; i < n && i < 64; i++)
		rules[i] = fast.detection->rules.v[i];
	struct verdict slow = detect_event_slowly(d, &e);
	/* where a search was given up the two may differ */
	if (detector_counters(d).regex_limits == 0) {
		require(detected == (slow.detection != NULL) && filtered == (slow.filter != NULL));
		if (detected && n <= 64)
			check_strv(slow.detection->rules, rules, n);
	}
	detector_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rule_text text = {STR("fuzz"), {(const char *)data, (uint32_t)size}};
	struct problems problems = {0};
	struct ruleset *rs = NULL;

	int err = ruleset_load_text(&text, NULL, &problems, &rs);
	require((err == 0) == (problems.errors == 0));
	if (!err)
		run(rs);
	ruleset_free(rs);
	problems_fini(&problems);
	return 0;
}
