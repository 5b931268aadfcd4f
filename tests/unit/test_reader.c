/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the writer writes, the reader reads; and the logs of others. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "json/reader.h"
#include "json/stream.h"
#include "json/writer.h"
#include "tests/unit/tap.h"

static const char *cstring(struct arena *a, struct str s)
{
	return arena_str(a, s).p;
}

/* Every golden line: all fields of all events. */
static void test_round_trip(void)
{
	struct json_stream *stream;
	struct json_writer *writer = json_writer_new();
	struct json_text text;
	struct arena arena = {0};
	struct buf out = {0};
	uint32_t lines = 0, same = 0;

	if (!ok(json_stream_open("tests/golden/expected.jsonl", &stream) == 0, "the golden lines"))
		return;
	while (json_stream_next(stream, &text) == 1) {
		struct event event;
		struct json_problem problem;
		lines++;
		arena_reset(&arena);
		buf_reset(&out);
		if (json_read_event(text.text, &arena, &event, &problem) < 0) {
			printf("# line %u: %s\n", lines, problem.message);
			continue;
		}
		json_write_event(writer, &event, &out);
		bool equal =
			text.line == lines && str_eq((struct str){out.p, (uint32_t)out.len - 1}, text.text);
		if (!equal)
			printf("# got  %.*s# want %.*s\n", STR_ARG(buf_str(&out)), STR_ARG(text.text));
		same += equal;
	}
	ok(lines > 50, "  are many");
	is_u64(same, lines, "  are written again as they were");
	json_stream_close(stream);
	json_writer_free(writer);
	buf_fini(&out);
	arena_fini(&arena);
}

static int read_one(struct arena *a, const char *json, struct event *ret, struct json_problem *ret_problem)
{
	ret_problem->message[0] = '\0';
	return json_read_event(str_of(json), a, ret, ret_problem);
}

static void test_other_versions(void)
{
	struct arena a = {0};
	struct json_problem problem;
	struct event e;

	is_u64((uint64_t)-read_one(
		       &a,
		       "{\"data\":{\"exe\":\"/bin/ls\",\"response\":\"1.2.3.4;5.6.7.8\"},"
		       "\"info\":{\"event\":{\"name\":\"dns_query\",\"id\":61}},\"detection\":{}}",
		       &e, &problem),
	       0, "an old dns_query");
	is_str(cstring(&a, e.data.dns_query.common.exe.path), "/bin/ls", "  exe as a string");
	is_u64(e.data.dns_query.response.n, 2, "  answers joined by ;");
	is_str(cstring(&a, e.data.dns_query.response.v[1]), "5.6.7.8", "  the second one");
	is_str(cstring(&a, e.data.dns_query.query), "", "  what is missing is empty");
	read_one(&a, "{\"data\":{\"exe\":{\"file\":\"/x\"}},\"info\":{\"event\":{\"name\":\"execve\"}}}", &e,
		 &problem);
	is_str(cstring(&a, e.data.execve.exe.path), "/x", "exe.file");
	ok(e.data.execve.interpreter == NULL && e.info.host.container == NULL, "no optional objects");
	read_one(&a,
		 "{\"info\":{\"event\":{\"name\":\"clone\"},\"utc_time\":\"2024-11-19T09:55:53.5Z\","
		 "\"task\":{\"pid\":-1,\"flags\":\"0x400000\"}},\"data\":{\"flags\":7}}",
		 &e, &problem);
	is_u64(e.info.utc_time, 1732010153500000000, "a time with one digit");
	ok(e.info.task.pid == -1 && e.info.task.flags == 0x400000 && e.data.clone.flags == 7, "numbers");
	arena_fini(&a);
}

static void test_problems(void)
{
	static const struct {
		const char *json, *message;
		uint32_t line;
	} rows[] = {
		{"{\"info\":{}}", "no .info.event.name: not an event", 1},
		{"{\"info\":{\"event\":{\"name\":\"nonsense\"}}}", "unknown event 'nonsense'", 1},
		{"[1]", "no .info.event.name: not an event", 1},
		{"{\n\n\"a\" 1}", "':' expected near '1'", 3},
	};
	struct arena a = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct json_problem problem;
		struct event e;
		is_u64((uint64_t)-read_one(&a, rows[i].json, &e, &problem), EBADMSG, rows[i].json);
		is_str(problem.message, rows[i].message, "  message");
		is_u64(problem.line, rows[i].line, "  line");
	}
	arena_fini(&a);
}

