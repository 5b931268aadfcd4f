/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YARA rules: what is loaded, what is wrong with them, what matches. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yara.h>

#include "detect/yara_rules.h"
#include "tests/support/tree.h"
#include "tests/unit/tap.h"

enum { OPEN = 0644 };

static struct problems problems;

static void write_text(const char *name, const char *text)
{
	write_file(at("%s", name), text);
}

static struct yara_rules *load(const char *path)
{
	const char *paths[] = {path};
	struct yara_rules *rules = NULL;

	problems_fini(&problems);
	yara_rules_load(paths, 1, PATHS_MAY_BE_MISSING, &problems, &rules);
	return rules;
}

static bool has_problem(uint32_t line, const char *file, const char *text)
{
	for (uint32_t i = 0; i < problems.count; i++)
		if (problems.v[i].line == line && strstr(problems.v[i].file, file) &&
		    strcmp(problems.v[i].text, text) == 0)
			return true;
	for (uint32_t i = 0; i < problems.count; i++)
		printf("# %s:%u: %s\n", problems.v[i].file, problems.v[i].line, problems.v[i].text);
	return false;
}

/* The names that match, joined by spaces. */
static const char *match(struct yara_rules *rules, const char *path, const char *bytes)
{
	static char text[256];
	struct findings findings = {0};
	const struct content content = {
		.bytes = bytes,
		.len = strlen(bytes),
		.path = path,
		.magic = "ASCII text",
		.owner = 7,
		.timeout_s = 10,
	};
	void *matcher = yara_engine.matcher_new(rules);

	yara_engine.match(matcher, &content, &findings);
	text[0] = '\0';
	for (size_t n = 0; n < findings.size; n += strlen(findings.names + n) + 1) {
		strcat(text, n ? " " : "");
		strcat(text, findings.names + n);
	}
	strcat(text, findings.error);
	findings_fini(&findings);
	yara_engine.matcher_free(matcher);
	return text;
}

static void test_directory(void)
{
	mkdir(at("rules"), 0755);
	write_text("rules/a.yar", "rule a { strings: $s = \"attack\" condition: $s }\n"
				  "private rule hidden { condition: true }\n");
	write_text("rules/b.yara", "rule b { condition: a and hidden }\n");
	write_text("rules/c.txt", "no rule\n");
	struct yara_rules *rules = load(at("rules"));
	is_u64(yara_rules_count(rules), 3,
	       "the rules of a directory are loaded, files of other names left out");
	is_u64(problems.count, 0, "without a complaint");
	is_str(match(rules, "/x", "an attack"), "a b",
	       "rules of two files match, a private one is not named");
	is_str(match(rules, "/x", "all is quiet"), "", "and do not");
	yara_rules_release(rules);
}

static void test_externals(void)
{
	write_text("e.yar", "rule name { condition: filename == \"b.sh\" }\n"
			    "rule path { condition: filepath == \"/a/b.sh\" }\n"
			    "rule ending { condition: extension == \".sh\" }\n"
			    "rule type { condition: filetype contains \"ASCII\" }\n"
			    "rule whose { condition: owner == \"7\" }\n");
	struct yara_rules *rules = load(at("e.yar"));
	is_str(match(rules, "/a/b.sh", ""), "name path ending type whose", "externals tell of the file");
	is_str(match(rules, "/b/c", ""), "type whose", "of this file");
	yara_rules_release(rules);
}

static void test_errors(void)
{
	mkdir(at("bad"), 0755);
	write_text("bad/1.yar", "rule one { condition: true }\n"
				"rule two { condition: $x }\n"
				"rule three { condition: ( }\n");
	write_text("bad/2.yar", "rule four { condition: true }\nrule four { condition: true }\n");
	write_text("bad/3.yar", "import \"nothing\"\nrule five { strings: $s = /a(/ condition: $s }\n");
	ok(!load(at("bad")), "rules with errors are not loaded");
	is_u64(problems.errors, 5, "all errors of all files are told");
	ok(has_problem(2, "bad/1.yar", "rule 'two': undefined string \"$x\""), "with file, line and rule");
	ok(has_problem(3, "bad/1.yar", "rule 'three': syntax error"), "the next one of the same file");
	ok(has_problem(2, "bad/2.yar", "duplicated identifier \"four\""), "one of the next file");
	ok(has_problem(1, "bad/3.yar", "unknown module \"nothing\""), "a module that does not exist");
	ok(has_problem(2, "bad/3.yar", "rule 'five': invalid regular expression \"$s\": syntax error"),
	   "a regular expression");
	ok(!load(at("missing.yar")), "what does not exist is not loaded");
	is_u64(problems.errors, 0, "which is no error");
	is_u64(problems.warnings, 1, "but told");
	if (mkfifo(at("fifo.yar"), 0644) < 0)
		abort();
	ok(!load(at("fifo.yar")) &&
		   has_problem(0, "fifo.yar", "cannot read the YARA rules: it is no regular file"),
	   "a FIFO is refused, not waited for");
}

