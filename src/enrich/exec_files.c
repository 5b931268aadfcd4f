/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/exec_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	READ_BYTES = 16 << 10,
	READS_MAX = 64, /* in one go: what is left waits in the kernel's queue, which is bounded */
};

static const struct kind {
	uint64_t mask;
	uint32_t max;
	uint64_t hold_ns;
	bool once; /* a file is given away once */
} kinds[] = {
	[EXEC_FILES_EXECUTED] = {FAN_OPEN_EXEC, EXEC_FILES_MAX, EXEC_FILES_HOLD_NS, false},
	[EXEC_FILES_CLOSED] = {FAN_CLOSE_WRITE, CLOSED_FILES_MAX, CLOSED_FILES_HOLD_NS, true},
};

struct held {
	uint32_t tgid;
	int fd;
	uint64_t inode; /* 0: not known */
	uint64_t order;
	uint64_t since;
};

struct exec_files {
	int fanotify;
	int mounts;
	bool mounts_changed;
	uint64_t mounts_read; /* when */
	uint64_t order;
	uint64_t taken; /* order of what was given away last */
	uint32_t taken_tgid;
	uint32_t count;
	struct exec_files_stats stats;
	const struct kind *kind;
	uint32_t self;
	struct held held[]; /* oldest first */
};

/* Opening a file there asks nobody: a server or a FUSE daemon could hold us for as long as it likes. */
static bool is_local(const char *type)
{
	static const char *const types[] = {"ext2", "ext3",  "ext4",  "xfs",     "btrfs",    "f2fs",
					    "zfs",  "tmpfs", "ramfs", "overlay", "squashfs", "erofs"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* The kernel writes blank, tab, newline and backslash as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The place of a mount is in the kernel's memory, but what leads there may ask a server whether it still does. */
static int open_place(const char *place)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_CACHED,
	};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, place, &how, sizeof(how));

	if (fd < 0 && (errno == EINVAL || errno == ENOSYS)) /* RESOLVE_CACHED is of 5.12 */
		fd = open(place, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	return fd;
}

/* Only the mount itself: another one may cover its place meanwhile. */
static void watch_mount(struct exec_files *x, uint64_t id, const char *place)
{
	struct statx st;
	char link[32];
	int fd = open_place(place);

	if (fd < 0) {
		x->stats.unwatched++;
		return;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) == 0 &&
	    st.stx_mask & STATX_MNT_ID && st.stx_mnt_id == id &&
	    fanotify_mark(x->fanotify, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, x->kind->mask, AT_FDCWD, link) < 0)
		x->stats.unwatched++;
	close(fd);
}

static void watch_line(struct exec_files *x, char *line)
{
	char place[PATH_MAX], type[64];
	unsigned long long id;
	const char *rest = strstr(line, " - ");

	_Static_assert(PATH_MAX == 4096, "the width below");
	if (!rest || sscanf(rest, " - %63s", type) != 1 || !is_local(type))
		return;
	if (sscanf(line, "%llu %*s %*s %*s %4095s", &id, place) != 2)
		return;
	unescape(place);
	watch_mount(x, id, place);
}

static void watch_mounts(struct exec_files *x)
{
	char *line = NULL;
	size_t size = 0;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	if (!f)
		return;
	for (int n = 0; n < EXEC_FILES_MOUNTS_MAX && getline(&line, &size, f) > 0; n++)
		watch_line(x, line);
	free(line);
	fclose(f);
}

static void check_mounts(struct exec_files *x, uint64_t now)
{
	struct pollfd fd = {.fd = x->mounts, .events = POLLPRI};

	if (poll(&fd, 1, 0) > 0)
		x->mounts_changed = true;
	if (!x->mounts_changed || now < x->mounts_read + EXEC_FILES_MOUNTS_NS)
		return;
	x->mounts_changed = false;
	x->mounts_read = now;
	watch_mounts(x);
}

static void drop(struct exec_files *x, uint32_t i)
{
	close(x->held[i].fd);
	memmove(&x->held[i], &x->held[i + 1], (--x->count - i) * sizeof(x->held[0]));
}

static uint64_t read_inode(int fd)
{
	struct file_id id;

	return file_id_read(fd, &id, NULL) == 0 ? id.inode : 0;
}

static void hold(struct exec_files *x, const struct fanotify_event_metadata *event, uint64_t now)
{
	if (event->mask & FAN_Q_OVERFLOW)
		x->stats.overflow++;
	if (event->fd < 0)
		return;
	if ((uint32_t)event->pid == x->self) {
		close(event->fd);
		return;
	}
	if (x->count == x->kind->max) {
		x->stats.evicted++;
		drop(x, 0);
	}
	x->held[x->count++] =
		(struct held){(uint32_t)event->pid, event->fd, read_inode(event->fd), ++x->order, now};
}

