/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What rules say of events: by the compiled engine, and by the plain one, which must say the same. */
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "detect/detect.h"
#include "json/writer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct event event;

static struct ruleset *load(const char *text)
{
	const struct rule_text rules = {STR("f"), str_of(text)};
	struct problems problems = {0};
	struct ruleset *rs = NULL;

	if (ruleset_load_text(&rules, NULL, &problems, &rs)) {
		for (uint32_t i = 0; i < problems.count; i++)
			printf("# %u:%u: %s\n", problems.v[i].line, problems.v[i].column, problems.v[i].text);
		printf("Bail out! rules that cannot be loaded: %s\n", text);
		exit(1);
	}
	problems_fini(&problems);
	return rs;
}

static void write_verdict(struct buf *out, struct verdict verdict)
{
	static struct json_writer *writer;
	struct buf line = {0};

	if (!writer)
		writer = json_writer_new();
	event.detection = verdict.detection;
	event.filter = verdict.filter;
	json_write_event(writer, &event, &line);
	buf_add_char(&line, '\0');
	/* between data and info */
	const char *end = strstr(line.p, ",\"info\":");
	const char *from = strstr(line.p, ",\"detection\":");
	if (!from)
		from = strstr(line.p, ",\"filter\":");
	buf_reset(out);
	if (from)
		buf_add(out, from + 1, (size_t)(end - from - 1));
	buf_add_char(out, '\0');
	buf_fini(&line);
}

static void check(const char *rules, const char *want, const char *name)
{
	struct ruleset *rs = load(rules);
	struct detector *d = detector_new(rs);
	struct buf early = {0}, compiled = {0}, slow = {0};

	write_verdict(&early, detect_event(d, &event));
	ruleset_compile(rs, NULL);
	write_verdict(&compiled, detect_event(d, &event));
	write_verdict(&slow, detect_event_slowly(d, &event));
	is_str(compiled.p, want, name);
	is_str(early.p, want, "and before the databases are there");
	is_str(slow.p, want, "and one by one");
	ok(detector_counters(d).regex_failures == 0, "no search failed");
	buf_fini(&early);
	buf_fini(&compiled);
	buf_fini(&slow);
	detector_free(d);
	ruleset_free(rs);
}

static void make_event(void)
{
	event = (struct event){.type = EVENT_write_close};
	event.info.event.name = STR("write_close");
	event.info.task.name = STR("kworker/0:1");
	event.info.task.flags = 0x400000;
	event.info.task.uid = 1000;
	event.data.write_close.common.exe.path = STR("/usr/bin/bash");
	event.data.write_close.common.command_line = STR("bash -c 'caf\xc3\xa9'");
	event.data.write_close.path.text = STR("/tmp/x.sh");
}

static void check_condition(const char *condition, bool want)
{
	struct buf text = {0};

	buf_printf(&text,
		   "name: r\nmatches:\n"
		   "  $t: .info.task.uid == 1000\n"
		   "  $f: .info.task.uid == 0\n"
		   "  $e: .data.no.such == 'x'\n"
		   "  $n: .info.host.container is none\n"
		   "  $m: .info.host.container.type == 'docker'\n"
		   "  $r: .data.path ~= '\\.sh$'\n"
		   "  $q: .data.path ~= '\\.py$'\n"
		   "  $x: .info.task.uid is none\n"
		   "  $pt1: .info.task.uid > 999\n"
		   "  $pt2: .info.task.uid < 1001\n"
		   "  $pf: .info.task.uid < 0\n"
		   "  $ge: .data.no.such is some\n"
		   "  $gt: .info is some\n"
		   "condition: %s\n",
		   condition);
	buf_add_char(&text, '\0');
	check(text.p, want ? "\"detection\":{\"rules\":[\"r\"],\"severity\":0}" : "", condition);
	buf_fini(&text);
}

static void test_conditions(void)
{
	static const struct {
		const char *condition;
		bool want;
	} cases[] = {
		{"$t", true},
		{"$f", false},
		{"not $f", true},
		{"$t and $r", true},
		{"$t and $q", false},
		{"$q or $r", true},
		{"not $q and $r", true},
		/* an error ends the evaluation, unless it is not needed any more */
		{"$e", false},
		{"not $e", false},
		{"$e or $t", false},
		{"$t or $e", true},
		{"$f and $e", false},
		{"not ($f and $e)", true},
		{"$t and $e", false},
		{"$x or $t", false},
		{"$n and $t", true},
		{"$m or $t", false},
		{"not $m", false},
		{"$missing or $t", false},
		{"$t or $missing", true},
		/* groups */
		{"all of $pt", true},
		{"all of $p", false},
		{"any of $p", true},
		{"none of $pf", true},
		{"none of $p", false},
		{"2 of $p", true},
		{"3 of $p", false},
		{"0 of $pf", true},
		{"all of $none", true},
		{"none of $none", true},
		{"any of $none", false},
		{"1 of $none", false},
		/* in them an error is false */
		{"any of $g", true},
		{"all of $g", false},
		{"none of $ge", true},
		{"any of $ge or $t", true},
	};

	make_event();
	for (size_t i = 0; i < COUNT(cases); i++)
		check_condition(cases[i].condition, cases[i].want);
}

