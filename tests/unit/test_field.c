/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields by path: found where they are, read with the kinds that rules know. */
#include "tap.h"

#include <errno.h>

#include "event/field.h"
#include "tests/support/lookup.h"

static struct event event;

static struct value get(const char *path, char text[FIELD_TEXT_SIZE])
{
	struct field_ref ref;

	if (find_field(event.type, path, &ref) < 0) {
		ok(false, "no field %s", path);
		return (struct value){.kind = VALUE_NONE};
	}
	struct value value = field_get(&event, &ref, text);
	ok(field_value_kinds(&ref) >> value.kind & 1, "%s: a kind that was announced", path);
	return value;
}

static bool is_text(const char *path, const char *want)
{
	char text[FIELD_TEXT_SIZE];
	struct value v = get(path, text);

	return v.kind == VALUE_STR && str_eq(v.s, str_of(want));
}

static bool is_number(const char *path, uint64_t want)
{
	char text[FIELD_TEXT_SIZE];
	struct value v = get(path, text);

	return v.kind == VALUE_UINT && v.u == want;
}

static enum value_kind kind(const char *path)
{
	char text[FIELD_TEXT_SIZE];

	return get(path, text).kind;
}

static void test_info(void)
{
	event = (struct event){.type = EVENT_clone};
	event.info.task.name = STR("sh");
	event.info.task.pid = -1;
	event.info.task.tgid = 42;
	event.info.task.flags = 0x200000;
	event.info.utc_time = UINT64_C(1732010053138247256);
	memcpy(event.info.host.uuid.bytes, "\x3f\x0a\xe8\xb4\x8d\x5a\x4c\x0e\x9e\x4e\x0c\x6f\x2a\x5d\x1b\x11",
	       16);
	ok(is_text(".info.task.name", "sh"), "a string");
	ok(is_text(".info.parent_task.name", ""), "a string that nobody filled is empty");
	ok(kind(".info.task.pid") == VALUE_INT, "a negative number");
	ok(is_number(".info.task.tgid", 42), "a positive one of the same type");
	ok(is_number(".info.task.flags", 0x200000), "hexadecimal in JSON, a number in rules");
	ok(is_number(".info.utc_time", UINT64_C(1732010053138)), "a time is milliseconds");
	ok(kind(".info.task.zombie") == VALUE_BOOL, "a bool");
	ok(is_text(".info.host.uuid", "3f0ae8b4-8d5a-4c0e-9e4e-0c6f2a5d1b11"), "a UUID is text");
	ok(kind(".info") == VALUE_SOME && kind(".info.task") == VALUE_SOME, "an object is something");
}

static void test_options(void)
{
	const struct obj_container container = {.name = STR("box"), .type = {0}};

	event = (struct event){.type = EVENT_clone};
	ok(kind(".info.host.container") == VALUE_NONE && kind(".info.host.container.name") == VALUE_NONE &&
		   kind(".info.host.container.type") == VALUE_NONE,
	   "nothing leads through null");
	event.info.host.container = &container;
	ok(kind(".info.host.container") == VALUE_SOME, "an object that is there");
	ok(is_text(".info.host.container.name", "box"), "a field of it");
	ok(kind(".info.host.container.type") == VALUE_NONE, "a string that is null");
}

static void test_data(void)
{
	const struct str answers[] = {STR("1.2.3.4"), STR("::1")};
	char text[FIELD_TEXT_SIZE];

	event = (struct event){.type = EVENT_dns_query};
	event.data.dns_query.socket.type = STR("SOCK_DGRAM");
	event.data.dns_query.response = (struct strv){answers, 2};
	ok(is_text(".data.socket.type", "SOCK_DGRAM"), "JSON's spelling of type");
	ok(is_text(".data.socket.ty", "SOCK_DGRAM"), "Kunai's spelling");
	struct value v = get(".data.response", text);
	ok(v.kind == VALUE_STRV && v.v.n == 2 && str_eq(v.v.v[1], STR("::1")), "a vector");
	ok(kind(".data.truncated") == VALUE_NONE, "a mark that is absent");
	event.data.dns_query.truncated = true;
	ok(kind(".data.truncated") == VALUE_BOOL, "a mark that is there");

	event = (struct event){.type = EVENT_send_data};
	event.data.send_data.data_entropy = 7.5f;
	v = get(".data.data_entropy", text);
	ok(v.kind == VALUE_FLOAT && v.f == 7.5, "a float");

	event = (struct event){.type = EVENT_write_close};
	event.data.write_close.path.text = STR("/tmp/x");
	ok(is_text(".data.path", "/tmp/x"), "a path");
	ok(kind(".data.exe") == VALUE_SOME && is_text(".data.exe.path", ""),
	   "the fields that many events have");
}

static void test_unknown(void)
{
	static const char *const paths[] = {".data.pth",        ".data.path.x", ".x",
					    ".data.exe.path.y", ".info.tasks",  ".data.dst.ip"};
	struct field_ref ref;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		ok(find_field(EVENT_write_close, paths[i], &ref) == -ENOENT, "no field %s", paths[i]);
	ok(field_find(EVENT_write_close, NULL, 0, &ref) == -ENOENT, "no path at all");
}

static unsigned visited, lost;

static void visit(void *context, struct str path)
{
	enum event_type type = *(enum event_type *)context;
	char text[FIELD_PATH_MAX], out[FIELD_TEXT_SIZE];
	struct field_ref ref;

	snprintf(text, sizeof(text), "%.*s", STR_ARG(path));
	visited++;
	if (find_field(type, text, &ref) < 0 ||
	    !(field_value_kinds(&ref) >> field_get(&event, &ref, out).kind & 1))
		lost++;
}

/* Every field of every event: what is listed can be found, and an empty event can be read. */
static void test_all(void)
{
	for (int type = 0; type < EVENT_COUNT; type++) {
		enum event_type t = (enum event_type)type;
		event = (struct event){.type = t};
		field_each(t, visit, &t);
	}
	ok(visited > 500 && lost == 0, "%u fields, %u of them lost", visited, lost);
}

int main(void)
{
	test_info();
	test_options();
	test_data();
	test_unknown();
	test_all();
	return done_testing();
}
