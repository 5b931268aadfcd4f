/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rule files: documents, keys, templates, dependencies, and what is said of what is wrong with them. */
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detect/detect.h"
#include "detect/loader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct arena arena;
static struct problems problems;
static struct loader loader;

static void begin(void)
{
	loader_init(&loader, &arena, &problems);
}

static void end(void)
{
	loader_fini(&loader);
	problems_fini(&problems);
	arena_reset(&arena);
}

static void load(const char *text)
{
	begin();
	if (loader_add_rules(&loader, STR("f"), str_of(text)) || loader_link(&loader))
		abort();
}

static void print_problems(void)
{
	for (uint32_t i = 0; i < problems.count; i++)
		printf("# %s:%u:%u: %s\n", problems.v[i].file, problems.v[i].line, problems.v[i].column,
		       problems.v[i].text);
}

/* Exactly one problem, of this level, at this place, with this in its text. */
static void check_one(const char *text, enum problem_level level, uint32_t line, uint32_t column,
		      const char *part)
{
	load(text);
	const struct problem *p = problems.v;
	if (!ok(problems.count == 1 && p->level == level && p->line == line && p->column == column &&
			strstr(p->text, part),
		"%u:%u: %s", line, column, part))
		print_problems();
	end();
}

static const struct rule *only_rule(const char *text)
{
	load(text);
	if (problems.count || loader.count != 1) {
		print_problems();
		ok(false, "one rule without a problem: %s", text);
		exit(1);
	}
	return loader.rules;
}

static void test_document(void)
{
	const struct rule *r = only_rule("---\n"
					 "name: all.keys\n"
					 "type: filter\n"
					 "decision: exclude\n"
					 "meta:\n"
					 "  tags: ['b', a]\n"
					 "  attack: [t1059, T1059.004]\n"
					 "  authors: ['me']\n"
					 "  comments: [x]\n"
					 "params: {disable: false}\n"
					 "match-on:\n"
					 "  events:\n"
					 "    kunai: [execve, -clone, 60]\n"
					 "matches:\n"
					 "  $a: .data.ancestors == 'x'\n"
					 "condition: $a\n"
					 "severity: 11\n"
					 "actions: [kill, my-label]\n"
					 "---\n");
	ok(str_eq(r->name, STR("all.keys")) && r->type == RULE_FILTER && r->exclude, "name, type, decision");
	ok(r->tags.n == 2 && r->attack.n == 2 && r->actions.n == 2, "lists");
	is_str(r->attack.v[0].p, "T1059", "attack ids become upper case");
	ok(r->severity == 10, "severities over 10 mean 10");
	ok(r->events == (UINT64_C(1) << EVENT_execve | UINT64_C(1) << EVENT_connect), "events");
	end();
	r = only_rule("name: little\n");
	ok(r->type == RULE_DETECTION && !r->exclude && r->severity == 0 && r->events == UINT64_MAX,
	   "defaults");
	end();
	r = only_rule("name: nulls\nmeta:\nparams:\nmatches:\ncondition:\nactions: ~\nmatch-on:\n");
	ok(r->operand_count == 0, "keys without a value");
	end();
	load("---\n---\nname: a\n---\n---\nname: b\n---\n");
	ok(loader.count == 2 && problems.count == 0, "empty documents are skipped");
	end();
	load("name: off\nparams: {disable: true}\nmatches: {$a: nonsense}\ncondition: $$$\n");
	ok(loader.count == 0 && loader.disabled == 1 && problems.count == 0, "a disabled rule may be wrong");
	end();
	load("name: a\nmeta: {tags: &t [x, y]}\nactions: *t\n");
	ok(problems.count == 0 && loader.rules->actions.n == 2, "anchors and aliases");
	end();
}

static void test_events(void)
{
	const uint64_t execve = UINT64_C(1) << EVENT_execve, clone = UINT64_C(1) << EVENT_clone;
	const struct {
		const char *text;
		uint64_t want;
	} cases[] = {
		{"{}", UINT64_MAX},
		{"{kunai: []}", UINT64_MAX},
		{"{kunai: [execve]}", execve},
		{"{kunai: [1, 6]}", execve | clone},
		{"{kunai: [-execve]}", ~execve},
		{"{kunai: [--execve]}", ~execve},
		{"{kunai: [-1]}", ~execve},
		{"{kunai: [execve, clone, -clone]}", execve},
		{"{kunai: [execve, execve]}", execve},
		{"{other: [1]}", 0},
		{"{other: [-1]}", 0},
		{"{other: []}", UINT64_MAX},
		{"{other: [7], kunai: []}", 0},
		{"{other: [7], kunai: [execve]}", execve},
		{"{kunai: [4711, execve]}", execve},
		{"{kunai: [0]}", 0},
		{"{kunai: [-4711]}", UINT64_MAX},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf text = {0};
		buf_printf(&text, "name: a\nmatch-on: {events: %s}\n", cases[i].text);
		buf_add_char(&text, '\0');
		load(text.p);
		ok(problems.errors == 0 && loader.rules->events == cases[i].want, "match-on %s",
		   cases[i].text);
		end();
		buf_fini(&text);
	}
}