static void test_operands(void)
{
	static const struct {
		const char *operand;
		bool want;
	} cases[] = {
		{".data.exe is some", true},
		{".data.exe.path == '/usr/bin/bash'", true},
		{".data.exe.path == '/usr/bin/bas'", false},
		{".data.path == @.data.exe.path", false},
		{".data.exe.path == @.data.exe.path", true},
		{".info.task.uid == @.info.task.gid", false},
		{".info.host.container == @.info.host.container.name", true},
		{".info.task.flags &= 0x400000", true},
		{".info.task.flags &= 0x600000", false},
		{".info.task.flags == '0x400000'", true},
		{".info.task.flags == 4194304", true},
		{".info.task.zombie is false", true},
		{".data.command_line ~= 'caf.'''", true},
		{".data.command_line ~= 'caf..'''", false},
		{".data.command_line ~= '\\w+''$'", true},
		{".data.command_line ~= '^bash'", true},
		/* a boundary that only Unicode sees */
		{".data.command_line ~= 'f\\B\xc3\xa9'", true},
		{".data.command_line ~= 'f\\b\xc3\xa9'", false},
		{".data.command_line ~= '\\bc\\b'", true},
		{".info.task.name ~= '^kworker/\\d'", true},
		{".info.task.name ~= '(?i)KWORKER'", true},
		{".info.task.uid ~= '1'", false},
		{".data.written_by == 'write'", false},
		{".data.path_unverified is none", true},
		{".info.event.name is 'write_close'", true},
		{".info.host.uuid == '00000000-0000-0000-0000-000000000000'", true},
	};

	make_event();
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf text = {0};
		buf_add_str(&text, STR("name: r\nmatches:\n  $a: |\n    "));
		/* expressions of the table that hold '' stand for one ' in double quotes */
		const char *quotes = strstr(cases[i].operand, "''");
		if (quotes) {
			buf_printf(&text, "%.*s\"%.*s'",
				   (int)(strchr(cases[i].operand, '\'') - cases[i].operand), cases[i].operand,
				   (int)(quotes - strchr(cases[i].operand, '\'') - 1),
				   strchr(cases[i].operand, '\'') + 1);
			buf_printf(&text, "%.*s\"", (int)strlen(quotes + 2) - 1, quotes + 2);
		} else {
			buf_add_str(&text, str_of(cases[i].operand));
		}
		buf_add_str(&text, STR("\ncondition: $a\n"));
		buf_add_char(&text, '\0');
		check(text.p, cases[i].want ? "\"detection\":{\"rules\":[\"r\"],\"severity\":0}" : "",
		      cases[i].operand);
		buf_fini(&text);
	}
}

static void test_verdicts(void)
{
	make_event();
	check("name: b\nmeta: {tags: [t2, t1], attack: [T2, t1]}\nactions: [scan-files, x]\nseverity: "
	      "3\n---\n"
	      "name: a\nmeta: {tags: [t1, t0]}\nactions: [kill]\nseverity: 4\n",
	      "\"detection\":{\"rules\":[\"a\",\"b\"],\"tags\":[\"t0\",\"t1\",\"t2\"],\"attack\":[\"T1\","
	      "\"T2\"],"
	      "\"actions\":[\"kill\",\"scan-files\",\"x\"],\"severity\":7}",
	      "detections are united and sorted");
	check("name: a\nseverity: 6\n---\nname: b\nseverity: 7\n",
	      "\"detection\":{\"rules\":[\"a\",\"b\"],\"severity\":10}", "severities have a bound");
	check("name: f\ntype: filter\nmeta: {tags: [t], attack: [T1]}\nactions: [x]\nseverity: 3\n",
	      "\"filter\":{\"rules\":[\"f\"],\"tags\":[\"t\"],\"actions\":[\"x\"]}", "a filter");
	check("name: f\ntype: filter\n---\nname: d\nseverity: 1\n",
	      "\"detection\":{\"rules\":[\"d\"],\"severity\":1},\"filter\":{\"rules\":[\"f\"]}",
	      "both in one line");
	check("name: x\ndecision: exclude\n---\nname: d\n---\nname: f\ntype: filter\n",
	      "\"filter\":{\"rules\":[\"f\"]}", "an exclusion is for its own kind");
	check("name: x\ntype: filter\ndecision: exclude\n---\nname: d\n---\nname: f\ntype: filter\n",
	      "\"detection\":{\"rules\":[\"d\"],\"severity\":0}", "for filters too");
	check("name: x\ndecision: exclude\nmatches: {$a: .info.task.uid == 0}\ncondition: $a\n---\nname: d\n",
	      "\"detection\":{\"rules\":[\"d\"],\"severity\":0}", "an exclusion that does not match");
	check("name: d\ntype: dependency\n", "", "a dependency alone says nothing");
	check("name: d\nmatch-on: {events: {kunai: [execve]}}\n", "", "a rule for other events");
	check("name: d\nmatch-on: {events: {kunai: [-execve]}}\n",
	      "\"detection\":{\"rules\":[\"d\"],\"severity\":0}", "a rule for all but one");
}

