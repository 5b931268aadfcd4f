/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IoC files, and the fields of events that are looked up. */
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detect/ioc.h"

#define UUID "\"uuid\":\"e7ebd40f-4e0b-4bcb-8a2a-3f5e1d7f5f6f\""

static char directory[] = "/tmp/kunai-test-XXXXXX";

static const char *write_file(const char *name, const char *text)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	fputs(text, file);
	fclose(file);
	return path;
}

static struct ioc_set *load(const char *text, struct problems *problems)
{
	struct ioc_set *set = ioc_set_new();
	const char *path = write_file("test.ioc", text);

	*problems = (struct problems){0};
	ok(ioc_load(set, path, problems) == 0, "a file is read");
	unlink(path);
	return set;
}

static void test_lines(void)
{
	static const struct {
		const char *line, *problem;
	} rows[] = {
		{"{\"source\":\"s\"," UUID ",\"value\":\"a\",\"severity\":3}", NULL},
		{"{\"source\":\"s\"," UUID
		 ",\"value\":\"a\",\"severity\":255,\"type\":\"md5\",\"event_uuid\":\"x\"}",
		 NULL},
		{"{\"value\":\"a\"}", NULL},
		{"", NULL},
		{"  \t", NULL},
		{"{\"value\":\"\"}", "an empty value or '?' would match whatever is unknown"},
		{"{\"value\":\"?\"}", "an empty value or '?' would match whatever is unknown"},
		{"{\"value\":7}", "no string 'value': expected {\"source\": ..., \"uuid\": ..., \"value\": "
				  "..., \"severity\": 0..10}"},
		{"[]", "no string 'value': expected {\"source\": ..., \"uuid\": ..., \"value\": ..., "
		       "\"severity\": 0..10}"},
		{"{\"value\":\"a\",\"uuid\":\"1-2\"}", "'uuid' is not a UUID"},
		{"{\"value\":\"a\",\"source\":1}", "'source' is not a string"},
		{"{\"value\":\"a\",\"severity\":256}", "'severity' is not a number from 0 to 255"},
		{"{\"value\":\"a\",\"severity\":-1}", "'severity' is not a number from 0 to 255"},
		{"{\"value\":\"a\",\"severity\":\"high\"}", "'severity' is not a number from 0 to 255"},
		{"{\"value\":\"a\"", "'}' expected near end of file"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct problems problems;
		char text[1024];
		snprintf(text, sizeof(text), "{\"value\":\"first\"}\n%s\n{\"value\":\"last\"}\n",
			 rows[i].line);
		struct ioc_set *set = load(text, &problems);
		bool good = strchr(rows[i].line, '{') && !rows[i].problem;
		is_u64(ioc_count(set), 2 + good, rows[i].line);
		is_u64(problems.count, rows[i].problem != NULL, "  problems");
		if (problems.count) {
			is_str(problems.v[0].text, rows[i].problem, "  what");
			is_u64(problems.v[0].line, 2, "  where");
		}
		problems_fini(&problems);
		ioc_set_free(set);
	}
}

static void test_bounds(void)
{
	struct problems problems = {0};
	struct ioc_set *set = ioc_set_new();
	char *text = calloc(1, 2 * IOC_VALUE_MAX + 256), *at = text;

	for (int over = 0; over < 2; over++) {
		at += sprintf(at, "{\"value\":\"");
		memset(at, 'v', IOC_VALUE_MAX + (size_t)over);
		at += IOC_VALUE_MAX + over;
		at += sprintf(at, "\"}\n");
	}
	const char *path = write_file("test.ioc", text);
	is_u64((uint64_t)-ioc_load(set, path, &problems), 0, "long values");
	is_u64(ioc_count(set), 1, "  4096 bytes and no more");
	is_u64(problems.count == 1 ? problems.v[0].line : 0, 2, "  the second one is too long");
	unlink(path);
	free(text);
	problems_fini(&problems);
	ioc_set_free(set);
}

/* More than is read at once, a line that is longer than a line may be, and a last one without an end. */
static void test_many(void)
{
	enum { LINES = 5003, LONG = (1 << 20) + 1 };
	struct problems problems = {0};
	size_t size = 0;
	char *text = NULL;
	FILE *file = open_memstream(&text, &size);

	for (int i = 0; i < LINES; i++)
		fprintf(file, "{\"value\":\"%d%*s\"}\n", i, i % 97 + 1, "v");
	fprintf(file, "%*s\n{\"value\":\"last\"}", LONG, "x");
	fclose(file);
	struct ioc_set *set = load(text, &problems);
	is_u64(ioc_count(set), LINES + 1, "lines of all lengths, and one without an end");
	is_u64(problems.count == 1 ? problems.v[0].line : 0, LINES + 1, "  one is too long");
	is_str(problems.count ? problems.v[0].text : "", "the line is longer than a megabyte",
	       "  and said so");
	problems_fini(&problems);
	ioc_set_free(set);
	free(text);
}

static void test_paths(void)
{
	struct problems problems = {0};
	struct ioc_set *set = ioc_set_new();

	unlink(write_file("z.txt", ""));
	write_file("b.ioc", "{\"value\":\"b\"}\n");
	write_file("a.ioc", "{\"value\":\"a\"}\n");
	const char *other = write_file("c.json", "{\"value\":\"c\"}\n");
	is_u64((uint64_t)-ioc_load(set, directory, &problems), 0, "a directory");
	is_u64(ioc_count(set), 2, "  its *.ioc files");
	is_u64((uint64_t)-ioc_load(set, other, &problems), 0, "a file of any name");
	is_u64(ioc_count(set), 3, "  is read");
	is_u64((uint64_t)-ioc_load(set, "/nonexistent", &problems), ENOENT, "no such path");
	is_u64(problems.count, 0, "  is the caller's to tell");
	unlink(other);
	unlink(write_file("a.ioc", ""));
	unlink(write_file("b.ioc", ""));
	ioc_set_free(set);
}

static uint32_t match(const struct ioc_set *set, const struct event *e, uint32_t *ret_severity)
{
	struct ioc_hit hits[8];
	uint32_t n = ioc_match(set, e, hits, 8);

	*ret_severity = 0;
	for (uint32_t i = 0; i < n; i++)
		*ret_severity += hits[i].severity;
	return n;
}

static void test_match(void)
{
	struct problems problems;
	struct ioc_set *set = load("{\"value\":\"evil.example\",\"severity\":3}\n"
				   "{\"value\":\"evil.example\",\"severity\":7}\n"
				   "{\"value\":\"evil.example\",\"severity\":5}\n"
				   "{\"value\":\"192.0.2.1\",\"severity\":2}\n"
				   "{\"value\":\"/bin/x\",\"severity\":1}\n",
				   &problems);
	struct str answers[] = {STR("192.0.2.1"), STR("192.0.2.2"), STR("192.0.2.1")};
	struct event e = {.type = EVENT_dns_query};
	uint32_t severity;

	e.data.dns_query.query = STR("evil.example");
	e.data.dns_query.response = (struct strv){answers, 3};
	is_u64(match(set, &e, &severity), 3, "a query and two of its answers");
	is_u64(severity, 7 + 2 + 2, "  the highest severity of a value counts");
	is_u64(ioc_match(set, &e, &(struct ioc_hit){{0}, 0}, 1), 1, "  no more than asked for");
	e.data.dns_query.query = STR("EVIL.example");
	e.data.dns_query.response = (struct strv){answers + 1, 1};
	is_u64(match(set, &e, &severity), 0, "letters' case counts");

	e = (struct event){.type = EVENT_connect};
	e.data.connect.common.exe.path = STR("/bin/x");
	is_u64(match(set, &e, &severity), 0, "connect: not its image");
	e.data.connect.dst.hostname = STR("evil.example");
	e.data.connect.dst.ip = STR("192.0.2.1");
	is_u64(match(set, &e, &severity), 2, "  name and address");
	e = (struct event){.type = EVENT_clone};
	e.data.clone.common.exe.path = STR("/bin/x");
	is_u64(match(set, &e, &severity), 1, "clone: its image");
	e = (struct event){.type = EVENT_execve};
	e.data.execve.parent_exe = STR("/bin/x");
	is_u64(match(set, &e, &severity), 1, "execve: its parent's image");
	struct obj_hashes interpreter = {.path = STR("/bin/x")};
	e.data.execve.interpreter = &interpreter;
	is_u64(match(set, &e, &severity), 2, "  and its interpreter");
	e = (struct event){.type = EVENT_start};
	is_u64(match(set, &e, &severity), 0, "start: nothing");
	problems_fini(&problems);
	ioc_set_free(set);
}

int main(void)
{
	if (!mkdtemp(directory))
		return 1;
	test_lines();
	test_bounds();
	test_many();
	test_paths();
	test_match();
	rmdir(directory);
	return done_testing();
}
