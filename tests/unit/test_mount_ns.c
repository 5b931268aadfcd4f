/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/mount_ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/process.h"
#include "tests/support/tree.h"
#include "tests/unit/tap.h"

#define SECOND UINT64_C(1000000000)

enum { HOST = 100, BOX = 200, OTHER = 300 };

/* ---- a tree of the shape of /proc, and what its processes see ---- */

static void end_process(uint32_t pid)
{
	unlink(at("proc/%u/ns/mnt", pid));
	rmdir(at("proc/%u/ns", pid));
	unlink(at("proc/%u/root", pid));
	rmdir(at("proc/%u", pid));
}

static void make_tree(void)
{
	tree_make();
	mkdir(at("proc"), 0755);
	mkdir(at("host"), 0755);
	mkdir(at("box"), 0755);
	mkdir(at("box/dir"), 0755);
	write_file(at("host/secret"), "secret");
	write_file(at("host/same"), "host");
	write_file(at("box/same"), "box");
	write_file(at("box/dir/\xff\xfe"), "bytes");
	write_file(at("box/target"), "inside");
	link_to(at("box/inside"), "/target");
	link_to(at("box/absolute"), at("host/secret"));
	link_to(at("box/relative"), "../host/secret");
	link_to(at("box/dir/deep"), "../../../../../../../../../../host/secret");
	link_to(at("box/loop"), "loop");
	link_to(at("box/magic"), "/proc/self/root/etc/passwd");
	add_process(1, HOST, "host");
}

static void remove_tree(void)
{
	tree_remove();
}

static const char *read_of(int path_fd)
{
	static char text[64];
	int fd = path_fd < 0 ? path_fd : mount_ns_reopen(path_fd);
	if (path_fd >= 0)
		close(path_fd);
	if (fd < 0) {
		snprintf(text, sizeof(text), "error %s", strerrorname_np(-fd));
		return text;
	}
	ssize_t len = read(fd, text, sizeof(text) - 1);
	text[len < 0 ? 0 : len] = '\0';
	close(fd);
	return text;
}

static int error_of(int fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static struct mount_ns_table *new_table(void)
{
	struct mount_ns_table *t = mount_ns_new(at("proc"));
	if (!t)
		abort();
	return t;
}

/* ---- tests ---- */

static void test_lookup(void)
{
	struct mount_ns_table *t = new_table();
	add_process(10, BOX, "box");
	is_u64(mount_ns_host(t), HOST, "the host's namespace is that of pid 1");
	is_str(read_of(mount_ns_open(t, HOST, 0, "/same")), "host", "a file of the host");
	is_str(read_of(mount_ns_open(t, HOST, 99999, "/same")), "host",
	       "the event's process is not needed on the host");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/same")), "box", "by the event's process");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/dir/\xff\xfe")), "bytes", "a path that is not UTF-8");
	is_str(read_of(mount_ns_open(t, HOST, 0, "/gone")), "error ENOENT", "no such file on the host");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/gone")), "error ENOENT",
	       "no such file in a living namespace");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/same/x")), "error ENOTDIR",
	       "a file where a directory was");
	is_str(read_of(mount_ns_open(t, BOX, 0, "/same")), "error ENXIO", "no process known");
	is_str(read_of(mount_ns_open(t, 0, 10, "/same")), "error ENXIO", "no namespace");
	is_str(read_of(mount_ns_open(t, OTHER, 10, "/same")), "error ENXIO",
	       "the process is in another namespace");
	is_str(read_of(mount_ns_open(t, BOX, 11, "/same")), "error ENXIO", "the process has ended");
	mount_ns_set_host(t, BOX);
	is_str(read_of(mount_ns_open(t, BOX, 10, "/same")), "box",
	       "a host's namespace that pid 1 does not show");
	mount_ns_set_host(t, HOST);
	is_u64(mount_ns_root_count(t), 0, "looking up holds nothing open");
	end_process(10);
	mount_ns_free(t);
}

