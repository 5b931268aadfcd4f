/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "json/reader.h"
#include "text/template.h"
#include "tests/unit/tap.h"

static const char *cstring(struct buf *b)
{
	buf_add_char(b, '\0');
	b->len--;
	return b->p;
}

/* Every event that is printed has a summary, and each field in it exists. */
static void test_summaries(void)
{
	for (int i = 0; i < EVENT_COUNT; i++) {
		struct template t;
		if (!event_schemas[i].data || event_catalogue[i].name.len == 0)
			continue;
		bool internal = !event_catalogue[i].configurable && i != EVENT_error &&
				i != EVENT_event_loss && i != EVENT_start;
		if (internal)
			continue;
		const char *text = text_template((enum event_type)i);
		int err = text ? template_parse((enum event_type)i, text, &t) : -ENODATA;
		ok(err == 0, "%.*s: %s", STR_ARG(event_catalogue[i].name),
		   text ? strerror(-err) : "no summary");
	}
}

static void test_mistakes(void)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{"{.data.nothing}", -ENOENT}, {"{.data.path", -EINVAL},      {"{}", -EINVAL},
		{"{data.path}", -EINVAL},     {"{!.data.success}", -EINVAL}, {"{.data.path|x}", -EINVAL},
	};
	struct template t;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(template_parse(EVENT_file_unlink, cases[i].text, &t) == cases[i].err, "%s", cases[i].text);
	char many[TEMPLATE_STEPS_MAX * 3 + 4] = "";
	for (int i = 0; i <= TEMPLATE_STEPS_MAX; i++)
		strcat(many, "[]");
	ok(template_parse(EVENT_file_unlink, many, &t) == -E2BIG, "too many steps");
}

static void check_line(const char *json, bool colour, const char *want, const char *name)
{
	struct text_writer *w = text_writer_new(colour);
	struct json_problem problem = {0};
	struct arena a = {0};
	struct event e;
	struct buf out = {0};

	if (!ok(json_read_event(str_of(json), &a, &e, &problem) == 0, "%s %s", name, problem.message))
		goto out;
	text_write_event(w, &e, &out);
	is_str(cstring(&out), want, name);
out:
	buf_fini(&out);
	arena_fini(&a);
	text_writer_free(w);
}

#define INFO(event)                                                    \
	"\"info\":{\"event\":{\"name\":\"" event                       \
	"\"},\"task\":{\"name\":\"sh\",\"tgid\":7,\"user\":\"root\"}," \
	"\"utc_time\":\"2024-11-19T09:55:53.138247256Z\"}}"

static void test_lines(void)
{
	check_line("{\"data\":{\"path\":\"/a\\u001b[31mb\",\"success\":true}," INFO("file_unlink"), false,
		   "2024-11-19 09:55:53.138 file_unlink   sh(7) root /a\\x1b[31mb\n",
		   "no escape sequence comes through");
	check_line("{\"data\":{\"path\":\"/\\u202ecod.exe\",\"success\":false}," INFO("file_unlink"), false,
		   "2024-11-19 09:55:53.138 file_unlink   sh(7) root /\\xe2\\x80\\xaecod.exe  FAILED\n",
		   "nor what turns the direction; a failure is told");
	check_line("{\"data\":{\"socket\":{\"proto\":\"TCP\"},\"dst\":{\"ip\":\"1.2.3.4\",\"port\":443,"
		   "\"hostname\":\"?\"},\"connected\":true}," INFO("connect"),
		   false, "2024-11-19 09:55:53.138 connect       sh(7) root TCP 1.2.3.4 443\n",
		   "what is unknown is left out");
	check_line("{\"data\":{\"socket\":{\"proto\":\"TCP\"},\"dst\":{\"ip\":\"1.2.3.4\",\"port\":443,"
		   "\"hostname\":\"é.org\"},\"connected\":true}," INFO("connect"),
		   false, "2024-11-19 09:55:53.138 connect       sh(7) root TCP 1.2.3.4 443  é.org\n",
		   "what is known is not");
	check_line("{\"data\":{\"path\":\"/x\"}," INFO("file_create"), true,
		   "\033[90m2024-11-19 09:55:53.138 \033[0m\033[34mfile_create   \033[0msh(7) root /x\n",
		   "colours");
}

static void test_detection(void)
{
	struct text_writer *w = text_writer_new(false);
	const struct str rules[] = {STR("bad.one"), STR("two")};
	const struct obj_detection detection = {.rules = {rules, 2}, .severity = 7};
	struct arena a = {0};
	struct buf out = {0};
	struct event e;

	event_make(&e, EVENT_error, &a);
	e.data.error.message = STR("message");
	e.detection = &detection;
	text_write_event(w, &e, &out);
	ok(strstr(cstring(&out), "message  DETECTED severity 7 rules bad.one,two\n"), "a detection: %s",
	   out.p);
	buf_fini(&out);
	arena_fini(&a);
	text_writer_free(w);
}

static void test_long(void)
{
	struct buf out = {0};
	char *text = malloc(TEMPLATE_VALUE_MAX + 1);

	memset(text, 'x', TEMPLATE_VALUE_MAX + 1);
	template_write_text(&out, (struct str){text, TEMPLATE_VALUE_MAX});
	is_u64(out.len, TEMPLATE_VALUE_MAX, "as long as may be");
	buf_reset(&out);
	template_write_text(&out, (struct str){text, TEMPLATE_VALUE_MAX + 1});
	is_u64(out.len, TEMPLATE_VALUE_MAX + 3, "longer: cut");
	buf_fini(&out);
	free(text);
}

int main(void)
{
	setenv("TZ", "UTC0", 1);
	tzset();
	test_summaries();
	test_mistakes();
	test_lines();
	test_detection();
	test_long();
	return done_testing();
}
