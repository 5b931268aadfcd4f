/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Made-up rules over the golden events and changed copies of them: the compiled engine, with and without its databases,
 * says what the one that goes through all rules says. KUNAI_TEST_SEED and KUNAI_TEST_ROUNDS repeat or prolong it.
 */
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "detect/detect.h"
#include "detect/regex.h"
#include "event/field.h"
#include "json/reader.h"
#include "json/writer.h"
#include "tests/support/lookup.h"

enum {
	ROUNDS = 30,
	RULES = 40,
	OPERANDS_MAX = 5,
	EVENTS_MAX = 4096,
	PATHS_MAX = 4096,
	TEXTS_MAX = 16384,
	CHANGES = 3,
};

static struct event events[EVENTS_MAX];
static uint32_t event_count;
static char *paths[PATHS_MAX];
static uint32_t path_count;
static struct str texts[TEXTS_MAX]; /* what stands in the events */
static uint32_t text_count;
static struct arena arena;
static uint64_t random_state;

static uint32_t any(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % n;
}

static bool chance(uint32_t percent)
{
	return any(100) < percent;
}

/* ---- events ---- */

static void add_path(void *context, struct str path)
{
	(void)context;
	for (uint32_t i = 0; i < path_count; i++) {
		if (str_eq(str_of(paths[i]), path))
			return;
	}
	if (path_count < PATHS_MAX)
		paths[path_count++] = strndup(path.p, path.len);
}

static bool is_plain(struct str s)
{
	for (uint32_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f || c == '\'' || c == '"')
			return false;
	}
	return s.len > 0 && s.len < 64;
}

static void add_text(struct str s)
{
	if (is_plain(s) && text_count < TEXTS_MAX)
		texts[text_count++] = s;
}

static void collect_texts(const struct event *e)
{
	char text[FIELD_TEXT_SIZE];
	struct field_ref ref;

	for (uint32_t i = 0; i < path_count; i++) {
		if (find_field(e->type, paths[i], &ref) < 0)
			continue;
		struct value v = field_get(e, &ref, text);
		if (v.kind == VALUE_STR && v.s.p != text)
			add_text(v.s);
		for (uint32_t k = 0; v.kind == VALUE_STRV && k < v.v.n; k++)
			add_text(v.v.v[k]);
	}
}

static void read_events(void)
{
	FILE *f = fopen("tests/golden/expected.jsonl", "re");
	struct json_problem problem;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while (f && event_count < EVENTS_MAX / (CHANGES + 1) && (n = getline(&line, &size, f)) > 0) {
		if (json_read_event(arena_str(&arena, (struct str){line, (uint32_t)n}), &arena,
				    &events[event_count], &problem) == 0)
			event_count++;
	}
	free(line);
	if (f)
		fclose(f);
}

/* A string of the event becomes another one: of another event, cut, empty, or with characters put in. */
static struct str changed(struct str s)
{
	static const char *const inserts[] = {"\xc3\xa9",         "\n", " ", "\xe2\x84\xaa",
					      "\xf0\x9f\x98\x80", "_",  "K", "\r"};
	struct str insert = str_of(inserts[any(8)]);
	uint32_t at = any(s.len + 1);

	if (chance(20))
		return texts[any(text_count)];
	if (chance(10))
		return STR("");
	while (at < s.len && ((unsigned char)s.p[at] & 0xc0) == 0x80)
		at++;
	if (chance(20))
		return (struct str){s.p, at};
	return arena_printf(&arena, "%.*s%.*s%.*s", (int)at, s.p, STR_ARG(insert), (int)(s.len - at),
			    s.p + at);
}

static void change_event(struct event *e)
{
	for (int i = 0; i < 4; i++) {
		struct field_ref ref;
		if (find_field(e->type, paths[any(path_count)], &ref) < 0 || ref.hops)
			continue;
		char *at = (char *)e + ref.offset[0];
		if (ref.kind == KIND_STR)
			*(struct str *)at = changed(*(struct str *)at);
		else if (ref.kind == KIND_PATH)
			((struct path *)at)->text = changed(((struct path *)at)->text);
		else if (ref.kind == KIND_U32)
			*(uint32_t *)at = any(10);
		else if (ref.kind == KIND_I32)
			*(int32_t *)at = (int32_t)any(10) - 5;
		else if (ref.kind == KIND_U64 || ref.kind == KIND_HEX)
			*(uint64_t *)at ^= 1u << any(8);
	}
}