/* Without openat2, symbolic links are not followed at all. */
static const char *expect(const char *with_openat2)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC};
	long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));
	if (fd >= 0)
		close((int)fd);
	return fd >= 0 || errno != ENOSYS ? with_openat2 : "error ELOOP";
}

static void test_escape(void)
{
	struct mount_ns_table *t = new_table();
	add_process(10, BOX, "box");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/inside")), expect("inside"),
	       "an absolute link means the namespace's root");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/absolute")), expect("error ENOENT"), "absolute link out");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/relative")), expect("error ENOENT"), "relative link out");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/dir/deep")), expect("error ENOENT"), "many steps up");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/../host/secret")), expect("error ENOENT"),
	       "steps up in the path");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/magic")), expect("error ENOENT"),
	       "a link to our own root");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/loop")), "error ELOOP", "a loop is an error of its own");
	end_process(10);
	mount_ns_free(t);
}

static void test_members(void)
{
	struct mount_ns_table *t = new_table();
	add_process(10, BOX, "box");
	add_process(11, BOX, "box");
	is_u64((uint64_t)mount_ns_join(t, BOX, 10, 1, SECOND), 0, "join");
	mount_ns_join(t, BOX, 11, 1, SECOND);
	is_u64(mount_ns_member_count(t, BOX), 2, "two members");
	is_str(read_of(mount_ns_open(t, BOX, 99, "/same")), "box", "by a member");

	/* 10 ends, and its number is used by a process of another namespace. */
	add_process(10, OTHER, "host");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/same")), "box", "a number used again is not believed");
	mount_ns_leave(t, BOX, 10, 1, SECOND);
	is_u64(mount_ns_member_count(t, BOX), 1, "one member left");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/gone")), "error ENOENT", "and it lives: deleted");
	mount_ns_leave(t, OTHER, 10, 1, SECOND);
	is_u64(mount_ns_member_count(t, OTHER), 0, "leaving what was never joined");
	ok(mount_ns_join(t, 0, 10, 1, SECOND) == -EINVAL, "no namespace to join");

	/* The last one ends: the root stays for a while, and cannot prove a deletion. */
	end_process(10);
	end_process(11);
	mount_ns_leave(t, BOX, 11, 1, 5 * SECOND);
	is_str(read_of(mount_ns_open(t, BOX, 11, "/same")), "box", "by the cached root");
	is_str(read_of(mount_ns_open(t, BOX, 11, "/gone")), "error ENXIO",
	       "the cached root proves no deletion");
	mount_ns_expire(t, 5 * SECOND + MOUNT_NS_LINGER_NS - 1);
	is_u64(mount_ns_root_count(t), 1, "still there just before the time");
	mount_ns_expire(t, 5 * SECOND + MOUNT_NS_LINGER_NS);
	is_u64(mount_ns_root_count(t), 0, "gone at the time");
	is_str(read_of(mount_ns_open(t, BOX, 11, "/same")), "error ENXIO", "and unknown");

	/* Back to life within the time. */
	add_process(12, BOX, "box");
	mount_ns_join(t, BOX, 12, 1, 6 * SECOND);
	mount_ns_leave(t, BOX, 12, 1, 7 * SECOND);
	mount_ns_join(t, BOX, 12, 2, 8 * SECOND);
	mount_ns_expire(t, 20 * SECOND);
	is_u64(mount_ns_member_count(t, BOX), 1, "a namespace that lives again stays");
	end_process(12);
	mount_ns_free(t);
}

