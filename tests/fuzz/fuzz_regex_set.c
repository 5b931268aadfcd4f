/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Patterns, one a line, then an empty line and a text: all of them in the database of one field find in the text what
 * each finds alone.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "detect/detect.h"

enum { PATTERNS_MAX = 16, PATTERN_MAX = 80, TEXT_MAX = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* A rule of its own for each, so that the verdict tells which were found. */
static void add_rule(struct buf *out, struct str pattern, uint32_t number)
{
	buf_printf(out,
		   "---\nname: r%u\nmatch-on: {events: {kunai: [write_close]}}\nmatches:\n  $a: >-\n    ",
		   number);
	buf_printf(out, ".data.path ~= '%.*s'\ncondition: %s$a\n", STR_ARG(pattern),
		   number % 4 == 3 ? "not " : "");
}

/* In a block of YAML and in single quotes it stays what it is. */
static bool is_plain(struct str s)
{
	for (uint32_t i = 0; i < s.len; i++) {
		if (s.p[i] == '\'' || (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	}
	return s.len > 0 && s.len <= PATTERN_MAX;
}

/* Returns what is behind the patterns. */
static struct str add_rules(struct buf *out, struct str all)
{
	for (uint32_t n = 0; all.len > 0;) {
		const char *end = memchr(all.p, '\n', all.len);
		struct str line = {all.p, end ? (uint32_t)(end - all.p) : all.len};
		all.p += line.len + (end != NULL);
		all.len -= line.len + (end != NULL);
		if (line.len == 0)
			break;
		if (is_plain(line) && n < PATTERNS_MAX)
			add_rule(out, line, n++);
	}
	return all;
}

static uint64_t found_by(struct verdict verdict)
{
	uint64_t found = 0;

	for (uint32_t i = 0; verdict.detection && i < verdict.detection->rules.n; i++)
		found |= UINT64_C(1) << atoi(verdict.detection->rules.v[i].p + 1);
	return found;
}

static void compare(struct ruleset *rs, struct str text)
{
	struct event e = {.type = EVENT_write_close};
	struct detector *d = detector_new(rs);

	require(d);
	e.data.write_close.path.text = text;
	for (int again = 0; again < 2; again++) {
		uint64_t fast = found_by(detect_event(d, &e));
		uint64_t slow = found_by(detect_event_slowly(d, &e));
		/* where a search was given up the two may differ */
		require(fast == slow || detector_counters(d).regex_limits);
	}
	require(detector_counters(d).regex_failures == 0);
	detector_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = {(const char *)data, (uint32_t)size};
	struct problems problems = {0};
	struct ruleset *rs = NULL;
	struct buf rules = {0};

	if (utf8_valid_prefix(all.p, all.len) != all.len)
		return 0;
	struct str text = add_rules(&rules, all);
	if (text.len > TEXT_MAX)
		text.len = (uint32_t)utf8_valid_prefix(text.p, TEXT_MAX);
	const struct rule_text input = {STR("fuzz"), buf_str(&rules)};
	if (rules.len && ruleset_load_text(&input, NULL, &problems, &rs) == 0) {
		compare(rs, text);
		require(ruleset_compile(rs, NULL) == 0);
		compare(rs, text);
	}
	ruleset_free(rs);
	problems_fini(&problems);
	buf_fini(&rules);
	return 0;
}