static void make_events(void)
{
	for (int type = 0; type < EVENT_COUNT; type++)
		field_each((enum event_type)type, add_path, NULL);
	read_events();
	for (uint32_t i = 0; i < event_count; i++)
		collect_texts(&events[i]);
	uint32_t golden = event_count;
	for (uint32_t i = 0; i < golden * CHANGES; i++) {
		events[event_count] = events[any(golden)];
		/* most of it is in the event itself: a copy can be changed */
		change_event(&events[event_count++]);
	}
}

/* ---- rules ---- */

static void add_escaped(struct buf *out, struct str s)
{
	for (uint32_t i = 0; i < s.len; i++) {
		if (strchr("\\.+*?()|[]{}^$#&-~", s.p[i]))
			buf_add_char(out, '\\');
		buf_add_char(out, s.p[i]);
	}
}

static void add_piece(struct buf *out)
{
	struct str s = texts[any(text_count)];
	uint32_t from = any(s.len), len = 1 + any(6);

	while (from < s.len && ((unsigned char)s.p[from] & 0xc0) == 0x80)
		from++;
	while (from + len < s.len && ((unsigned char)s.p[from + len] & 0xc0) == 0x80)
		len++;
	if (from + len > s.len)
		len = s.len - from;
	add_escaped(out, (struct str){s.p + from, len});
}

static void add_regex(struct buf *out, int depth)
{
	static const char *const atoms[] = {
		".",       ".*",          "[^/]*",      "\\w",        "\\w+",
		"\\d",     "\\s?",        "\\b",        "\\B",        "[a-z&&[^b]]",
		"\\W",     "\\S+",        "(?m:^)",     "(?m:$)",     "\xc3\xa9",
		"\\x{e9}", "\\p{L}",      "(?-u:\\w)",  "\\b{start}", "\\b{end}",
		"[^a]",    "[[:alpha:]]", "(?s:.)",     "",           "[\xc3\xa0-\xc3\xbf]",
		"\\PL",    "(?i:k)",      "[a-c~~b-d]", "^",          "$",
		"(?:)",
	};

	for (uint32_t n = 1 + any(4); n > 0; n--) {
		if (chance(55)) {
			add_piece(out);
		} else if (depth < 3 && chance(30)) {
			static const char *const opens[] = {"(", "(?:", "(?i:", "(?s:"};
			buf_add_str(out, str_of(opens[any(4)]));
			add_regex(out, depth + 1);
			if (chance(50)) {
				buf_add_char(out, '|');
				add_regex(out, depth + 1);
			}
			buf_add_char(out, ')');
			if (chance(30)) {
				static const char *const counts[] = {"?", "{1,2}", "{2}", "{0,3}", "*"};
				buf_add_str(out, str_of(counts[any(5)]));
			}
		} else {
			buf_add_str(out, str_of(atoms[any(sizeof(atoms) / sizeof(*atoms))]));
		}
	}
}

static bool is_regex(struct str pattern)
{
	struct syntax_error error;
	struct arena a = {0};
	struct regex regex;

	bool good = regex_init(&regex, pattern, &a, &error) == 0;
	if (good)
		regex_fini(&regex);
	arena_fini(&a);
	return good && utf8_valid_prefix(pattern.p, pattern.len) == pattern.len;
}

static void add_match(struct buf *out)
{
	struct buf pattern = {0};

	do {
		buf_reset(&pattern);
		if (chance(30))
			buf_add_char(&pattern, '^');
		add_regex(&pattern, 0);
		if (chance(30))
			buf_add_char(&pattern, '$');
	} while (!is_regex(buf_str(&pattern)));
	buf_printf(out, " ~= '%.*s'", STR_ARG(buf_str(&pattern)));
	buf_fini(&pattern);
}