/* The kernel gives the number of a namespace that ended to the next one. */
static void test_number_used_again(void)
{
	const uint64_t first = UINT64_C(1) << 32 | BOX, second = UINT64_C(2) << 32 | BOX;
	struct mount_ns_table *t = new_table();

	add_process(10, BOX, "box");
	mount_ns_join(t, first, 10, 1, SECOND);
	is_str(read_of(mount_ns_open(t, first, 10, "/same")), "box", "the first namespace");
	mount_ns_leave(t, first, 10, 1, SECOND);
	end_process(10);
	is_str(read_of(mount_ns_open(t, first, 10, "/same")), "box", "its root is remembered");
	is_str(read_of(mount_ns_open(t, second, 10, "/same")), "error ENXIO", "but not for the next one");
	add_process(11, BOX, "host");
	mount_ns_join(t, second, 11, 1, SECOND);
	is_str(read_of(mount_ns_open(t, second, 11, "/same")), "host", "which has its own");
	end_process(11);
	mount_ns_free(t);
}

static void test_hints(void)
{
	enum { FIRST = 1000, MEMBERS = 101 };
	struct mount_ns_table *t = new_table();
	for (uint32_t i = 0; i < MEMBERS; i++)
		mount_ns_join(t, BOX, FIRST + i, i, SECOND);
	is_u64(mount_ns_member_count(t, BOX), MEMBERS, "the count is exact beyond what is remembered");
	is_u64(mount_ns_root_count(t), 0, "none of them lives");

	add_process(FIRST, BOX, "box");
	is_str(read_of(mount_ns_open(t, BOX, 0, "/same")), "box", "the first member is remembered");
	end_process(FIRST);
	add_process(FIRST + MEMBERS - 1, BOX, "box");
	is_str(read_of(mount_ns_open(t, BOX, 0, "/same")), "box", "the last member is remembered");
	mount_ns_leave(t, BOX, FIRST + MEMBERS - 1, 7, SECOND);
	is_str(read_of(mount_ns_open(t, BOX, 0, "/same")), "box", "another start time is another process");
	end_process(FIRST + MEMBERS - 1);

	for (uint32_t i = 0; i < MEMBERS - 1; i++)
		mount_ns_leave(t, BOX, FIRST + i, i, SECOND);
	is_u64(mount_ns_member_count(t, BOX), 0, "all have left");
	mount_ns_expire(t, 10 * SECOND);
	mount_ns_free(t);
}

static void test_refresh(void)
{
	struct mount_ns_table *t = new_table();
	add_process(10, BOX, "host");
	mount_ns_join(t, BOX, 10, 1, SECOND);
	/* pivot_root, then execve */
	add_process(10, BOX, "box");
	mount_ns_refresh(t, BOX, 10, SECOND + 1);
	end_process(10);
	is_str(read_of(mount_ns_open(t, BOX, 10, "/same")), "box",
	       "a young namespace's root is renewed at once");

	add_process(10, BOX, "box");
	mount_ns_refresh(t, BOX, 10, 3 * SECOND);
	add_process(10, BOX, "host");
	mount_ns_refresh(t, BOX, 10, 4 * SECOND);
	end_process(10);
	is_str(read_of(mount_ns_open(t, BOX, 10, "/same")), "box", "an old one's at most once a second");
	add_process(10, BOX, "host");
	mount_ns_refresh(t, BOX, 10, 4 * SECOND + 1);
	end_process(10);
	is_str(read_of(mount_ns_open(t, BOX, 10, "/same")), "host", "but then it is");
	mount_ns_free(t);
}

