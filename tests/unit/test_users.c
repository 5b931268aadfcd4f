/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/users.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/tree.h"
#include "tests/unit/tap.h"

#define SECOND UINT64_C(1000000000)

enum { HOST = 100, BOX = 200, EMPTY = 300, PID_BOX = 10, PID_EMPTY = 11 };

static struct mount_ns_table *namespaces;
static struct users *users;
static struct file_peeker *peeker;

static void make_tree(void)
{
	tree_make();
	static const char *const dirs[] = {"proc", "host", "host/etc", "box", "box/etc", "empty"};
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		mkdir(at("%s", dirs[i]), 0755);
	write_file(at("host/etc/passwd"),
		   "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n");
	write_file(at("host/etc/group"), "root:x:0:\nwheel:x:10:alice\n");
	add_process(1, HOST, "host");
	add_process(PID_BOX, BOX, "box");
	add_process(PID_EMPTY, EMPTY, "empty");
	namespaces = mount_ns_new(at("proc"));
	peeker = file_peeker_new(namespaces);
	users = users_new(namespaces, peeker);
	if (!namespaces || !peeker || !users)
		abort();
}

static uint64_t now = SECOND;

static const char *text_of(struct str s)
{
	static char text[512];
	snprintf(text, sizeof(text), "%.*s", STR_ARG(s));
	return text;
}

static const char *user(uint32_t inum, uint32_t pid, uint32_t id)
{
	return text_of(users_user_name(users, inum, pid, id, now));
}

static const char *group(uint32_t inum, uint32_t pid, uint32_t id)
{
	return text_of(users_group_name(users, inum, pid, id, now));
}

/* A new file for the box, and time enough that it is looked at. */
static void set_box(const char *text)
{
	write_file(at("box/etc/passwd"), text);
	now += 100 * SECOND;
}

static void test_lookup(void)
{
	set_box("root:x:0:0::/:/bin/sh\nbob:x:1000:1000::/:/bin/sh\n");
	is_str(user(HOST, 0, 0), "root", "the host's root");
	is_str(user(HOST, 0, 1000), "alice", "a user of the host");
	is_str(group(HOST, 0, 10), "wheel", "a group of the host");
	is_str(group(HOST, 0, 11), "?", "an unknown group");
	is_str(user(BOX, PID_BOX, 1000), "bob", "the same id in a container");
	is_str(user(BOX, PID_BOX, 1001), "?", "unknown there");
	is_str(group(BOX, PID_BOX, 10), "wheel", "no group file: the host's");
	is_str(user(EMPTY, PID_EMPTY, 1000), "alice", "no file at all: the host's");
	is_str(user(0, PID_BOX, 0), "?", "no namespace");
	is_str(user(999, 12345, 0), "?", "a namespace that cannot be reached is not the host");
	is_str(user(HOST, 0, UINT32_MAX), "?", "the largest id");
}