/* "line:text" of each value, "!" for broken ones. */
static void show_stream(const char *path, struct buf *out)
{
	struct json_stream *stream;
	struct json_text text;
	int n;

	buf_reset(out);
	if (json_stream_open(path, &stream) < 0)
		return;
	while ((n = json_stream_next(stream, &text)) == 1) {
		buf_printf(out, "%s%u:", text.broken ? "!" : "", (unsigned)text.line);
		for (uint32_t i = 0; i < text.text.len; i++)
			buf_add_char(out, text.text.p[i] == '\n' ? '~' : text.text.p[i]);
		buf_add_char(out, ' ');
	}
	if (n < 0)
		buf_printf(out, "error %d", -n);
	buf_add_char(out, '\0');
	json_stream_close(stream);
}

static void write_file(const char *path, const char *text, size_t len, bool compressed)
{
	if (compressed) {
		gzFile file = gzopen(path, "wb");
		gzwrite(file, text, (unsigned)len);
		gzclose(file);
		return;
	}
	FILE *file = fopen(path, "wb");
	fwrite(text, 1, len, file);
	fclose(file);
}

static void test_stream(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", ""},
		{"\n \t\r\n", ""},
		{"{}", "1:{} "},
		{"{\"a\":1}\n{\"b\":2}\n", "1:{\"a\":1} 2:{\"b\":2} "},
		{"{\"a\":1}{\"b\":2}", "1:{\"a\":1} 1:{\"b\":2} "},
		{"{\n  \"a\": [\n    {}\n  ]\n}\n{}\n", "1:{~  \"a\": [~    {}~  ]~} 6:{} "},
		{"{\"a\":\"}\\\"{\"}", "1:{\"a\":\"}\\\"{\"} "},
		{"junk\n{}\n", "!1:junk 2:{} "},
		{"{\"a\":\"cut\n{}\n", "!1:{\"a\":\"cut 2:{} "},
		{"{\"a\":{\"cut\":1\n{}\n", "!1:{\"a\":{\"cut\":1~ 2:{} "},
		{"{\"a\":1", "!1:{\"a\":1 "},
		{"{} junk {}\n{}", "1:{} !1:junk {} 2:{} "},
	};
	char directory[] = "/tmp/kunai-test-XXXXXX", path[64];
	struct buf out = {0};

	if (!ok(mkdtemp(directory) != NULL, "a directory"))
		return;
	snprintf(path, sizeof(path), "%s/log", directory);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		write_file(path, rows[i / 2].text, strlen(rows[i / 2].text), i % 2);
		show_stream(path, &out);
		is_str(out.p, rows[i / 2].want,
		       i % 2                 ? "  the same, compressed"
		       : rows[i / 2].text[0] ? "a stream"
					     : "nothing");
	}
	unlink(path);
	rmdir(directory);
	buf_fini(&out);
}

static void test_damaged(void)
{
	char path[] = "/tmp/kunai-test-XXXXXX";
	struct buf out = {0};
	int fd = mkstemp(path);

	if (!ok(fd >= 0, "a file"))
		return;
	close(fd);
	char noise[65536];
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)('a' + (i * i * 2654435761u >> 24) % 26);
	write_file(path, noise, sizeof(noise), true);
	ok(truncate(path, 1000) == 0, "a compressed file that is cut");
	show_stream(path, &out);
	ok(strstr(out.p, "error 5") != NULL, "  is an error");
	unlink(path);
	ok(json_stream_open("/nonexistent/log", &(struct json_stream *){NULL}) == -ENOENT, "no file");
	buf_fini(&out);
}

int main(void)
{
	test_round_trip();
	test_other_versions();
	test_problems();
	test_stream();
	test_damaged();
	return done_testing();
}