static ssize_t read_some(struct exec_files *x, uint64_t now)
{
	union {
		struct fanotify_event_metadata first;
		char bytes[READ_BYTES];
	} buffer;
	ssize_t len = read(x->fanotify, buffer.bytes, sizeof(buffer.bytes));
	ssize_t n = len;

	if (len < 0)
		return errno == EAGAIN ? 0 : -errno;
	for (const struct fanotify_event_metadata *e = &buffer.first; FAN_EVENT_OK(e, n);
	     e = FAN_EVENT_NEXT(e, n))
		hold(x, e, now);
	return len;
}

/* Of a storm of closed files the later ones wait in the kernel's queue until the earlier ones were asked for. */
static bool has_room(const struct exec_files *x)
{
	return !x->kind->once ||
	       x->count + READ_BYTES / sizeof(struct fanotify_event_metadata) <= x->kind->max;
}

void exec_files_read(struct exec_files *x, uint64_t now_ns)
{
	check_mounts(x, now_ns);
	for (int i = 0; i < READS_MAX && has_room(x); i++) {
		ssize_t len = read_some(x, now_ns);
		if (len == 0)
			break;
		x->stats.unopened += len < 0; /* that file is off the queue, the next one may go */
	}
	if (!x->kind->once)
		exec_files_expire(x, now_ns);
}

void exec_files_expire(struct exec_files *x, uint64_t now_ns)
{
	while (x->count && x->held[0].since + x->kind->hold_ns < now_ns)
		drop(x, 0);
}

static bool has_path(int fd, struct str path)
{
	static const char deleted[] = " (deleted)";
	char link[32], text[PATH_MAX + sizeof(deleted)];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, text, sizeof(text));
	if (len < (ssize_t)path.len || memcmp(text, path.p, path.len) != 0)
		return false;
	size_t rest = (size_t)len - path.len;
	return rest == 0 || (rest == sizeof(deleted) - 1 && memcmp(text + path.len, deleted, rest) == 0);
}

/* Whatever its ctime: that changes when a link goes. */
static bool is_wanted(int fd, const struct file_id *wanted, struct str path)
{
	struct file_id id = *wanted, seen;

	id.known &= ~(uint32_t)FILE_ID_CTIME;
	if (!(id.known & FILE_ID_INODE))
		return path.len && path.p[0] == '/' && has_path(fd, path);
	return file_id_read(fd, &seen, NULL) == 0 && file_id_matches(&id, &seen);
}

/* Without a system call: a process may have closed a thousand files. */
static bool may_be(const struct held *held, const struct file_id *wanted)
{
	return !held->inode || !(wanted->known & FILE_ID_INODE) || held->inode == wanted->inode;
}

int exec_files_take(struct exec_files *x, uint32_t tgid, const struct file_id *wanted, struct str path)
{
	for (uint32_t i = x->count; i-- > 0;) {
		struct held *held = &x->held[i];
		if (held->tgid != tgid || !may_be(held, wanted) || !is_wanted(held->fd, wanted, path))
			continue;
		int fd = fcntl(held->fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return -1;
		x->taken = held->order;
		x->taken_tgid = tgid;
		x->stats.found++;
		if (x->kind->once)
			drop(x, i);
		return fd;
	}
	return -1;
}

static bool has_name(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

void exec_files_forget(struct exec_files *x, uint32_t tgid)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < x->count; i++) {
		struct held held = x->held[i];
		bool started = x->taken_tgid == tgid && held.order <= x->taken;
		if (held.tgid == tgid && (started || has_name(held.fd)))
			close(held.fd);
		else
			x->held[kept++] = held;
	}
	x->count = kept;
}

void exec_files_mounts_changed(struct exec_files *x)
{
	x->mounts_changed = true;
}

int exec_files_mounts_fd(const struct exec_files *x)
{
	return x->mounts;
}

void exec_files_read_stats(const struct exec_files *x, struct exec_files_stats *ret_stats)
{
	*ret_stats = x->stats;
	ret_stats->held = x->count;
}

static int init(struct exec_files *x)
{
	x->fanotify = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK,
				    O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK);
	if (x->fanotify < 0)
		return -errno;
	x->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (x->mounts < 0)
		return -errno;
	watch_mounts(x);
	return 0;
}

struct exec_files *exec_files_new(enum exec_files_kind kind)
{
	struct exec_files *x = calloc(1, sizeof(*x) + kinds[kind].max * sizeof(x->held[0]));

	if (!x)
		return NULL;
	x->kind = &kinds[kind];
	x->self = (uint32_t)getpid();
	x->fanotify = x->mounts = -1;
	int err = init(x);
	if (err) {
		exec_files_free(x);
		errno = -err;
		return NULL;
	}
	return x;
}

void exec_files_free(struct exec_files *x)
{
	if (!x)
		return;
	while (x->count)
		drop(x, x->count - 1);
	if (x->fanotify >= 0)
		close(x->fanotify);
	if (x->mounts >= 0)
		close(x->mounts);
	free(x);
}
