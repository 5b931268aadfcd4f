/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rules of tests/rules over their recordings, their baseline and the golden events: the compiled engine, with and
 * without its databases, says of each what the one that goes through all rules says.
 */
#include "tap.h"

#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "detect/detect.h"
#include "json/reader.h"
#include "json/stream.h"
#include "json/writer.h"

enum {
	SLOW_STEP = 20, /* under valgrind one event in so many is looked at */
	DIFFERENCES_SHOWN = 10,
};

static struct json_writer *writer;
static struct ruleset *rules;
static struct detector *detector;

struct totals {
	uint64_t events, matched, different, unreadable;
};

/* The part of the line before info holds all that a verdict says, but for who excluded it. */
static void write_verdict(struct event *e, struct verdict verdict, struct buf *out)
{
	buf_reset(out);
	for (uint32_t i = 0; i < verdict.excluding.n; i++)
		buf_printf(out, "%.*s ", STR_ARG(verdict.excluding.v[i]));
	e->detection = verdict.detection;
	e->filter = verdict.filter;
	json_write_event(writer, e, out);
	e->detection = NULL;
	e->filter = NULL;
}

static void compare(struct event *e, struct totals *t)
{
	static struct buf fast, slow;
	uint64_t limits = detector_counters(detector).regex_limits;

	write_verdict(e, detect_event(detector, e), &fast);
	struct verdict verdict = detect_event_slowly(detector, e);
	t->matched += verdict.detection != NULL;
	write_verdict(e, verdict, &slow);
	t->events++;
	/* a search that was given up is where the two may differ */
	if (detector_counters(detector).regex_limits != limits || str_eq(buf_str(&fast), buf_str(&slow)))
		return;
	if (t->different++ < DIFFERENCES_SHOWN)
		printf("# got  %.*s# want %.*s", STR_ARG(buf_str(&fast)), STR_ARG(buf_str(&slow)));
}

static void compare_log(const char *path, uint64_t step, struct totals *t)
{
	struct json_stream *stream;
	struct json_problem problem;
	struct json_text text;
	struct arena arena = {0};
	struct event event;
	uint64_t count = 0;
	int n = 0;

	if (json_stream_open(path, &stream)) {
		t->unreadable++;
		return;
	}
	while ((n = json_stream_next(stream, &text)) == 1) {
		if (count++ % step)
			continue;
		arena_reset(&arena);
		if (text.broken || json_read_event(text.text, &arena, &event, &problem))
			t->unreadable++;
		else
			compare(&event, t);
	}
	t->unreadable += n < 0;
	json_stream_close(stream);
	arena_fini(&arena);
}

static struct totals compare_logs(const char *pattern)
{
	uint64_t step = getenv("KUNAI_TEST_SLOW") ? SLOW_STEP : 1;
	struct totals t = {0};
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		return t;
	for (size_t i = 0; i < found.gl_pathc; i++)
		compare_log(found.gl_pathv[i], found.gl_pathc > 1 ? 1 : step, &t);
	globfree(&found);
	return t;
}

static void test_logs(const char *which)
{
	static const struct {
		const char *pattern;
		bool matched; /* something is */
	} logs[] = {
		{"tests/rules/recordings/*.json", true},
		{"tests/rules/baseline/*", false},
		{"tests/golden/expected.jsonl", true},
	};

	for (size_t i = 0; i < sizeof(logs) / sizeof(*logs); i++) {
		struct totals t = compare_logs(logs[i].pattern);
		ok(t.events && !t.unreadable && !t.different && logs[i].matched == (t.matched > 0),
		   "%s: %s: %" PRIu64 " events, %" PRIu64 " detected, %" PRIu64 " different, %" PRIu64
		   " unreadable",
		   which, logs[i].pattern, t.events, t.matched, t.different, t.unreadable);
	}
}

int main(void)
{
	const char *const path = "tests/rules";
	struct problems problems = {0};

	writer = json_writer_new();
	int err = ruleset_load(&path, 1, PATHS_MAY_BE_MISSING, &problems, &rules);
	ok(!err && problems.count == 0 && (detector = detector_new(rules)), "the rules are loaded");
	if (!err) {
		test_logs("without databases");
		ok(ruleset_compile(rules, NULL) == 0, "their databases are made");
		test_logs("with databases");
		struct detector_counters c = detector_counters(detector);
		ok(c.regex_failures == 0 && c.scans > 0, "%" PRIu64 " searches of databases, none failed",
		   c.scans);
	}
	detector_free(detector);
	ruleset_free(rules);
	problems_fini(&problems);
	json_writer_free(writer);
	return done_testing();
}