static void add_value(struct buf *out)
{
	static const char *const others[] = {" is none", " is some",   " is true",       " is false",
					     " == 0",    " > 3",       " >= '7.5'",      " < -1",
					     " &= 0x3",  " == '1000'", " <= 4026531840", " == 1.0"};
	struct str text = texts[any(text_count)];
	uint32_t kind = any(100);

	if (kind < 45)
		add_match(out);
	else if (kind < 75)
		buf_printf(out, " == '%.*s'", STR_ARG(text));
	else if (kind < 80)
		buf_printf(out, " == @%s", paths[any(path_count)]);
	else
		buf_add_str(out, str_of(others[any(12)]));
}

/* A few fields are asked for much more than all others, as in real rules. */
static const char *any_path(void)
{
	static const char *const popular[] = {".data.exe.path", ".data.command_line", ".data.ancestors",
					      ".data.path",     ".info.task.name",    ".data.response",
					      ".data.dst.ip",   ".info.event.name"};

	return chance(75) ? popular[any(8)] : paths[any(path_count)];
}

static void add_condition(struct buf *out, int depth)
{
	static const char *const groups[] = {"all of", "any of", "none of", "2 of"};

	for (uint32_t n = 1 + any(3); n > 0; n--) {
		if (chance(20))
			buf_add_str(out, STR("not "));
		if (depth < 3 && chance(25)) {
			buf_add_char(out, '(');
			add_condition(out, depth + 1);
			buf_add_char(out, ')');
		} else if (chance(15)) {
			buf_printf(out, "%s %s", groups[any(4)], chance(50) ? "them" : "$a");
		} else {
			uint32_t i = any(OPERANDS_MAX);
			/* now and then one that is missing */
			buf_printf(out, "$%c%u", chance(2) ? 'x' : 'a' + i % 2, i);
		}
		if (n > 1)
			buf_add_str(out, chance(60) ? STR(" and ") : STR(" or "));
	}
}

static void add_rule(struct buf *out, uint32_t number)
{
	static const char *const types[] = {"detection", "detection", "filter", "dependency"};

	buf_printf(out, "---\nname: r%u\ntype: %s\nseverity: %u\n", number, types[any(4)], any(4));
	if (any(RULES * 4) == 0)
		buf_add_str(out, STR("decision: exclude\n"));
	buf_printf(out, "meta: {tags: [t%u, t%u], attack: [T%u]}\nactions: [a%u]\n", any(9), any(9), any(9),
		   any(9));
	if (chance(40))
		buf_printf(out, "match-on: {events: {kunai: [%s%u, %u]}}\n", chance(20) ? "-" : "",
			   event_catalogue[events[any(event_count)].type].id,
			   event_catalogue[events[any(event_count)].type].id);
	buf_add_str(out, STR("matches:\n"));
	for (uint32_t i = 0; i < OPERANDS_MAX; i++) {
		buf_printf(out, "  $%c%u: |-\n    ", 'a' + i % 2, i);
		if (number && chance(12))
			buf_printf(out, "rule(r%u)", any(number));
		else {
			buf_add_str(out, str_of(any_path()));
			add_value(out);
		}
		buf_add_char(out, '\n');
	}
	buf_add_str(out, STR("condition: "));
	if (chance(50))
		buf_add_str(out, STR("$a0"));
	else
		add_condition(out, 0);
	buf_add_char(out, '\n');
}

/* ---- comparing ---- */

static struct json_writer *writer;

/* The part of the line before info holds all that a verdict says. */
static void write_verdict(struct event *e, struct verdict verdict, struct buf *out)
{
	buf_reset(out);
	e->detection = verdict.detection;
	e->filter = verdict.filter;
	json_write_event(writer, e, out);
	e->detection = NULL;
	e->filter = NULL;
}

struct totals {
	uint64_t verdicts, compared, confirmed, slow, candidates, different;
};