static void test_dependencies(void)
{
	make_event();
	check("name: dep\ntype: dependency\nmatches: {$a: .info.task.uid == 1000}\ncondition: $a\n---\n"
	      "name: a\nmatches: {$d: rule(dep)}\ncondition: $d\n---\n"
	      "name: b\nmatches: {$d: rule(dep), $t: .info is some}\ncondition: not $d or $t\n",
	      "\"detection\":{\"rules\":[\"a\",\"b\"],\"severity\":0}", "a dependency of two rules");
	check("name: dep\ntype: dependency\nmatch-on: {events: {kunai: [execve]}}\n---\n"
	      "name: a\nmatches: {$d: rule(dep)}\ncondition: not $d\n",
	      "\"detection\":{\"rules\":[\"a\"],\"severity\":0}", "a dependency for other events is false");
	check("name: dep\ntype: dependency\nmatches: {$a: .data.no.such == 1}\ncondition: $a\n---\n"
	      "name: a\nmatches: {$d: rule(dep)}\ncondition: not $d\n",
	      "", "one that is an error stays one");
	check("name: x\ntype: filter\ndecision: exclude\n---\n"
	      "name: a\nmatches: {$d: rule(x)}\ncondition: $d\n",
	      "\"detection\":{\"rules\":[\"a\"],\"severity\":0}", "any rule can be one");
}

static void test_vectors(void)
{
	const struct str answers[] = {STR("1.2.3.4"), STR("evil.example")};

	event = (struct event){.type = EVENT_dns_query};
	event.data.dns_query.response = (struct strv){answers, 2};
	check("name: a\nmatches: {$a: .data.response ~= '^evil'}\ncondition: $a\n---\n"
	      "name: b\nmatches: {$a: .data.response == 'evil.example'}\ncondition: $a\n---\n"
	      "name: c\nmatches: {$a: .data.response ~= '^vil'}\ncondition: $a\n---\n"
	      "name: d\nmatches: {$a: .data.response == 'example'}\ncondition: $a\n",
	      "\"detection\":{\"rules\":[\"a\",\"b\"],\"severity\":0}", "elements of a vector");
	event.data.dns_query.response.n = 0;
	check("name: a\nmatches: {$a: .data.response ~= ''}\ncondition: $a\n---\n"
	      "name: b\nmatches: {$a: .data.response is some}\ncondition: $a\n",
	      "", "an empty vector satisfies nothing");
}

static void test_limit(void)
{
	char text[64];
	struct ruleset *rs = load("name: a\nmatches: {$a: .data.path ~= '^(a|a|aa)*c?$'}\ncondition: $a\n");
	struct detector *d = detector_new(rs);

	memset(text, 'a', sizeof(text));
	text[63] = 'b';
	make_event();
	event.data.write_close.path.text = (struct str){text, sizeof(text)};
	struct verdict verdict = detect_event_slowly(d, &event);
	ok(!verdict.detection && detector_counters(d).regex_limits == 1,
	   "a search that was given up is counted");
	detector_free(d);
	ruleset_free(rs);
}

static void test_errors(void)
{
	const struct rule_text rules = {STR("f"), STR("name: a\nmatches:\n  $a: .data.path ~= 'a(b'\n  $b: "
						      ".data.path ~= 'a(b'\ncondition: $a and $b\n")};
	struct problems problems = {0};
	struct ruleset *rs;

	ok(ruleset_load_text(&rules, NULL, &problems, &rs) == -EINVAL && problems.errors == 2 &&
		   problems.v[0].line == 3 && problems.v[0].column == 23 &&
		   strstr(problems.v[0].text, "no closing )"),
	   "every use of a bad regular expression is named with its place");
	problems_fini(&problems);
}