static void test_bad_lines(void)
{
	static char text[300000];
	set_box("\n"
		"# comment:x:1:\n"
		"+nis:x:2:2\n"
		"-out:x:3:3\n"
		"+::::::\n"
		"nocolon\n"
		"two:fields\n"
		":x:4:4\n"
		"word:x:five:5\n"
		"negative:x:-6:6\n"
		"big:x:4294967296:7\n"
		"blank:x: 8:8\n"
		"noid:x::9\n"
		"largest:x:4294967295:9\n"
		"minimal:x:20\n"
		"first:x:21:1\n"
		"second:x:21:1\n"
		"caf\xe9:x:22:1\n"
		"last:x:23:23");
	for (uint32_t id = 0; id < 10; id++)
		is_str(user(BOX, PID_BOX, id), "?", "a bad line is skipped");
	is_str(user(BOX, PID_BOX, UINT32_MAX), "largest", "the largest id");
	is_str(user(BOX, PID_BOX, 20), "minimal", "three fields are enough");
	is_str(user(BOX, PID_BOX, 21), "first", "the first of two names");
	is_str(user(BOX, PID_BOX, 22), "caf\xe9", "bytes as they are");
	is_str(user(BOX, PID_BOX, 23), "last", "no newline at the end");

	/* Names and lines at their bounds and one past them. */
	char *p = text;
	memset(p, 'a', USERS_NAME_MAX);
	p += USERS_NAME_MAX;
	p += sprintf(p, ":x:1:1\n");
	memset(p, 'b', USERS_NAME_MAX + 1);
	p += USERS_NAME_MAX + 1;
	p += sprintf(p, ":x:2:2\nc:x:3:");
	memset(p, 'c', USERS_LINE_MAX - 6);
	p += USERS_LINE_MAX - 6;
	p += sprintf(p, "\nd:x:4:");
	memset(p, 'd', USERS_LINE_MAX - 5);
	p += USERS_LINE_MAX - 5;
	sprintf(p, "\nend:x:5:5\n");
	set_box(text);
	is_u64(strlen(user(BOX, PID_BOX, 1)), USERS_NAME_MAX, "a name as long as allowed");
	is_str(user(BOX, PID_BOX, 2), "?", "one longer");
	is_str(user(BOX, PID_BOX, 3), "c", "a line as long as allowed");
	is_str(user(BOX, PID_BOX, 4), "?", "one longer");
	is_str(user(BOX, PID_BOX, 5), "end", "the line after it");
	set_box("");
	is_str(user(BOX, PID_BOX, 0), "?", "an empty file");
	write_bytes(at("box/etc/passwd"), "a\0b:x:1:1\n\0\0\0\n:::\nz:x:2:2\n", 26);
	now += 100 * SECOND;
	is_str(user(BOX, PID_BOX, 2), "z", "NUL bytes");
}

static void test_changes(void)
{
	set_box("one:x:1:1\n");
	is_str(user(BOX, PID_BOX, 1), "one", "before the change");
	uint64_t loads = users_load_count(users);
	write_file(at("box/etc/passwd"), "two!:x:1:1\n");
	now += SECOND - 1;
	is_str(user(BOX, PID_BOX, 1), "one", "not looked at within a second");
	now += SECOND;
	is_str(user(BOX, PID_BOX, 1), "two!", "but after it");
	is_u64(users_load_count(users), loads + 1, "  read once");
	for (int i = 0; i < 10; i++) {
		now += 2 * SECOND;
		user(BOX, PID_BOX, 1);
	}
	is_u64(users_load_count(users), loads + 1, "an unchanged file is not read again");

	unlink(at("box/etc/passwd"));
	now += 100 * SECOND;
	is_str(user(BOX, PID_BOX, 1000), "alice", "removed: the host's");
	mkfifo(at("box/etc/passwd"), 0644);
	now += 100 * SECOND;
	alarm(20);
	is_str(user(BOX, PID_BOX, 1000), "alice", "a fifo in its place does not hang");
	alarm(0);
	unlink(at("box/etc/passwd"));
	if (symlink("/../../host/etc/passwd", at("box/etc/passwd")) < 0)
		abort();
	write_file(at("host/etc/passwd"), "root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nz:x:77:1\n");
	now += 100 * SECOND;
	is_str(user(BOX, PID_BOX, 77), "z", "a link that leads nowhere in the namespace: the host's");
	unlink(at("box/etc/passwd"));

	/* The namespace ends. */
	set_box("late:x:1:1\n");
	is_str(user(BOX, PID_BOX, 1), "late", "before its end");
	now += 100 * SECOND;
	is_str(user(BOX, 99, 1), "late", "names outlive the namespace");
}

static void test_unreachable(void)
{
	enum { LATE = 400, PID_LATE = 12 };
	is_str(user(LATE, PID_LATE, 1000), "?", "not reachable yet");
	add_process(PID_LATE, LATE, "box");
	is_str(user(LATE, PID_LATE, 1), "?", "not tried again at once");
	now += USERS_RETRY_INTERVAL_NS;
	is_str(user(LATE, PID_LATE, 1), "late", "but soon");
}