static void print_difference(struct event *e, const struct buf *text, const char *which,
			     const struct buf *got, const struct buf *want)
{
	printf("# %s, event %u\n# got  %.*s# want %.*s", which, (unsigned)(e - events), STR_ARG(buf_str(got)),
	       STR_ARG(buf_str(want)));
	char directory[] = "/tmp/kunai-test-detect-random.XXXXXX", path[64];
	if (!mkdtemp(directory))
		return;
	snprintf(path, sizeof(path), "%s/rules.kun", directory);
	FILE *f = fopen(path, "we");
	if (f) {
		fwrite(text->p, 1, text->len, f);
		fclose(f);
		printf("# its rules are in %s\n", path);
	}
}

static void compare(struct detector *d, struct event *e, const struct buf *text, const char *which,
		    struct totals *t)
{
	struct buf fast = {0}, slow = {0};
	uint64_t limits = detector_counters(d).regex_limits;

	write_verdict(e, detect_event(d, e), &fast);
	struct verdict verdict = detect_event_slowly(d, e);
	t->verdicts += verdict.detection || verdict.filter;
	write_verdict(e, verdict, &slow);
	t->compared++;
	/* a search that was given up is where the two may differ */
	if (detector_counters(d).regex_limits == limits && !str_eq(buf_str(&fast), buf_str(&slow))) {
		if (t->different++ == 0)
			print_difference(e, text, which, &fast, &slow);
	}
	buf_fini(&fast);
	buf_fini(&slow);
}

static struct ruleset *older; /* of the round before */

static void run_round(struct totals *t)
{
	struct problems problems = {0};
	struct ruleset *rs = NULL;
	struct buf text = {0};

	for (uint32_t i = 0; i < RULES; i++)
		add_rule(&text, i);
	const struct rule_text rules = {STR("random"), buf_str(&text)};
	if (ruleset_load_text(&rules, NULL, &problems, &rs)) {
		for (uint32_t i = 0; i < problems.count; i++)
			if (problems.v[i].level == PROBLEM_ERROR)
				printf("# %u:%u: %s\n", problems.v[i].line, problems.v[i].column,
				       problems.v[i].text);
		printf("Bail out! the generator makes rules that are none\n");
		exit(1);
	}
	struct detector *d = detector_new(rs);
	for (uint32_t i = 0; i < 50; i++)
		compare(d, &events[any(event_count)], &text, "without databases", t);
	if (older && ruleset_adopt(rs, older) == 0) {
		for (uint32_t i = 0; i < 50; i++)
			compare(d, &events[any(event_count)], &text, "with databases of older rules", t);
	}
	ruleset_compile(rs, NULL);
	for (uint32_t i = 0; i < event_count; i++)
		compare(d, &events[i], &text, "with databases", t);
	struct detector_counters c = detector_counters(d);
	t->confirmed += c.confirmed;
	t->slow += c.slow;
	t->candidates += c.candidates;
	if (c.regex_failures)
		t->different++;
	detector_free(d);
	ruleset_free(older);
	older = rs;
	problems_fini(&problems);
	buf_fini(&text);
}

int main(void)
{
	const char *seed = getenv("KUNAI_TEST_SEED"), *rounds = getenv("KUNAI_TEST_ROUNDS");
	bool slow = getenv("KUNAI_TEST_SLOW") != NULL;
	uint32_t n = rounds ? (uint32_t)atoi(rounds) : slow ? 3 : ROUNDS;
	struct totals t = {0};

	random_state = seed ? strtoull(seed, NULL, 0) : UINT64_C(0x2545f4914f6cdd1d);
	writer = json_writer_new();
	make_events();
	ok(event_count > 200 && path_count > 100 && text_count > 200, "%u events, %u fields, %u texts",
	   event_count, path_count, text_count);
	for (uint32_t i = 0; i < n; i++)
		run_round(&t);
	ruleset_free(older);
	ok(t.different == 0, "%" PRIu64 " of %" PRIu64 " verdicts differ", t.different, t.compared);
	ok(t.verdicts > t.compared / 20, "%" PRIu64 " of the events led to something", t.verdicts);
	ok(t.confirmed > 100 || slow, "%" PRIu64 " hits were confirmed, %" PRIu64 " patterns tried alone",
	   t.confirmed, t.slow);
	for (uint32_t i = 0; i < path_count; i++)
		free(paths[i]);
	json_writer_free(writer);
	arena_fini(&arena);
	return done_testing();
}
