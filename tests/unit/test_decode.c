/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "event/event.h"
#include "tests/support/record.h"
#include "tests/unit/tap.h"

static struct arena arena;
static struct record record;

/* In a block of exactly its size, so that sanitizers see a read past the end. */
static int decode_copy(const void *bytes, size_t len, struct event *ret)
{
	void *copy = malloc(len ? len : 1);
	struct event e;

	memcpy(copy, bytes, len);
	int err = event_decode(copy, len, &arena, ret ? ret : &e);
	free(copy);
	arena_reset(&arena);
	return err;
}

static int decode(void)
{
	return decode_copy(record.bytes, record_length(&record), NULL);
}

static void make_execve(void)
{
	record_begin(&record, EVENT_execve_script);
	struct wire_execve *w = record_fixed(&record);
	record_put_path(&record, &w->image, STR("/usr/bin/bash"));
	record_put_path(&record, &w->script, STR("/tmp/a b"));
	record_put_path(&record, &w->cwd_path, STR("/"));
	w->filename = record_put(&record, "./a b", 6);
	w->args = record_put(&record, "bash\0./a b", 11);
	w->cgroup = record_put(&record, "user.slice", 11);
	w->nodename = record_put(&record, "host", 5);
}

static void test_whole(void)
{
	for (int type = 0; type < EVENT_COUNT; type++) {
		const char *name = event_catalogue[type].name.p;
		record_begin(&record, (enum event_type)type);
		if (!event_schemas[type].wire)
			ok(decode() == -EBADMSG, "%s is not made: refused", name);
		else if (type == EVENT_start || type == EVENT_error || type == EVENT_event_loss ||
			 type == EVENT_file_scan)
			ok(decode() == -EBADMSG, "%s is not the kernel's to say", name);
		else
			ok(decode() == 0, "%s of zeros", name);
	}
}

static void test_truncated(void)
{
	unsigned accepted = 0, wrong = 0;

	make_execve();
	size_t full = record_length(&record);
	ok(decode() == 0, "the whole record");
	/* the length in the header is the true one, and then it is not */
	for (size_t len = 0; len < full; len++) {
		record_head(&record)->length = (uint32_t)len;
		accepted += decode_copy(record.bytes, len, NULL) == 0;
		record_head(&record)->length = (uint32_t)full;
		wrong += decode_copy(record.bytes, len, NULL) == 0;
	}
	is_u64(accepted, 0, "no part of it");
	is_u64(wrong, 0, "nor with the length of the whole");
	ok(decode_copy(record.bytes, full, NULL) == 0, "the whole again");
	record_head(&record)->length = (uint32_t)full + 1;
	ok(decode_copy(record.bytes, full, NULL) == -EBADMSG, "a length beyond the end");
}

static void test_slots(void)
{
	static const uint32_t fixed_end = sizeof(struct wire_header) + sizeof(struct wire_execve);

	make_execve();
	uint32_t full = record_head(&record)->length;
	const struct {
		const char *name;
		struct slot slot;
		int want;
	} rows[] = {
		{"empty", {0, 0}, 0},
		{"empty anywhere", {UINT32_MAX, 0}, 0},
		{"all bytes", {fixed_end, full - fixed_end}, 0},
		{"the last byte", {full - 1, 1}, 0},
		{"one byte too many", {fixed_end, full - fixed_end + 1}, -EBADMSG},
		{"at the end", {full, 1}, -EBADMSG},
		{"within the fixed part", {fixed_end - 1, 1}, -EBADMSG},
		{"within the header", {0, 8}, -EBADMSG},
		{"beyond the end", {full + 1, 1}, -EBADMSG},
		{"a sum that overflows", {UINT32_MAX, UINT32_MAX}, -EBADMSG},
		{"another", {fixed_end, UINT32_MAX - fixed_end + 1}, -EBADMSG},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		make_execve();
		struct wire_execve *w = record_fixed(&record);
		w->nodename = rows[i].slot;
		ok(decode() == rows[i].want, "bytes: %s", rows[i].name);
		make_execve();
		w->image.components = rows[i].slot;
		ok(decode() == rows[i].want, "path: %s", rows[i].name);
	}
}

