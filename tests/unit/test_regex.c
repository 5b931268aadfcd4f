/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Regular expressions as Rust reads them: what is accepted, what is refused, what matches. */
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

#include "detect/regex.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct regex_matcher *matcher;

static int match(const char *pattern, struct str text)
{
	struct arena a = {0};
	struct syntax_error error;
	struct regex regex;

	int result = regex_init(&regex, str_of(pattern), &a, &error);
	if (result) {
		printf("# %.60s: %s\n", pattern, error.text);
	} else {
		result = regex_match(&regex, matcher, text);
		regex_fini(&regex);
	}
	arena_fini(&a);
	return result;
}

static const struct {
	const char *pattern;
	struct str text;
	int want;
} match_cases[] = {
	{"", STR(""), 1},
	{"b", STR("abc"), 1},
	{"^b", STR("abc"), 0},
	{"^a.c$", STR("abc"), 1},
	/* the end is the end, not before a last newline */
	{"a$", STR("a\n"), 0},
	{"a\\z", STR("a\n"), 0},
	{"(?m)a$", STR("a\nb"), 1},
	{"(?m)^b", STR("a\nb"), 1},
	{"(?m)^$", STR("a\n"), 1},
	{"(?m)a$", STR("a\r\n"), 0},
	{"(?mR)a$", STR("a\r\n"), 1},
	{"(?mR)^b", STR("a\rb"), 1},
	{"(?R)a.b", STR("a\rb"), 0},
	{"a.b", STR("a\rb"), 1},
	{"a.b", STR("a\nb"), 0},
	{"(?s)a.b", STR("a\nb"), 1},
	{"(?s:a.)b.", STR("a\nb\n"), 0},
	{"a.b",
	 STR("a\xc3\xa9"
	     "b"),
	 1},
	{"(?i)ABC", STR("xabcx"), 1},
	{"(?i)a(?-i)B", STR("Ab"), 0},
	{"(?i:a)B", STR("AB"), 1},
	{"(?i)k", STR("\xe2\x84\xaa"), 1},
	{"(?i)s", STR("\xc5\xbf"), 1},
	{"(?i)\xe2\x84\xaa", STR("K"), 1},
	{"(?i)[^k]", STR("kK"), 0},
	{"(?i-u)k", STR("\xe2\x84\xaa"), 0},
	{"(?i-u)k", STR("K"), 1},
	{"(?i)\xc3\xa9", STR("\xc3\x89"), 1},
	{"\xc3\xa9", STR("\xc3\x89"), 0},
	/* words and digits are Unicode's */
	{"^\\w+$", STR("caf\xc3\xa9"), 1},
	{"^\\w$", STR("_"), 1},
	{"^\\w$", STR("\xc2\xb2"), 0},     /* superscript two is No */
	{"^\\w$", STR("\xcc\x81"), 1},     /* a combining mark */
	{"^\\w$", STR("\xe2\x80\xbf"), 1}, /* connector punctuation */
	{"^\\d$", STR("\xd9\xa3"), 1},     /* Arabic three */
	{"(?-u)^\\d$", STR("\xd9\xa3"), 0},
	{"^\\s$", STR("\xc2\xa0"), 1},
	{"^\\s$", STR("\xe1\xa0\x8e"), 0}, /* U+180E is no blank any more */
	{"^\\S$", STR("\xc2\xa0"), 0},
	{"^\\W$", STR("-"), 1},
	{"^[\\W]$", STR("a"), 0},
	{"^[\\Wa]$", STR("a"), 1},
	{"^[^\\Wa]$", STR("a"), 0},
	{"^[^\\Wa]$", STR("b"), 1},
	{"\\bfoo\\b", STR("a foo b"), 1},
	{"\\bfoo\\b",
	 STR("\xc3\xa9"
	     "foo"),
	 0},
	{"(?-u:\\b)foo",
	 STR("\xc3\xa9"
	     "foo"),
	 1},
	{"\\Boo", STR("foo"), 1},
	{"\\<foo\\>", STR("a foo"), 1},
	{"\\b{start}foo", STR("foo"), 1},
	{"foo\\b{start}", STR("foo"), 0},
	{"foo\\b{end}", STR("foo-"), 1},
	{"foo\\b{end-half}", STR("foo"), 1},
	{"\\b{start-half}oo", STR("foo"), 0},
	{"\\b{2}a", STR("a"), 1},
	/* classes */
	{"^[]a]+$", STR("]a"), 1},
	{"^[^]a]$", STR("]"), 0},
	{"^[a\\]]+$", STR("]a"), 1},
	{"^[-a]+$", STR("-a"), 1},
	{"^[a-]+$", STR("-a"), 1},
	{"^[--a]+$", STR("-a"), 1},
	{"^[a-z&&[^b]]$", STR("b"), 0},
	{"^[a-z&&[^b]]$", STR("c"), 1},
	{"^[a-z--b]$", STR("b"), 0},
	{"^[a-z--b]$", STR("c"), 1},
	{"^[a-g~~b-h]$", STR("a"), 1},
	{"^[a-g~~b-h]$", STR("h"), 1},
	{"^[a-g~~b-h]$", STR("c"), 0},
	{"^[\\w&&[^a]]$", STR("\xc3\xa9"), 1},
	{"^[a&&b]$", STR("a"), 0},
	{"^[[:alpha:]_]+$", STR("a_"), 1},
	{"^[[:alpha:]]$", STR("\xc3\xa9"), 0},
	{"^[[:^alpha:]]$", STR("1"), 1},
	{"^[[:foo:]]$", STR("f"), 1}, /* not a class by name: a class in a class */
	{"^[x[^y]]$", STR("y"), 0},
	{"^[a-c&&b-d]$", STR("b"), 1},
	{"(?i)^[a-z&&[A-C]]$", STR("b"), 1},
	{"^[\xc3\xa0-\xc3\xbf]$", STR("\xc3\xa9"), 1},
	/* properties */
	{"^\\pL$", STR("\xc3\xa9"), 1},
	{"^\\p{Greek}$", STR("\xce\xb1"), 1},
	{"^\\p{Script=Greek}$", STR("a"), 0},
	{"^\\p{sc!=Greek}$", STR("a"), 1},
	{"^\\P{Greek}$", STR("a"), 1},
	{"^\\p{Lu}$", STR("A"), 1},
	{"^\\p{Uppercase_Letter}$", STR("a"), 0},
	{"^\\p{uppercase letter}$", STR("A"), 1},
	{"^\\p{gc:Nd}$", STR("5"), 1},
	{"^\\p{Alphabetic}$", STR("a"), 1},
	{"^\\p{Emoji}$", STR("\xf0\x9f\x98\x80"), 1},
	{"^\\p{Any}$", STR("\n"), 1},
	{"^[\\p{L}&&\\p{ASCII}]+$", STR("ab"), 1},
	{"^[\\p{L}&&\\p{ASCII}]+$", STR("\xc3\xa9"), 0},
	/* escapes */
	{"\\x41\\x{42}\\u0043\\u{44}\\U00000045", STR("ABCDE"), 1},
	{"\\x{1F600}", STR("\xf0\x9f\x98\x80"), 1},
	{"\\a\\f\\t\\n\\r\\v", STR("\a\f\t\n\r\v"), 1},
	{"\\.\\*\\/\\-\\_\\%\\ \\\"\\'\\@", STR(".*/-_% \"'@"), 1},
	{"]", STR("]"), 1},
	{"}", STR("}"), 1},
	{"a\\{", STR("a{"), 1},
	/* groups and repetitions */
	{"(a)(?:b)(?P<n>c)(?<m>d)", STR("abcd"), 1},
	{"(?<n_1.[x]>a)", STR("a"), 1},
	{"^(a|)$", STR(""), 1},
	{"^()*$", STR(""), 1},
	{"^a{2}$", STR("aa"), 1},
	{"^a{2,}$", STR("aaa"), 1},
	{"^a{1,2}$", STR("aaa"), 0},
	{"^a{ 1 , 2 }$", STR("aa"), 1},
	{"^a{2}{2}$", STR("aaaa"), 1},
	{"^a**$", STR("aaa"), 1},
	{"^a++$", STR("aaa"), 1},
	{"^a*?b$", STR("aab"), 1},
	{"(?U)^a*$", STR("aa"), 1},
	{"^*a", STR("a"), 1},
	{"(?x) a b # comment\n c", STR("abc"), 1},
	{"(?x)a b # no newline", STR("ab"), 1},
	{"(?x)[a b]", STR(" "), 0},
	{"(?x)a\\ b", STR("a b"), 1},
	{"(?x)\\x{ 4 1 }", STR("A"), 1},
	{"a(?i)b|C", STR("c"), 1},
	{"(a(?i)b)C", STR("aBc"), 0},
	{"/[^/]*/(sh|bash)(-[a-z0-9._]+)?$", STR("/usr/bin/bash"), 1},
	{"a\\x00b", STR("a\0b"), 1},
};