static void test_includes(void)
{
	mkdir(at("more"), 0755);
	write_text("more/inner.yar", "rule inner { condition: true }\n");
	write_text("outer.yar", "include \"more/inner.yar\"\nrule outer { condition: inner }\n");
	struct yara_rules *rules = load(at("outer.yar"));
	is_str(match(rules, "/x", "a"), "inner outer", "a file that another includes");
	yara_rules_release(rules);
	write_text("outer.yar", "rule first { condition: true }\ninclude \"none.yar\"\n");
	load(at("outer.yar"));
	ok(has_problem(2, "outer.yar", "callback failed to provide include resource: none.yar"),
	   "one that is not there");
	unlink(at("outer.yar"));
	unlink(at("more/inner.yar"));
	rmdir(at("more"));
}

static void test_same_name(void)
{
	mkdir(at("same"), 0755);
	write_text("same/1.yar", "rule a { condition: true }\n");
	write_text("same/2.yar", "rule a { condition: true }\n");
	ok(!load(at("same")), "all files share one name space");
	ok(has_problem(1, "same/2.yar", "duplicated identifier \"a\""), "which the second one breaks");
}

/* As yarac writes them. */
static void compile(const char *text, const char *path)
{
	YR_COMPILER *compiler;
	YR_RULES *rules;

	if (yr_compiler_create(&compiler) || yr_compiler_add_string(compiler, text, NULL) ||
	    yr_compiler_get_rules(compiler, &rules) || yr_rules_save(rules, path))
		abort();
	yr_rules_destroy(rules);
	yr_compiler_destroy(compiler);
	chmod(path, OPEN);
}

static void test_compiled(void)
{
	mkdir(at("mixed"), 0755);
	compile("rule compiled { strings: $s = \"attack\" condition: $s }", at("mixed/1.yarc"));
	write_text("mixed/2.yar", "rule source { strings: $s = \"attack\" condition: $s }\n");
	struct yara_rules *rules = load(at("mixed"));
	is_u64(yara_rules_count(rules), 2, "compiled rules and sources");
	is_str(match(rules, "/x", "an attack"), "source compiled", "match both");
	yara_rules_release(rules);

	chmod(at("mixed/1.yarc"), 0666);
	ok(!load(at("mixed")) && problems.errors == 1, "compiled rules that anybody can write are refused");
	chmod(at("mixed/1.yarc"), OPEN);
	if (truncate(at("mixed/1.yarc"), 100) < 0)
		abort();
	ok(!load(at("mixed")) && has_problem(0, "1.yarc", "the compiled rules are damaged"),
	   "and damaged ones");
}

static void test_bad_files(void)
{
	char name[32];

	mkdir(at("many"), 0755);
	for (int i = 0; i < YARA_BAD_FILES_MAX + 3; i++) {
		snprintf(name, sizeof(name), "many/%02d.yar", i);
		write_text(name, "rule {\n");
	}
	ok(!load(at("many")), "many bad files");
	is_u64(problems.errors, YARA_BAD_FILES_MAX + 1,
	       "a bounded number of them is read, and one line says so");
}

static void test_limits(void)
{
	struct buf text = {0};
	struct findings findings = {0};
	struct content content = {.bytes = "x", .len = 1, .path = "/x", .magic = "", .timeout_s = 10};

	for (int i = 0; i < YARA_MATCHES_MAX + 1; i++)
		buf_printf(&text, "rule r%d { condition: true }\n", i);
	write_bytes(at("limit.yar"), text.p, text.len);
	buf_fini(&text);
	struct yara_rules *rules = load(at("limit.yar"));
	void *matcher = yara_engine.matcher_new(rules);
	yara_engine.match(matcher, &content, &findings);
	is_u64(findings.count, YARA_MATCHES_MAX, "names are bounded");
	is_str(findings.error, "more than 1024 rules match", "which is told");
	findings_fini(&findings);
	yara_engine.matcher_free(matcher);
	yara_rules_release(rules);
}

static void test_timeout(void)
{
	size_t len = 8 << 20;
	char *bytes = malloc(len);
	struct findings findings = {0};
	struct content content = {.bytes = bytes, .len = len, .path = "/x", .magic = "", .timeout_s = 1};

	memset(bytes, 'a', len);
	write_text("slow.yar",
		   "rule slow { condition: for all i in (0..1000000000) : ( uint8(i % 100) != 1 ) }\n");
	struct yara_rules *rules = load(at("slow.yar"));
	void *matcher = yara_engine.matcher_new(rules);
	yara_engine.match(matcher, &content, &findings);
	ok(findings.timed_out, "a scan that takes too long is given up");
	is_str(findings.error, "the scan took longer than 1 s and was given up", "which is told");
	findings_fini(&findings);

	content.len = 1;
	yara_engine.match(matcher, &content, &findings);
	findings_fini(&findings);
	ok(true, "and the matcher can be used again");
	yara_engine.matcher_free(matcher);
	yara_rules_release(rules);
	free(bytes);
}

int main(void)
{
	tree_make();
	test_directory();
	test_externals();
	test_errors();
	test_includes();
	test_same_name();
	test_compiled();
	test_bad_files();
	test_limits();
	test_timeout();
	problems_fini(&problems);
	tree_remove();
	return done_testing();
}