/* Every slot of every event is looked at: a list that grows is checked, too. */
static void test_every_slot(void)
{
	for (int type = 0; type < EVENT_COUNT; type++) {
		if (!event_catalogue[type].from_kernel || !event_schemas[type].wire)
			continue;
		for (const struct wire_field *f = event_schemas[type].wire(); f->name; f++) {
			if (f->kind != WIRE_BYTES && f->kind != WIRE_PATH)
				continue;
			record_begin(&record, (enum event_type)type);
			char *at = (char *)record_fixed(&record) + f->offset;
			*(struct slot *)at = (struct slot){0, 1}; /* a path begins with its slot */
			ok(decode() == -EBADMSG, "%s.%s out of bounds", event_catalogue[type].name.p,
			   f->name);
			if (f->kind != WIRE_PATH)
				continue;
			*(struct slot *)at = (struct slot){0, 0};
			((struct wire_path *)(void *)at)->name = (struct slot){0, 1};
			ok(decode() == -EBADMSG, "%s.%s: its name out of bounds",
			   event_catalogue[type].name.p, f->name);
		}
	}
}

static void test_header(void)
{
	static _Alignas(8) unsigned char moved[4096];
	struct event e;

	make_execve();
	size_t len = record_length(&record);
	for (size_t by = 1; by < 8; by++) {
		memcpy(moved + by, record.bytes, len);
		ok(event_decode(moved + by, len, &arena, &e) == -EBADMSG, "misaligned by %zu", by);
	}
	record_head(&record)->type = EVENT_COUNT;
	ok(decode() == -EBADMSG, "a type beyond the last");
	record_head(&record)->type = UINT16_MAX;
	ok(decode() == -EBADMSG, "the greatest type");
	record_head(&record)->type = EVENT_seed;
	ok(decode() == -EBADMSG || sizeof(struct wire_seed) <= sizeof(struct wire_execve),
	   "another type is another struct");
}

static struct path path_of(const char *components, size_t len, uint32_t flags, uint32_t mode)
{
	static struct event e;

	record_begin(&record, EVENT_file_create);
	struct wire_file_create *w = record_fixed(&record);
	w->path.components = record_put(&record, components, len);
	w->path.flags = flags;
	w->path.mode = mode;
	arena_reset(&arena);
	if (event_decode(record.bytes, record_length(&record), &arena, &e) < 0)
		abort();
	return e.data.file_create.path;
}

#define C(literal) literal, sizeof(literal)

