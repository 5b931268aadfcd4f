/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of files that change or go: rename, unlink and truncate, by every call, under names that are not paths. */
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	EXCHANGE = 2, /* RENAME_* of renameat2(2) */
	WHITEOUT = 4,
	LINK_AGE_US = 20000,
};

static void make(const char *path)
{
	actor_file_make(path, "12345", 5, 0644);
}

static void unlinked(int status, const char *path)
{
	actor_must(status == 0, path);
	actor_fact_unlinked(path);
}

static void renamed(int status, const char *old, const char *new)
{
	actor_must(status == 0, old);
	actor_fact_renamed(old, new);
}

/* dir/sub with a file in each; link leads to dir/sub. It is older than a tick of the file systems' clock: docs/tiers.md. */
static void make_tree(void)
{
	actor_must(mkdir("dir", 0755) == 0 && mkdir("dir/sub", 0755) == 0 && symlink("dir/sub", "link") == 0,
		   "a tree");
	make("dir/file");
	make("dir/sub/file");
	usleep(LINK_AGE_US);
}

static int open_directory(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	actor_must(fd >= 0, path);
	return fd;
}

#ifdef SYS_unlink
static void unlink_plain(const struct actor_case *self)
{
	char path[PATH_MAX];

	make("file");
	unlinked((int)syscall(SYS_unlink, self->a ? actor_path(path, "file") : "file"), "file");
}
#endif

static void unlink_at(const struct actor_case *self)
{
	int dir;

	(void)self;
	make_tree();
	dir = open_directory("dir");
	actor_must(mkdir("elsewhere", 0755) == 0 && chdir("elsewhere") == 0, "chdir");
	actor_must(unlinkat(dir, "file", 0) == 0 && unlinkat(dir, "sub/file", 0) == 0, "unlinkat");
	actor_must(chdir("..") == 0, "chdir");
	actor_fact_unlinked("dir/file");
	actor_fact_unlinked("dir/sub/file");
}

static void unlink_changed_cwd(const struct actor_case *self)
{
	(void)self;
	make_tree();
	actor_must(chdir("dir/sub") == 0 && unlink("../file") == 0 && unlink(".//./file") == 0, "unlink");
	actor_must(chdir("../..") == 0, "chdir");
	actor_fact_unlinked("dir/file");
	actor_fact_unlinked("dir/sub/file");
}

static void unlink_through_link(const struct actor_case *self)
{
	char path[PATH_MAX];

	(void)self;
	make_tree();
	unlinked(unlink("link/file"), "dir/sub/file");
	unlinked(unlink(actor_path(path, "link/../file")), "dir/file");
}

/* Directories are no files, and what is not there cannot go. Names of other things are names. */
static void unlink_others(const struct actor_case *self)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int fd;

	(void)self;
	actor_must(mkdir("dir", 0755) == 0 && symlink("dir", "link") == 0 && mkfifo("fifo", 0600) == 0,
		   "make");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	actor_must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	unlinked(unlink("link"), "link");
	unlinked(unlink("fifo"), "fifo");
	unlinked(unlink("socket"), "socket");
	close(fd);
	actor_must(unlink("missing") < 0 && unlink("missing/file") < 0 && unlink("") < 0, "nothing there");
	actor_must(unlink(actor_nowhere) < 0, "no name");
	actor_must(unlinkat(AT_FDCWD, "dir", AT_REMOVEDIR) == 0, "rmdir");
}

static void unlink_failed(const struct actor_case *self)
{
	(void)self;
	actor_must(mkdir("dir", 0755) == 0 && unlink("dir") < 0, "a directory stays");
	actor_fact_not_unlinked("dir");
}

static void unlink_hard_link(const struct actor_case *self)
{
	(void)self;
	make("file");
	actor_must(link("file", "other") == 0, "link");
	unlinked(unlink("other"), "other");
	unlinked(unlink("file"), "file");
}

/* The kernel does nothing then, and succeeds. */
static void rename_to_itself(const struct actor_case *self)
{
	(void)self;
	make("file");
	actor_must(link("file", "other") == 0, "link");
	renamed(rename("file", "other"), "file", "other");
}

static void unlink_odd_names(const struct actor_case *self)
{
	static const char *const names[] = {"sp ace", "new\nline", "bad\xff\xfe", "...",
					    "..x",    "-",         "\x01\x7f"};

	(void)self;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		make(names[i]);
		unlinked(unlink(names[i]), names[i]);
	}
}