static void test_matches(void)
{
	for (size_t i = 0; i < COUNT(match_cases); i++)
		ok(match(match_cases[i].pattern, match_cases[i].text) == match_cases[i].want, "%zu: /%s/ %s",
		   i, match_cases[i].pattern, match_cases[i].want ? "matches" : "does not match");
}

static void test_refused(void)
{
	static const struct {
		const char *pattern;
		uint32_t offset;
		const char *part;
	} cases[] = {
		{"(?=a)", 0, "looking ahead"},
		{"(?!a)", 0, "looking ahead"},
		{"(?<=a)b", 0, "looking ahead"},
		{"(?<!a)b", 0, "looking ahead"},
		{"(a)\\1", 3, "back-references"},
		{"\\141", 0, "octal"},
		{"\\8", 0, "back-references"},
		{"\\h", 0, "\\h is not known"},
		{"\\Z", 0, "\\z"},
		{"\\Qa\\E", 0, "not known"},
		{"\\R", 0, "not known"},
		{"\\K", 0, "not known"},
		{"\\e", 0, "not known"},
		{"\\cA", 0, "not known"},
		{"\\o{101}", 0, "not known"},
		{"\\y", 0, "not known"},
		{"\\", 0, "at the end"},
		{"(?#comment)", 2, "flags"},
		{"(*UTF8)", 1, "nothing stands before"},
		{"*a", 0, "nothing stands before"},
		{"a|*", 2, "nothing stands before"},
		{"(?i)*", 4, "nothing stands before"},
		{"{2}", 0, "nothing stands before"},
		{"x{,3}", 2, "expected a number"},
		{"a{", 2, "expected a number"},
		{"a{x}", 2, "expected a number"},
		{"a{2", 1, "no closing }"},
		{"a{3,2}", 1, "larger than the second"},
		{"a{99999999999}", 2, "too large"},
		{"a{70000}", 1, "65535"},
		{"[a", 1, "no closing ]"},
		{"[]", 2, "no closing ]"},
		{"[[]", 3, "no closing ]"},
		{"[z-a]", 1, "comes before"},
		{"[a-\\d]", 1, "a range must"},
		{"[\\d-z]", 1, "a range must"},
		{"[\\b]", 1, "no meaning in brackets"},
		{"(a", 0, "no closing )"},
		{"a)", 1, "without its ("},
		{"(?P<1>a)", 4, "begins with a letter"},
		{"(?P<>a)", 4, "expected a name"},
		{"(?P<n>a)(?P<n>b)", 12, "two groups"},
		{"(?P=n)", 2, "flags"},
		{"(?)", 2, "expected flags"},
		{"(?ii)a", 2, "twice"},
		{"(?i-)a", 2, "without flags"},
		{"(?i--s)a", 2, "two -"},
		{"(?z)a", 2, "expected flags"},
		{"(?-u)[^a]", 5, "not UTF-8"},
		{"(?-u)\\W", 5, "not UTF-8"},
		{"(?-u).", 5, "not UTF-8"},
		{"(?-u)\\xff", 5, "only ASCII"},
		{"\\p{Foo}", 0, "Foo is not known"},
		{"\\p{Script=Foo}", 0, "is not known"},
		{"\\p{", 2, "no closing }"},
		{"\\x{110000}", 2, "no such character"},
		{"\\x{d800}", 2, "no such character"},
		{"\\x{}", 2, "expected a hexadecimal number"},
		{"\\xg", 2, "hexadecimal digit"},
		{"\\b{foo}", 2, "expected start"},
		{"\xc3\xa9{2", 2, "no closing }"},
		{"\\\xc3\xa9", 0, "not known"},
		{"((a{1000}){1000}){1000}", 0, "cannot be used"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct syntax_error error = {0};
		struct arena a = {0};
		struct regex regex;
		int err = regex_init(&regex, str_of(cases[i].pattern), &a, &error);
		bool good = err == -EINVAL && error.offset == cases[i].offset &&
			    strstr(error.text, cases[i].part);
		if (!good)
			printf("# %d at %u: %s\n", err, error.offset, error.text);
		if (err == 0)
			regex_fini(&regex);
		ok(good, "refused: %s", cases[i].pattern);
		arena_fini(&a);
	}
}

static int repeated(const char *before, const char *middle, const char *after, int n)
{
	struct buf text = {0};

	for (int i = 0; i < n; i++)
		buf_add_str(&text, str_of(before));
	buf_add_str(&text, str_of(middle));
	for (int i = 0; i < n; i++)
		buf_add_str(&text, str_of(after));
	buf_add_char(&text, '\0');
	int result = match(text.p, STR("a"));
	buf_fini(&text);
	return result;
}

static void test_bounds(void)
{
	ok(repeated("(", "a", ")", REGEX_DEPTH_MAX) == 1, "the deepest group");
	ok(repeated("(", "a", ")", REGEX_DEPTH_MAX + 1) == -EINVAL, "one too deep");
	ok(repeated("[", "a", "]", 100) == 1, "brackets in each other");
	ok(repeated("[", "a", "~~b]", 100) == -EINVAL, "a class that would double each time");
	ok(repeated("a", "a", "", REGEX_LENGTH_MAX - 1) == 0, "the longest");
	ok(repeated("a", "a", "", REGEX_LENGTH_MAX) == -EINVAL, "one byte more");
	ok(repeated("", "a", "*", REGEX_DEPTH_MAX) == 1, "repetitions of repetitions");
	ok(repeated("", "a", "{1}", REGEX_DEPTH_MAX) == 1, "repetitions by number");
	ok(repeated("", "a", "{2}", 5000) == -EINVAL, "too many of them");
}

/* It matches, but only after some tens of thousands of steps. */
static int match_slowly(void)
{
	return match("^(a|a)*b?c?$|^a{12}[ab]", STR("aaaaaaaaaaaabbb"));
}

static void test_budget(void)
{
	regex_matcher_begin(matcher);
	for (int i = 0; i < REGEX_EVENT_SEARCHES; i++)
		ok(match_slowly() == 1, "a slow search of an event");
	uint64_t before = regex_matcher_limits(matcher);
	ok(match_slowly() == -ELOOP && regex_matcher_limits(matcher) == before + 1,
	   "one too many is given up");
	ok(match("^a+b", STR("aaab")) == 1, "quick ones are not");
	regex_matcher_begin(matcher);
	ok(match_slowly() == 1, "the next event has its own");
}

static void test_limits(void)
{
	char text[64];
	uint64_t before = regex_matcher_limits(matcher);

	memset(text, 'a', sizeof(text));
	ok(match("^(a|a|aa)*$", (struct str){text, sizeof(text)}) == 1, "far from the limit");
	text[63] = 'b';
	ok(match("^(a|a|aa)*c?$", (struct str){text, sizeof(text)}) == -ELOOP, "a search that would not end");
	ok(regex_matcher_limits(matcher) == before + 1, "is counted");
	test_budget();
}

static void test_literals(void)
{
	static const struct {
		const char *pattern;
		const char *want; /* NULL: none */
	} cases[] = {
		{"abc", "abc"},        {"^abc$", "abc"},    {"a.*bcd", "bcd"}, {"ab(cd)ef", "abcdef"},
		{"ab(cd)?ef", "ab"},   {"(abc){2}", "abc"}, {"abc|d", NULL},   {"a(b|c)def", "def"},
		{"(?i)abc", NULL},     {"(?i)1.23", "23"},  {"[a]b", "ab"},    {"a*", NULL},
		{"x\xc3\xa9yz", "yz"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena a = {0};
		struct syntax_error error;
		struct regex regex;
		if (regex_init(&regex, str_of(cases[i].pattern), &a, &error))
			abort();
		is_str(regex.literal.p, cases[i].want, cases[i].pattern);
		regex_fini(&regex);
		arena_fini(&a);
	}
}

int main(void)
{
	matcher = regex_matcher_new();
	test_matches();
	test_refused();
	test_bounds();
	test_limits();
	test_literals();
	regex_matcher_free(matcher);
	return done_testing();
}