static void test_bounds(void)
{
	int before = count_fds();
	struct mount_ns_table *t = new_table();
	add_process(10, BOX, "box");
	uint32_t pid = 2000;
	for (uint32_t i = 0; i <= MOUNT_NS_ROOTS_MAX; i++) {
		add_process(pid, 5000 + i, "box");
		mount_ns_join(t, 5000 + i, pid, 1, SECOND);
		end_process(pid);
	}
	is_u64(mount_ns_root_count(t), MOUNT_NS_ROOTS_MAX, "roots are bounded");
	is_str(read_of(mount_ns_open(t, 5000, pid, "/same")), "error ENXIO", "the oldest went");
	is_str(read_of(mount_ns_open(t, 5001, pid, "/same")), "box", "the next one did not");

	int ret = 0;
	for (uint32_t i = MOUNT_NS_ROOTS_MAX + 1; i < MOUNT_NS_MAX; i++)
		ret |= mount_ns_join(t, 5000 + i, 3000, 1, SECOND);
	is_u64((uint64_t)ret, 0, "namespaces up to the bound");
	ok(mount_ns_join(t, 4999, 10, 1, SECOND) == -ENOSPC, "one past it");
	is_u64((uint64_t)mount_ns_join(t, 5000, 10, 1, SECOND), 0, "known ones can still be joined");
	mount_ns_leave(t, 5007, pid, 1, SECOND);
	is_u64((uint64_t)mount_ns_join(t, 4999, 10, 1, SECOND), 0, "one that only lingers gives way");

	struct mount_ns_view view;
	mount_ns_view_init(t, 5001, 0, &view);
	mount_ns_leave(t, 5001, pid, 1, SECOND);
	mount_ns_expire(t, 10 * SECOND);
	is_str(read_of(mount_ns_view_open(&view, "/same")), "box", "a view keeps its root");
	mount_ns_view_fini(&view);
	end_process(10);
	mount_ns_free(t);
	is_u64((uint64_t)count_fds(), (uint64_t)before, "no descriptor is left");
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	close(fd);
}

static void test_reopen(void)
{
	struct mount_ns_table *t = new_table();
	add_process(10, BOX, "box");
	mkfifo(at("box/fifo"), 0644);
	make_socket(at("box/socket"));
	alarm(20);
	is_str(read_of(mount_ns_open(t, BOX, 10, "/fifo")), "error EINVAL",
	       "a fifo is not opened, nothing waits");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/socket")), "error EINVAL", "nor a socket");
	is_str(read_of(mount_ns_open(t, BOX, 10, "/dir")), "error EISDIR", "nor a directory");
	is_str(read_of(open("/dev/null", O_PATH)), "error EINVAL", "nor a device");
	is_str(read_of(open("/proc/self/status", O_PATH)), "error EOPNOTSUPP", "nor what is not on a disk");
	alarm(0);
	end_process(10);
	mount_ns_free(t);

	write_file(at("box/private"), "private");
	chmod(at("box/private"), 0);
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		int fd = open(at("box/private"), O_PATH | O_CLOEXEC);
		if (fd < 0 && errno == EACCES)
			_exit(0);
		_exit(mount_ns_reopen(fd) == -EACCES ? 0 : 1);
	}
	int status;
	waitpid(child, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "an unreadable file is EACCES");
}

/* ---- real namespaces ---- */

struct child {
	pid_t pid;
	int pipe;
	uint32_t inum;
};

/* Deeper than one look up from it reaches. */
static bool chroot_deep(void)
{
	if (chdir(at("box")) < 0)
		return false;
	for (int i = 0; i < 29; i++) {
		if (mkdir("d", 0755) < 0 || chdir("d") < 0)
			return false;
	}
	return chroot(".") == 0;
}