static void new_mount_namespace(void)
{
	struct fact fact;

	if (unshare(CLONE_NEWNS) < 0)
		actor_skip("no mount namespaces here");
	facts_begin(&fact, "new_mount_namespace");
	facts_end(&fact);
	actor_must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
}

/* A directory below another mount is still where it was; so is a file that another one was mounted on. */
static void unlink_overmount(const struct actor_case *self)
{
	int dir;

	(void)self;
	make_tree();
	dir = open_directory("dir");
	new_mount_namespace();
	actor_must(mount("tmpfs", "dir", "tmpfs", 0, NULL) == 0, "mount a tmpfs");
	unlinked(unlinkat(dir, "file", 0), "dir/file");
	make("dir/file");
	unlinked(unlink("dir/file"), "dir/file");
	make("mountpoint");
	make("mounted");
	actor_must(mount("mounted", "mountpoint", NULL, MS_BIND, NULL) == 0 && unlink("mountpoint") < 0,
		   "a mount point stays");
	actor_fact_not_unlinked("mountpoint");
	actor_stay();
}

/* Absolute names and links of a process with a root of its own. */
static void unlink_chrooted(const struct actor_case *self)
{
	char before[PATH_MAX], path[2 * PATH_MAX];
	struct fact fact;

	(void)self;
	make_tree();
	actor_must(symlink("/sub", "dir/jailed") == 0, "symlink");
	actor_path(before, "dir");
	actor_must(chroot("dir") == 0 && chdir("/") == 0, "chroot");
	actor_must(unlink("/sub/file") == 0, "unlink");
	snprintf(path, sizeof(path), "%s/sub/file", before);
	facts_begin(&fact, "unlink");
	facts_string(&fact, "path", path);
	facts_bool(&fact, "success", true);
	facts_end(&fact);
	/* where that link led cannot be asked for from outside */
	actor_must(unlink("/jailed/../file") == 0, "unlink");
	snprintf(path, sizeof(path), "%s/file", before);
	facts_begin(&fact, "unlink");
	facts_string(&fact, "path", path);
	facts_bool(&fact, "success", true);
	facts_bool(&fact, "unverified", true);
	facts_end(&fact);
}

#ifdef SYS_rename
static void rename_plain(const struct actor_case *self)
{
	char path[PATH_MAX];

	make("file");
	renamed((int)syscall(SYS_rename, "file", self->a ? actor_path(path, "other") : "other"), "file",
		"other");
}
#endif

#ifdef SYS_renameat
static void rename_at(const struct actor_case *self)
{
	int from, to;

	(void)self;
	make_tree();
	from = open_directory("dir");
	to = open_directory("link");
	actor_must(mkdir("elsewhere", 0755) == 0 && chdir("elsewhere") == 0, "chdir");
	actor_must(syscall(SYS_renameat, from, "file", to, "new") == 0, "renameat");
	actor_must(syscall(SYS_renameat, to, "./file", from, "sub/../new") == 0, "renameat");
	actor_must(chdir("..") == 0, "chdir");
	actor_fact_renamed("dir/file", "dir/sub/new");
	actor_fact_renamed("dir/sub/file", "dir/new");
}
#endif

static long renameat2_(const char *old, const char *new, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, flags);
}

static void rename_at2(const struct actor_case *self)
{
	(void)self;
	make("file");
	make("third");
	renamed((int)renameat2_("file", "other", 1 /* RENAME_NOREPLACE */), "file", "other");
	actor_must(renameat2_("other", "third", 1) < 0, "it is there");
}

static void state_exchanged(const char *old, const char *new)
{
	char path[PATH_MAX];
	struct fact fact;

	facts_begin(&fact, "rename");
	facts_string(&fact, "old", actor_path(path, old));
	facts_string(&fact, "new", actor_path(path, new));
	facts_bool(&fact, "exchanged", true);
	facts_end(&fact);
}

/* Both files get another name; a directory that takes part is none of them. */
static void rename_exchange(const struct actor_case *self)
{
	(void)self;
	make("one");
	make("two");
	if (renameat2_("one", "two", EXCHANGE) < 0)
		actor_skip("no exchange on this file system");
	state_exchanged("one", "two");
	state_exchanged("two", "one");
	make("three");
	actor_must(mkdir("dir", 0755) == 0 && renameat2_("three", "dir", EXCHANGE) == 0, "exchange");
	state_exchanged("three", "dir");
}

static void rename_whiteout(const struct actor_case *self)
{
	(void)self;
	make("file");
	if (renameat2_("file", "other", WHITEOUT) < 0)
		actor_skip("no whiteouts on this file system");
	actor_fact_renamed("file", "other");
}