static void test_paths(void)
{
	static const struct {
		const char *name;
		const char *components;
		size_t len;
		uint32_t flags;
		const char *want;
	} rows[] = {
		{"the root", "", 0, 0, "/"},
		{"one", C("tmp"), 0, "/tmp"},
		{"three", C("ls\0bin\0usr"), 0, "/usr/bin/ls"},
		{"no NUL at the end", "ls\0bin", 6, 0, "/bin/ls"},
		{"an empty component", C("a\0\0b"), 0, "/b//a"},
		{"only NULs", "\0\0", 2, 0, "//"},
		{"truncated", C("c\0b"), PATH_TRUNCATED, ".../b/c"},
		{"truncated to nothing", "", 0, PATH_TRUNCATED, "..."},
		{"detached", C("memfd:x"), PATH_DETACHED, "memfd:x"},
		{"detached below", C("x\0dir"), PATH_DETACHED, "dir/x"},
		{"the root of a detached mount", "", 0, PATH_DETACHED, "/"},
		{"deleted", C("x\0tmp"), PATH_DELETED, "/tmp/x"},
		{"kernel, dots are names", C("..\0."), 0, "/./.."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct path p = path_of(rows[i].components, rows[i].len, rows[i].flags, 0100644);
		if (!ok(str_eq(p.text, str_of(rows[i].want)), "path: %s", rows[i].name))
			printf("# got %.*s\n", STR_ARG(p.text));
		ok(p.raw.p[p.raw.len] == '\0', "path: %s: raw ends in NUL", rows[i].name);
	}
	struct path none = path_of("", 0, 0, 0);
	ok(str_eq(none.text, STR("?")) && !none.wire && none.raw.len == 0, "no file is ?");
	struct path bad = path_of(C("\xff\xfe\0tmp"), 0, 0100644);
	ok(str_eq(bad.raw, STR("/tmp/\xff\xfe")), "raw bytes stay");
	ok(str_eq(bad.text, STR("/tmp/\xef\xbf\xbd\xef\xbf\xbd")), "text is repaired");
}

static void test_named_paths(void)
{
	static const struct {
		const char *title;
		const char *name;
		const char *components;
		size_t len;
		uint32_t flags;
		const char *want;
		const char *raw;
	} rows[] = {
		{"plain", "/tmp/x", "", 0, 0, "/tmp/x", "//tmp/x"},
		{"slashes", "//tmp///x//", "", 0, 0, "/tmp/x", "///tmp///x//"},
		{"dots", "/./tmp/./x/.", "", 0, 0, "/tmp/x", "//./tmp/./x/."},
		{"up", "/a/b/../c", "", 0, 0, "/a/c", "//a/b/../c"},
		{"up beyond the root", "/../../../etc", "", 0, 0, "/etc", "//../../../etc"},
		{"up to the root", "/a/..", "", 0, 0, "/", "//a/.."},
		{"three dots are a name", "/a/.../b", "", 0, 0, "/a/.../b", "//a/.../b"},
		{"a name that begins with dots", "/a/..b/.c", "", 0, 0, "/a/..b/.c", "//a/..b/.c"},
		{"relative", "x/../y", C("dir"), 0, "/dir/y", "/dir/x/../y"},
		{"relative and up", "../../../y", C("sub\0dir"), 0, "/y", "/dir/sub/../../../y"},
		{"unreadable", "", C("dir"), 0, "/dir/?", "/dir/?"},
		{"unreadable, at the root", "", "", 0, 0, "/?", "/?"},
		{"below a root of its own", "/x", C("jail"), PATH_CHROOTED, "/jail/x", "/jail//x"},
		{"below a cut path", "x/../../y", C("c\0b"), PATH_TRUNCATED, ".../b/y", ".../b/c/x/../../y"},
		{"detached", "x", C("dir"), PATH_DETACHED, "dir/x", "dir/x"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct event e;
		record_begin(&record, EVENT_file_unlink);
		struct wire_file_unlink *w = record_fixed(&record);
		size_t len = strlen(rows[i].name);
		w->path.name = record_put(&record, rows[i].name, len ? len + 1 : 0);
		w->path.components = record_put(&record, rows[i].components, rows[i].len);
		w->path.flags = PATH_USER | rows[i].flags;
		arena_reset(&arena);
		if (event_decode(record.bytes, record_length(&record), &arena, &e) < 0)
			abort();
		struct path p = e.data.file_unlink.path;
		if (!ok(str_eq(p.text, str_of(rows[i].want)), "a named path: %s", rows[i].title))
			printf("# got %.*s\n", STR_ARG(p.text));
		ok(str_eq(p.raw, str_of(rows[i].raw)) && p.raw.p[p.raw.len] == '\0', "a named path: %s: raw",
		   rows[i].title);
	}
}

static void test_tasks(void)
{
	struct event e;

	record_begin(&record, EVENT_exit);
	struct wire_header *head = record_head(&record);
	memset(head->task.comm, 'x', sizeof(head->task.comm));
	memcpy(head->parent.comm, "\xff", 2);
	head->task.pid = UINT32_MAX;
	head->task.uid = UINT32_MAX;
	head->task.mnt_ns = 7;
	((struct wire_exit *)record_fixed(&record))->error_code = UINT64_MAX;
	ok(event_decode(record.bytes, record_length(&record), &arena, &e) == 0, "decoded");
	is_u64(e.info.task.name.len, 16, "a comm without NUL");
	ok(str_eq(e.info.parent_task.name, STR("\xef\xbf\xbd")), "a comm that is not UTF-8");
	ok(e.info.task.pid == -1 && e.info.task.uid == UINT32_MAX, "extreme numbers");
	ok(e.info.task.namespaces && e.info.task.namespaces->mnt == 7 && !e.info.parent_task.namespaces,
	   "a namespace, and none");
	is_u64(e.data.exit.error_code, UINT64_MAX, "what the kernel sends is printed");
	is_u64(e.info.event.id, 4, "the id");
	arena_reset(&arena);
}

int main(void)
{
	test_whole();
	test_truncated();
	test_slots();
	test_every_slot();
	test_header();
	test_paths();
	test_named_paths();
	test_tasks();
	arena_fini(&arena);
	return done_testing();
}