/* After unshare, a tmpfs on box with the file "live"; then the variant's own steps. */
static void live(int pipe, int variant)
{
	char users[64], groups[64];
	snprintf(users, sizeof(users), "0 %u 1", getuid());
	snprintf(groups, sizeof(groups), "0 %u 1", getgid());
	if (unshare(variant == 0 ? CLONE_NEWNS | CLONE_NEWUSER : CLONE_NEWNS) < 0)
		_exit(1);
	if (variant == 0) {
		write_file("/proc/self/uid_map", users);
		write_file("/proc/self/setgroups", "deny");
		write_file("/proc/self/gid_map", groups);
	}
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("t", at("box"), "tmpfs", 0, NULL) < 0)
		_exit(1);
	write_file(at("box/live"), "tmpfs");
	mkdir(at("box/old"), 0755);
	mkdir(at("box/etc"), 0755);
	link_to(at("box/out"), "/etc/passwd");
	link_to(at("box/up"), "../../../../../../etc/passwd");
	if (variant == 2 && (chdir(at("box")) < 0 || chroot(".") < 0))
		_exit(1);
	if (variant == 3 && (mkdir(at("box/sub"), 0755) < 0 || chroot(at("box/sub")) < 0))
		_exit(1);
	if (variant == 4 && (chdir(at("box")) < 0 || syscall(SYS_pivot_root, ".", "old") < 0 ||
			     chdir("/") < 0 || umount2("/old", MNT_DETACH) < 0))
		_exit(1);
	if (variant == 5 && !chroot_deep())
		_exit(1);
	if (write(pipe, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static uint32_t own_namespace(void)
{
	struct stat st;
	return stat("/proc/self/ns/mnt", &st) == 0 ? (uint32_t)st.st_ino : 0;
}

static bool start_child(struct child *c, int variant)
{
	int ends[2];
	char byte, link[64], path[64];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	fflush(stdout);
	c->pid = fork();
	if (c->pid == 0) {
		/* The test's tables keep descriptors that are not meant for it. */
		close(ends[0]);
		live(ends[1], variant);
	}
	close(ends[1]);
	bool up = read(ends[0], &byte, 1) == 1;
	close(ends[0]);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", c->pid);
	ssize_t len = readlink(path, link, sizeof(link) - 1);
	link[len < 0 ? 0 : len] = '\0';
	return up && sscanf(link, "mnt:[%u]", &c->inum) == 1;
}

static void end_child(struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
}

static const char *variants[] = {"user namespace",        "plain",      "chroot to a mount",
				 "chroot to a directory", "pivot_root", "deep chroot"};

static uint64_t links(int with_openat2)
{
	return (uint64_t)(strcmp(expect("yes"), "yes") == 0 ? with_openat2 : -ELOOP);
}

static void test_real(int variant)
{
	struct child c;
	int before = count_fds();
	if (!start_child(&c, variant)) {
		end_child(&c);
		ok(true, "real namespace, %s # SKIP not permitted to make one", variants[variant]);
		return;
	}
	struct mount_ns_table *t = mount_ns_new("/proc");
	char path[128];
	if (mount_ns_host(t) == 0)
		mount_ns_set_host(t, own_namespace());
	bool pivoted = variant == 4;
	uint32_t pid = (uint32_t)c.pid;

	snprintf(path, sizeof(path), "%s/live", pivoted ? "" : at("box"));
	is_str(read_of(mount_ns_open(t, c.inum, pid, path)), "tmpfs", variants[variant]);
	is_str(read_of(mount_ns_open(t, mount_ns_host(t), 0, path)), "error ENOENT", "  not on the host");
	is_str(read_of(mount_ns_open(t, c.inum, pid, "/no-such-file")), "error ENOENT", "  deleted");
	snprintf(path, sizeof(path), "%s/out", pivoted ? "" : at("box"));
	is_u64((uint64_t)error_of(mount_ns_open(t, c.inum, pid, path)), links(pivoted ? -ENOENT : 0),
	       "  a link means the namespace's /etc/passwd");
	snprintf(path, sizeof(path), "%s/up", pivoted ? "" : at("box"));
	is_u64((uint64_t)error_of(mount_ns_open(t, c.inum, pid, path)), links(pivoted ? -ENOENT : 0),
	       "  as do steps up");

	mount_ns_join(t, c.inum, pid, 1, SECOND);
	is_u64(mount_ns_root_count(t), 1, "  its root is cached");
	end_child(&c);
	mount_ns_leave(t, c.inum, pid, 1, SECOND);
	is_str(read_of(mount_ns_open(t, c.inum, pid, "/no-such-file")), "error ENXIO",
	       "  ended: nothing is known");
	if (pivoted)
		is_str(read_of(mount_ns_open(t, c.inum, pid, "/live")), "tmpfs",
		       "  ended: by the cached root");
	else
		is_u64((uint64_t)error_of(mount_ns_open(t, c.inum, pid, "/tmp")), 0,
		       "  ended: by the cached root");
	mount_ns_free(t);
	is_u64((uint64_t)count_fds(), (uint64_t)before, "  no descriptor is left");
}

/* ---- looking where a path leads ---- */

static int peek(struct mount_ns_table *t, const char *path, bool links, int flags)
{
	struct stat st;
	int fd = mount_ns_peek(t, BOX, 0, path, links, flags);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		abort();
	close(fd);
	return S_ISDIR(st.st_mode) ? 'd' : S_ISLNK(st.st_mode) ? 'l' : 'f';
}

/* Following a link for the first time after it was made writes its access time, which looking does not do. */
static void read_links(void)
{
	static const char *const links[] = {"box/inside", "box/dir/deep", "box/loop"};
	char text[4096];

	usleep(20000); /* the clock of the file system goes on */
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (readlink(at(links[i]), text, sizeof(text)) < 0)
			abort();
}

static void test_peek(void)
{
	struct mount_ns_table *t = mount_ns_new(at("proc"));
	read_links();
	add_process(7, BOX, "box");
	ok(mount_ns_peek(t, BOX, 0, "/same", true, 0) == -ENXIO, "an unknown namespace");
	mount_ns_join(t, BOX, 7, 1, SECOND);
	is_u64((uint64_t)peek(t, "/target", false, 0), 'f', "a file");
	is_u64((uint64_t)peek(t, "//dir/../dir/.", false, O_DIRECTORY), 'd', "a directory");
	is_u64((uint64_t)peek(t, "/../../dir", false, 0), 'd', "up beyond the root");
	ok(peek(t, "/target", false, O_DIRECTORY) == -ENOTDIR, "a file is no directory");
	int missing = peek(t, "/missing", false, 0);
	ok(missing == -ENOENT || missing == -EAGAIN, "nothing there, or nothing known");
	ok(peek(t, "/inside", false, 0) == -ELOOP, "a link where none may be");
	is_u64((uint64_t)peek(t, "/inside", true, 0), 'f', "a link, from the namespace's root");
	is_u64((uint64_t)peek(t, "/inside", true, O_NOFOLLOW), 'l', "the link itself");
	missing = peek(t, "/dir/deep", true, 0);
	ok(missing == -ENOENT || missing == -EAGAIN, "a link does not lead out");
	ok(peek(t, "/loop", true, 0) == -ELOOP, "a loop");
	ok(peek(t, "", true, 0) == -ENOENT, "no name");
	mount_ns_leave(t, BOX, 7, 1, SECOND);
	mount_ns_free(t);
	end_process(7);
}

static void test_path_of(void)
{
	struct mount_ns_table *t = mount_ns_new("/proc");
	char text[4096];
	int fd = open(at("box/dir/.."), O_PATH | O_DIRECTORY | O_CLOEXEC);
	int len = mount_ns_path_of(t, fd, text, sizeof(text));
	const char *want = realpath(at("box"), NULL);
	ok(len == (int)strlen(text) && want && strcmp(text, want) == 0, "a directory's path");
	ok(mount_ns_path_of(t, fd, text, strlen(want)) == -ENAMETOOLONG, "no room");
	free((void *)want);
	close(fd);

	fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		ok(mount_ns_path_of(t, fd, text, sizeof(text)) == -ENOENT, "a file without a name");
	if (fd >= 0)
		close(fd);
	ok(mount_ns_path_of(t, -1, text, sizeof(text)) < 0, "no descriptor");
	mount_ns_free(t);
}

int main(void)
{
	make_tree();
	test_lookup();
	test_escape();
	test_members();
	test_number_used_again();
	test_hints();
	test_refresh();
	test_bounds();
	test_reopen();
	if (strcmp(expect("yes"), "yes") == 0)
		test_peek();
	test_path_of();
	for (int variant = 0; variant < 6; variant++)
		test_real(variant);
	remove_tree();
	return done_testing();
}