static void rename_over(const struct actor_case *self)
{
	(void)self;
	make("file");
	make("other");
	renamed(rename("file", "other"), "file", "other");
}

static void rename_through_link(const struct actor_case *self)
{
	char path[PATH_MAX];

	(void)self;
	make_tree();
	renamed(rename("link/file", "link/../moved"), "dir/sub/file", "dir/moved");
	actor_must(chdir("dir/sub") == 0 && rename("../file", actor_path(path, "../../link/back")) == 0,
		   "rename");
	actor_must(chdir("../..") == 0, "chdir");
	actor_fact_renamed("dir/file", "dir/sub/back");
}

static void rename_others(const struct actor_case *self)
{
	(void)self;
	make_tree();
	actor_must(rename("dir", "moved") == 0 && rename("link", "moved/link") == 0, "rename");
	actor_must(rename("missing", "there") < 0 && rename("moved/file", "missing/there") < 0,
		   "nothing there");
}

static void rename_odd_names(const struct actor_case *self)
{
	(void)self;
	make("a\nb");
	renamed(rename("a\nb", "bad\xff"), "a\nb", "bad\xff");
	renamed(rename("bad\xff", " ..  "), "bad\xff", " ..  ");
}

/* The names of both are as long as paths can be. */
static void rename_long(const struct actor_case *self)
{
	static char old[PATH_MAX], new[PATH_MAX];
	size_t len = 0;

	(void)self;
	make("file");
	while (len + 2 < PATH_MAX - 8) {
		memcpy(old + len, "./", 2);
		len += 2;
	}
	memcpy(new, old, len);
	strcpy(old + len, "file");
	strcpy(new + len, "other");
	renamed(rename(old, new), "file", "other");
}

/* truncate(2) follows links, to the end. */
static void truncate_link(const struct actor_case *self)
{
	(void)self;
	make_tree();
	actor_must(symlink("link/../file", "final") == 0, "symlink");
	usleep(LINK_AGE_US);
	actor_must(truncate("final", 2) == 0 && truncate("link/file", 2) == 0, "truncate");
	actor_fact_closed("dir/file", "truncate");
	actor_fact_closed("dir/sub/file", "truncate");
}

void actor_add_names(void)
{
#ifdef SYS_unlink
	actor_add(unlink_plain, 0, 0, 0, "file_unlink.relative");
	actor_add(unlink_plain, 1, 0, 0, "file_unlink.absolute");
#endif
	actor_add(unlink_at, 0, 0, 0, "file_unlink.unlinkat");
	actor_add(unlink_changed_cwd, 0, 0, 0, "file_unlink.changed_cwd");
	actor_add(unlink_through_link, 0, 0, 0, "file_unlink.through_link");
	actor_add(unlink_others, 0, 0, 0, "file_unlink.others");
	actor_add(unlink_failed, 0, 0, 0, "file_unlink.failed");
	actor_add(unlink_hard_link, 0, 0, 0, "file_unlink.hard_link");
	actor_add(unlink_odd_names, 0, 0, 0, "file_unlink.odd_names");
	actor_add(unlink_overmount, 0, 0, 0, "file_unlink.overmount");
	actor_add(unlink_chrooted, 0, 0, 0, "file_unlink.chrooted");
#ifdef SYS_rename
	actor_add(rename_plain, 0, 0, 0, "file_rename.relative");
	actor_add(rename_plain, 1, 0, 0, "file_rename.absolute");
#endif
#ifdef SYS_renameat
	actor_add(rename_at, 0, 0, 0, "file_rename.renameat");
#endif
	actor_add(rename_at2, 0, 0, 0, "file_rename.renameat2");
	actor_add(rename_exchange, 0, 0, 0, "file_rename.exchange");
	actor_add(rename_whiteout, 0, 0, 0, "file_rename.whiteout");
	actor_add(rename_over, 0, 0, 0, "file_rename.over");
	actor_add(rename_to_itself, 0, 0, 0, "file_rename.to_itself");
	actor_add(rename_through_link, 0, 0, 0, "file_rename.through_link");
	actor_add(rename_others, 0, 0, 0, "file_rename.others");
	actor_add(rename_odd_names, 0, 0, 0, "file_rename.odd_names");
	actor_add(rename_long, 0, 0, 0, "file_rename.long_names");
	actor_add(truncate_link, 0, 0, 0, "write_close.truncate_through_link");
}
