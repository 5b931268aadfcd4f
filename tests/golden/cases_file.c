/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/golden/cases.h"

void golden_create_as(const struct wire_task *task, const struct wire_task *parent, struct str name,
		      uint32_t flags)
{
	struct record *r = golden_begin(EVENT_file_create, task, parent);
	struct wire_file_create *w = record_fixed(r);

	record_put_path(r, &w->path, name);
	w->path.flags = flags;
	golden_send();
}

static void create(struct str name, uint32_t flags)
{
	golden_create_as(&task_bash, &task_systemd, name, flags);
}

void run_file_create(void)
{
	create(STR("/tmp/new file"), 0);
}

void run_path_root(void)
{
	create(STR("/"), 0);
}

void run_path_detached(void)
{
	create(STR("runc"), PATH_DETACHED);
}

void run_path_truncated(void)
{
	create(STR("/deep/down/there"), PATH_TRUNCATED);
}

void run_path_deleted(void)
{
	create(STR("/tmp/deleted"), PATH_DELETED);
}

void run_path_invalid_utf8(void)
{
	create(STR("/tmp/\xff\xc3\xa9\xc3/\x01\"\\\x7f\n"), 0);
}

void run_path_none(void)
{
	golden_begin(EVENT_file_create, &task_bash, &task_systemd);
	golden_send();
}

static void write_close(const char *components, size_t len, uint32_t flags, uint64_t written)
{
	struct record *r = golden_begin(EVENT_write_close, &task_bash, &task_systemd);
	struct wire_write_close *w = record_fixed(r);

	w->path.components = record_put(r, components, len);
	w->path.mode = 0100644;
	w->path.flags = flags;
	w->written = written;
	golden_send();
}

void run_write_close(void)
{
	write_close("x\0tmp", 6, 0, WRITTEN_WRITE);
}

void run_write_close_all_ways(void)
{
	write_close("x\0tmp", 6, 0, 0x1ff);
}

/* A name that user memory held, below a directory of the host. */
static void put_name(struct record *r, struct wire_path *path, const char *name, const char *directory)
{
	record_put_path(r, path, str_of(directory));
	path->name = record_put(r, name, strlen(name) + 1);
	path->mode = 0;
	path->flags = PATH_USER;
	if (*directory)
		golden_stat(directory, path);
}

static void truncate_named(const char *name, const char *directory)
{
	struct record *r = golden_begin(EVENT_write_close, &task_bash, &task_systemd);
	struct wire_write_close *w = record_fixed(r);

	put_name(r, &w->path, name, directory);
	w->written = WRITTEN_TRUNCATE;
	golden_send();
}

void run_write_close_user_relative(void)
{
	truncate_named("../.././/a/../b/./c", "/usr/lib");
}

void run_write_close_user_absolute(void)
{
	truncate_named("//tmp/./../../etc//passwd", "/");
}

static void unlink_named(const char *name, const char *directory, uint32_t flags, bool success)
{
	struct record *r = golden_begin(EVENT_file_unlink, &task_bash, &task_systemd);
	struct wire_file_unlink *w = record_fixed(r);

	put_name(r, &w->path, name, directory);
	w->path.flags |= flags;
	w->success = success;
	golden_send();
}

void run_file_unlink(void)
{
	unlink_named("x", "/tmp", 0, true);
}

void run_file_unlink_failed(void)
{
	unlink_named("/usr/lib", "/", 0, false);
}

/* /usr/link leads to lib, so the file was /usr/x; but an absolute link would start from the process's own root. */
void run_file_unlink_chrooted(void)
{
	unlink_named("link/../x", "/usr", PATH_CHROOTED, true);
}

void run_file_unlink_gone(void)
{
	unlink_named("/tmp/gone/../gone/x", "/", 0, true);
}

/* The process had another root than its namespace has now: pivot_root. */
void run_file_unlink_pivoted(void)
{
	struct record *r = golden_begin(EVENT_file_unlink, &task_bash, &task_systemd);
	struct wire_file_unlink *w = record_fixed(r);

	put_name(r, &w->path, "/usr/lib/x", "/");
	w->path.inode++;
	w->success = true;
	golden_send();
}

/* The memory was gone when the call returned. */
void run_file_unlink_unreadable(void)
{
	struct record *r = golden_begin(EVENT_file_unlink, &task_bash, &task_systemd);
	struct wire_file_unlink *w = record_fixed(r);

	record_put_path(r, &w->path, STR("/tmp"));
	w->path.name = record_put(r, "", 0);
	w->path.flags = PATH_USER;
	w->success = true;
	golden_send();
}

static void rename_named(const char *old, const char *new, const char *directory, uint64_t flags)
{
	struct record *r = golden_begin(EVENT_file_rename, &task_bash, &task_systemd);
	struct wire_file_rename *w = record_fixed(r);

	put_name(r, &w->old, old, directory);
	put_name(r, &w->new, new, directory);
	w->flags = flags;
	golden_send();
}

void run_file_rename(void)
{
	rename_named("old", "bash", "/usr/bin", 0);
}

void run_file_rename_gone(void)
{
	rename_named("/usr/bin/ls", "/nowhere/ls", "/", 0);
}

void run_file_rename_directory(void)
{
	rename_named("old", "bin", "/usr", 0);
}

void run_file_rename_exchange(void)
{
	rename_named("ls", "../bin/bash", "/usr/bin", 2);
}

/* ls has become a directory's name, and the directory's name the file's. */
void run_file_rename_exchange_directory(void)
{
	rename_named("lib", "bin/bash", "/usr", 2);
}

static void access_file(enum event_type type, const char *path)
{
	struct record *r = golden_begin(type, &task_bash, &task_systemd);
	struct wire_read *w = record_fixed(r);

	record_put_path(r, &w->path, str_of(path));
	golden_send();
}

void run_read(void)
{
	access_file(EVENT_read, "/tmp/x");
}

void run_read_config(void)
{
	access_file(EVENT_read_config, "/etc/shadow");
}

void run_write(void)
{
	access_file(EVENT_write, "/tmp/x");
}

void run_write_config(void)
{
	access_file(EVENT_write_config, "/etc/shadow");
}

/* The kernel side cannot tell which of the two truncate(2) is. */
static void access_named(enum event_type type, const char *name)
{
	struct record *r = golden_begin(type, &task_bash, &task_systemd);
	struct wire_write *w = record_fixed(r);

	put_name(r, &w->path, name, "/");
	golden_send();
}

void run_write_truncate(void)
{
	access_named(EVENT_write_config, "/etc/../usr/bin/ls");
}

void run_write_config_truncate(void)
{
	access_named(EVENT_write, "/usr/../etc/group");
}