static void test_errors(void)
{
	static const struct {
		const char *text;
		uint32_t line, column;
		const char *part;
	} cases[] = {
		{"nam: x\nname: a\n", 1, 1, "rule 'a': unknown key 'nam'; did you mean 'name'?"},
		{"name: a\nlevel: 5\n", 2, 1, "unknown key 'level'"},
		{"name: a\nmeta: {tag: [x]}\n", 2, 8, "in meta; did you mean 'tags'?"},
		{"name: a\nparams: {filter: true}\n", 2, 10, "`type: filter`"},
		{"name: a\nmatch-on: {kunai: [1]}\n", 2, 12, "in match-on"},
		{"severity: 1\n", 1, 1, "expected the name of the rule"},
		{"name: 5\n", 1, 7, "name: expected a text"},
		{"- a\n", 1, 1, "expected a map of keys, found a list"},
		{"name: a\nname: b\n", 2, 1, "duplicate key 'name'"},
		{"name: a\nmatches:\n  $a: .info is some\n  $a: .info is some\n", 4, 3, "duplicate key '$a'"},
		{"name: a\ntype: Detection\n", 2, 7, "detection, filter or dependency"},
		{"name: a\ndecision: no\n", 2, 11, "include or exclude"},
		{"name: a\nseverity: 256\n", 2, 11, "0 to 10"},
		{"name: a\nseverity: -1\n", 2, 11, "0 to 10"},
		{"name: a\nseverity: high\n", 2, 11, "0 to 10"},
		{"name: a\nparams: {disable: 1}\n", 2, 19, "true or false"},
		{"name: a\nmeta: {tags: x}\n", 2, 14, "a list of texts"},
		{"name: a\nmeta: {tags: [1]}\n", 2, 15, "a text"},
		{"name: a\nmeta: {attack: [foo]}\n", 2, 16, "invalid attack id: foo"},
		{"name: a\nmatch-on: {events: {kunai: [exceve]}}\n", 2, 29, "did you mean 'execve'?"},
		{"name: a\nmatch-on: {events: {kunai: execve}}\n", 2, 28, "a list of events"},
		{"name: a\nmatch-on: {events: {other: [x]}}\n", 2, 29, "a number"},
		{"name: a\nmatches: {a: .info is some}\n", 2, 11, "try with '$a'"},
		{"name: a\nmatches: {$a: 5}\ncondition: $a\n", 2, 15, "an expression"},
		{"name: a\nmatches:\n  $a: .info.task.name != 'x'\ncondition: $a\n", 3, 23,
		 "$a: there is no !="},
		{"name: a\nmatches:\n  $a: \".info.task.name != 'x'\"\ncondition: $a\n", 3, 24,
		 "$a: there is no !="},
		{"name: a\nmatches:\n  $a: |\n    .info.task.name != 'x'\ncondition: $a\n", 3, 7,
		 "$a: there is no !="},
		{"name: a\nmatches: {$a: .info.task.pid > 1}\ncondition: $a an $b\n", 3, 15,
		 "condition: expected"},
		{"name: a\nmatches: {$a: rule(b)}\ncondition: $a\n", 2, 20, "unknown rule dependency 'b'"},
		{"name: abc\n---\nname: b\nmatches: {$a: rule(abd)}\ncondition: $a\n", 4, 20,
		 "did you mean 'abc'?"},
		{"name: a\n---\nname: a\n", 3, 1, "duplicate rule: one of this name is in f, line 1"},
		{"name: a\nmatches: {$a: rule(a)}\ncondition: $a\n", 2, 20, "depends on this one"},
		{"name: [\n", 2, 1, "not valid YAML"},
		{"name: a\x01\n", 1, 8, "not valid YAML"},
		{"name: *x\n", 1, 7, "no anchor"},
		{"name: a\nmeta: &m {tags: *m}\n", 2, 17, "stands in what it means"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_one(cases[i].text, PROBLEM_ERROR, cases[i].line, cases[i].column, cases[i].part);
}

static void test_warnings(void)
{
	static const struct {
		const char *text;
		uint32_t line, column;
		const char *part;
	} cases[] = {
		{"name: a\nmatches: {$a: .info.task.pid > 1}\ncondition: $b or $a\n", 3, 12, "$b could mean"},
		{"name: a\nmatches: {$a: .info.task.pid > 1}\ncondition: any of $c or $a\n", 3, 19,
		 "$c could mean"},
		{"name: a\nmatches:\n  $a: .info.task.pid > 1\n  $b: .info.task.pid > 1\ncondition: $a\n", 4,
		 24, "$b is never used"},
		{"name: a\nmatches: {$a: .info.tsk.name == 'x'}\ncondition: $a\n", 2, 34,
		 "did you mean .info.task.name?"},
		{"name: a\nmatch-on: {events: {kunai: [execve]}}\nmatches: {$a: .data.dst.ip == "
		 "'x'}\ncondition: $a\n",
		 3, 32, "only these have: connect, send_data"},
		{"name: a\nmatches: {$a: .info.task.zombie == 'x'}\ncondition: $a\n", 2, 37,
		 "is true or false there"},
		{"name: a\nmatches: {$a: .info.task.uid == 'root'}\ncondition: $a\n", 2, 34,
		 "is a number there"},
		{"name: a\nmatch-on: {events: {other: [1]}}\n", 1, 1, "leaves no event"},
		{"name: a\nmatches: {$a-b: .info.task.pid > 1}\ncondition: any of $a\n", 2, 11,
		 "no condition can name"},
		{"name: a\nmatches: {$a: '.info.task.name == \"{{x}}\"'}\ncondition: $a\n", 2, 16,
		 "no template {{x}}"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_one(cases[i].text, PROBLEM_WARNING, cases[i].line, cases[i].column, cases[i].part);
	check_one("name: a\nmatches: {$a: .info.task.pid > 1}\n", PROBLEM_WARNING, 1, 1, "no condition");
	end();
}

static void test_all_errors(void)
{
	load("name: a\nmatches: {$a: x, $b: '.a != 1'}\ncondition: $a and\n---\nname: b\nseverity: "
	     "x\n---\nname: [c]\n");
	ok(problems.errors == 5, "every error of a load is reported");
	end();
	load("name: a\nmatches: {$a: \".info.tsk.pid == @.info.task.pidd\", $b: '.a != 1'}\ncondition: $a "
	     "and\n");
	is_u64(problems.errors, 2, "a rule with two errors");
	is_u64(problems.count, 4, "  and two fields that no event has");
	end();
}

static void test_dependencies(void)
{
	load("name: user\nmatches: {$a: rule(later), $b: rule( first )}\ncondition: $a and $b\n---\nname: "
	     "first\n---\n"
	     "name: later\nmatches: {$a: rule(first)}\ncondition: $a\n");
	ok(problems.count == 0 && loader.rules[0].operands[0].rule == 2 &&
		   loader.rules[0].operands[1].rule == 1,
	   "dependencies are found wherever they stand");
	ok(loader.rules[0].depth == 2 && loader.rules[2].depth == 1 && loader.rules[1].depth == 0, "depths");
	end();
	load("name: a\nmatches: {$a: rule(b)}\ncondition: $a\n---\nname: b\nmatches: {$a: "
	     "rule(c)}\ncondition: $a\n---\n"
	     "name: c\nmatches: {$a: rule(a)}\ncondition: $a\n");
	ok(problems.errors == 1 && strstr(problems.v[0].text, "depends on this one"), "a circle of three");
	end();
}

static void test_chain(uint32_t length, bool good)
{
	struct buf text = {0};

	for (uint32_t i = 0; i < length; i++)
		buf_printf(&text, "---\nname: r%u\nmatches: {$a: rule(r%u)}\ncondition: $a\n", i, i + 1);
	buf_printf(&text, "---\nname: r%u\n", length);
	buf_add_char(&text, '\0');
	load(text.p);
	ok((problems.errors == 0) == good, "a chain of %u rules", length);
	end();
	buf_fini(&text);
}

static void test_templates(void)
{
	begin();
	loader_add_templates(&loader, STR("t"), STR("a: '[ab]+'\nb: 'x{{a}}x'\n---\nempty: ''\n"));
	loader_add_rules(
		&loader, STR("f"),
		STR("name: r\nmatches:\n  $a: .info.task.name ~= '{{b}}{{empty}}$'\ncondition: $a\n"));
	ok(problems.count == 0 &&
		   str_eq(loader.rules[0].operands[0].expression.literal.text, STR("x[ab]+x$")),
	   "templates, also in each other");
	end();
	begin();
	loader_add_templates(&loader, STR("t"), STR("a: x\n---\na: y\n"));
	ok(problems.errors == 1 && strstr(problems.v[0].text, "duplicate template name: a"),
	   "a double template");
	end();
	begin();
	loader_add_templates(&loader, STR("t"), STR("a: '{{b}}'\nb: '{{a}}'\n"));
	loader_add_rules(&loader, STR("f"), STR("name: r\nmatches: {$a: '{{a}}'}\n"));
	ok(problems.errors == 1 && strstr(problems.v[0].text, "in a circle"), "templates in a circle");
	end();
	begin();
	loader_add_templates(&loader, STR("t"),
			     STR("a: '{{b}}{{b}}'\nb: '{{c}}{{c}}'\nc: '{{d}}{{d}}'\nd: ''\n"));
	loader_add_rules(&loader, STR("f"),
			 STR("name: r\nmatches: {$a: '{{a}}.info is some'}\ncondition: $a\n"));
	ok(problems.count == 0, "empty templates");
	end();
	begin();
	loader_add_templates(&loader, STR("t"), STR("a: 5\n"));
	ok(problems.errors == 1, "a template that is no text");
	end();
}

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static void test_directory(void)
{
	static const char *const names[] = {"b.kun", "a.gene", "t.yaml", "t.yml", "c.txt", "d.kunai"};
	char directory[] = "/tmp/kunai-test-rules-XXXXXX", path[256];

	if (!mkdtemp(directory))
		abort();
	write_file(directory, "b.kun", "name: b\nmatches: {$a: '{{field}} is some'}\ncondition: $a\n");
	write_file(directory, "a.gene", "name: a\n");
	write_file(directory, "t.yaml", "field: .info\n");
	write_file(directory, "t.yml", "other: .info\n");
	write_file(directory, "c.txt", "name: never\n");
	write_file(directory, "d.kunai", "name: d\n");
	begin();
	ok(loader_add_path(&loader, directory) == 0 && loader_link(&loader) == 0 && problems.count == 0,
	   "a directory");
	ok(loader.count == 3 && str_eq(loader.rules[0].name, STR("a")) &&
		   str_eq(loader.rules[2].name, STR("d")),
	   "its rules in the order of the files' names");
	snprintf(path, sizeof(path), "%s/c.txt", directory);
	ok(loader_add_path(&loader, path) == 0 && loader.count == 4, "a file whatever its name");
	snprintf(path, sizeof(path), "%s/none", directory);
	ok(loader_add_path(&loader, path) == -ENOENT && problems.count == 0, "a path that is not there");
	end();
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	rmdir(directory);
}

/* Rules as people write them: templates, dependencies, groups, comments. */
static void test_real_rules(void)
{
	const char *const paths[] = {"tests/rules", "tests/rules/none"};
	struct ruleset *rs = NULL;

	int err = ruleset_load(paths, 2, PATHS_MAY_BE_MISSING, &problems, &rs);
	ok(err == 0 && problems.count == 1 && problems.warnings == 1 &&
		   strstr(problems.v[0].text, "no such file"),
	   "tests/rules loads without a problem but for the path that is not there");
	print_problems();
	if (rs) {
		struct ruleset_facts facts = ruleset_facts(rs);
		ok(facts.detections >= 150 && facts.filters >= 3 && facts.dependencies >= 10,
		   "%u detections, %u filters, "
		   "%u dependencies",
		   facts.detections, facts.filters, facts.dependencies);
	}
	ruleset_free(rs);
	problems_fini(&problems);
}

/* What would take an age in a careless reader. */
static void test_hostile(void)
{
	struct buf text = {0};

	for (int i = 0; i < 100000; i++)
		buf_add_char(&text, '[');
	buf_add_char(&text, '\0');
	load(text.p);
	ok(problems.errors >= 1, "brackets without end");
	end();
	buf_reset(&text);
	buf_add_str(&text, STR("name: a\nx0: &x0 {a: b}\n"));
	for (int i = 1; i < 60; i++)
		buf_printf(&text, "x%d: &x%d {a: *x%d, b: *x%d}\n", i, i, i - 1, i - 1);
	buf_add_char(&text, '\0');
	load(text.p);
	ok(problems.errors == 60, "aliases that double each time");
	end();
	buf_reset(&text);
	for (int i = 0; i < 5000; i++)
		buf_printf(
			&text,
			"---\nname: r%d\nmatches: {$a: .info.task.pid > 1, $b: rule(r%d)}\ncondition: $a\n",
			i, i);
	buf_add_char(&text, '\0');
	load(text.p);
	ok(problems.errors == 5000 && problems.dropped > 0 && problems.count == PROBLEMS_MAX,
	   "more problems than are kept are counted");
	end();
	buf_fini(&text);
}

int main(void)
{
	test_document();
	test_events();
	test_errors();
	test_warnings();
	test_all_errors();
	test_dependencies();
	test_chain(RULE_DEPENDENCY_MAX, true);
	test_chain(RULE_DEPENDENCY_MAX + 1, false);
	test_templates();
	test_directory();
	test_real_rules();
	test_hostile();
	arena_fini(&arena);
	return done_testing();
}