/* The root that was kept is the one of before pivot_root: without a task it must not speak for the namespace. */
static void test_old_root(void)
{
	enum { MOVED = 500, PID_MOVED = 13 };

	mkdir(at("old"), 0755);
	mkdir(at("old/etc"), 0755);
	write_file(at("old/etc/passwd"), "other:x:2:2\n");
	set_box("inside:x:1:1\n");
	add_process(PID_MOVED, MOVED, "old");
	mount_ns_join(namespaces, MOVED, PID_MOVED, 1, now);
	mount_ns_refresh(namespaces, MOVED, PID_MOVED, now);
	is_u64(mount_ns_root_count(namespaces), 1, "a root is kept");
	unlink(at("proc/%u/root", PID_MOVED));
	link_to(at("proc/%u/root", PID_MOVED), at("box"));
	is_str(user(MOVED, PID_MOVED, 1), "inside", "  then comes another one");
	unlink(at("proc/%u/ns/mnt", PID_MOVED));
	now += 100 * SECOND;
	is_str(user(MOVED, PID_MOVED, 1), "inside", "  which is remembered when the task has gone");
	set_box("late:x:1:1\n");
}

static void test_bounds(void)
{
	/* More namespaces than are kept. */
	for (uint32_t i = 0; i < USERS_NAMESPACES_MAX + 17; i++) {
		add_process(2000 + i, 2000 + i, "box");
		user(2000 + i, 2000 + i, 1);
	}
	uint64_t loads = users_load_count(users);
	is_str(user(2000 + 17, 2000 + 17, 1), "late", "the oldest one that is kept");
	is_u64(users_load_count(users), loads, "  is not read again");
	is_str(user(2000 + 16, 2000 + 16, 1), "late", "the one before it");
	is_u64(users_load_count(users), loads + 1, "  is");

	/* The size of a file. */
	char *text = malloc(USERS_FILE_SIZE_MAX + 2);
	memset(text, '\n', USERS_FILE_SIZE_MAX + 2);
	memcpy(text + USERS_FILE_SIZE_MAX - 10, "end:x:7:7\n", 10);
	write_bytes(at("box/etc/passwd"), text, USERS_FILE_SIZE_MAX);
	now += 1000 * SECOND;
	is_str(user(BOX, PID_BOX, 7), "end", "a file as large as allowed");
	loads = users_load_count(users);
	write_bytes(at("box/etc/passwd"), text, USERS_FILE_SIZE_MAX + 1);
	now += 5 * SECOND;
	is_str(user(BOX, PID_BOX, 7), "end", "a large file is looked at less often");
	now += 1000 * SECOND;
	is_str(user(BOX, PID_BOX, 7), "?", "one byte more: not read");

	/* Memory: the same large file in many namespaces. */
	write_bytes(at("box/etc/passwd"), text, USERS_FILE_SIZE_MAX);
	for (uint32_t i = 0; i < 7; i++)
		is_str(user(2100 + i, 2100 + i, 7), "end", "a large file in many namespaces");
	free(text);

	/* The number of names. */
	char *p = text = malloc((USERS_NAMES_MAX + 1) * 20);
	for (uint32_t i = 0; i <= USERS_NAMES_MAX; i++)
		p += sprintf(p, "u%u:x:%u:\n", i, i);
	write_bytes(at("box/etc/passwd"), text, (size_t)(p - text));
	free(text);
	now += 1000 * SECOND;
	is_str(user(BOX, PID_BOX, USERS_NAMES_MAX - 1), "u262143", "as many names as allowed");
	is_str(user(BOX, PID_BOX, 131071), "u131071", "one in the middle");
	is_str(user(BOX, PID_BOX, USERS_NAMES_MAX), "?", "one more");
}

/* A look at the file for each name would cost more than the event. */
static void test_frugality(void)
{
	set_box("root:x:0:0\n");
	is_str(user(BOX, PID_BOX, 0), "root", "looked at");
	unlink(at("box/etc/passwd"));
	is_str(user(BOX, PID_BOX, 0), "root", "not looked at again at once");
	now += 5 * SECOND;
	is_str(user(BOX, PID_BOX, 0), "root", "the host's name, when the box has no file any more");
}

int main(void)
{
	make_tree();
	test_lookup();
	test_bad_lines();
	test_changes();
	test_unreachable();
	test_old_root();
	test_bounds();
	test_frugality();
	users_free(users);
	file_peeker_free(peeker);
	mount_ns_free(namespaces);
	tree_remove();
	return done_testing();
}