/* What may be left out where it happens: all that is not named here. */
static void test_selected_events(void)
{
	static const char some[] = "name: a\nmatch-on: {events: {kunai: [execve]}}\n---\n"
				   "name: b\ntype: filter\nmatch-on: {events: {kunai: [connect]}}\n---\n"
				   "name: c\ntype: dependency\nmatch-on: {events: {kunai: [kill]}}\n---\n"
				   "name: d\ndecision: exclude\nmatch-on: {events: {kunai: [read]}}\n";
	struct ruleset *rs = load(some);

	is_u64(ruleset_events(rs), UINT64_C(1) << EVENT_execve | UINT64_C(1) << EVENT_connect,
	       "events of detections and filters, not those of rules that exclude or only serve others");
	ruleset_free(rs);
	rs = load("name: a\nmatches: {$a: .info.task.uid == 0}\ncondition: $a\n");
	ok((ruleset_events(rs) & 1 << EVENT_execve) && (ruleset_events(rs) >> EVENT_write_close & 1),
	   "a rule that names none wants all");
	ruleset_free(rs);
}

static void test_sleepers(void)
{
	static const struct {
		const char *text;
		uint32_t warnings;
	} cases[] = {
		{"name: a\nmatch-on: {events: {kunai: [clone, connect]}}\nmatches: {$a: .data.flags == 1, "
		 "$b: .data.dst.port "
		 "== 1}\ncondition: $a and $b\n",
		 1},
		{"name: a\nmatch-on: {events: {kunai: [clone, connect]}}\nmatches: {$a: .data.flags == 1, "
		 "$b: .data.dst.port "
		 "== 1}\ncondition: any of them\n",
		 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct rule_text rules = {STR("f"), str_of(cases[i].text)};
		struct problems problems = {0};
		struct ruleset *rs = NULL;
		int err = ruleset_load_text(&rules, NULL, &problems, &rs);
		ok(err == 0 && problems.warnings == cases[i].warnings &&
			   (!problems.count || strstr(problems.v[0].text, "can never match")),
		   "fields that no event has together: %u warning", cases[i].warnings);
		ruleset_free(rs);
		problems_fini(&problems);
	}
}

/* Ten cheap rules, one that is slow by itself, and one that only asks for it. */
static struct ruleset *load_costly(void)
{
	struct buf text = {0};

	for (int i = 0; i < 10; i++)
		buf_printf(&text,
			   "name: cheap%d\nmatches: {$a: .info.task.uid == 1000}\ncondition: $a\n---\n", i);
	buf_add_str(&text,
		    STR("name: costly\nmatches: {$a: .data.path ~= '^(a|a|aa)*c?$'}\ncondition: $a\n---\n"
			"name: asks\nmatches: {$a: rule(costly)}\ncondition: not $a\n"));
	buf_add_char(&text, '\0');
	struct ruleset *rs = load(text.p);
	buf_fini(&text);
	return rs;
}

static void test_costs(void)
{
	enum { EVENTS = 40 * 64 };
	struct ruleset *rs = load_costly();
	struct detector *d = detector_new(rs);
	struct slow_rules slow;
	double sum = 0;
	bool sorted = true;

	make_event();
	detector_slow_rules(d, &slow);
	is_u64(slow.count, 0, "before the first event no rule is slow");
	event.data.write_close.path.text = STR("aaaaaaaab");
	for (int i = 0; i < EVENTS; i++)
		detect_event(d, &event);
	detector_slow_rules(d, &slow);
	is_u64(slow.count, SLOW_RULES_MAX, "as many slow rules are told as there is room for");
	for (uint32_t i = 0; i < slow.count; i++) {
		sum += slow.v[i].share;
		sorted &= i == 0 || slow.v[i - 1].seconds >= slow.v[i].seconds;
	}
	ok(str_eq(slow.v[0].name, STR("costly")) && slow.v[0].share > 0.5,
	   "a pattern that takes long makes its rule the slowest, not the one that asks for it: %.*s, %.2f",
	   STR_ARG(slow.v[0].name), slow.v[0].share);
	ok(sorted && sum <= 1.001, "the slowest first, no time is told twice: %.3f", sum);
	ok(slow.v[0].seconds > 0.99 * EVENTS * slow.v[0].event &&
		   slow.v[0].seconds < 1.01 * EVENTS * slow.v[0].event,
	   "the time of all events is that of one by their number");
	detector_free(d);
	ruleset_free(rs);
}

int main(void)
{
	test_costs();
	test_conditions();
	test_operands();
	test_verdicts();
	test_dependencies();
	test_vectors();
	test_limit();
	test_errors();
	test_selected_events();
	test_sleepers();
	return done_testing();
}
