/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/mount_ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "enrich/mount_root.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum {
	LINK_TEXT_SIZE = 32,
	REOPEN_PATH_SIZE = 32,
};

#define REFRESH_INTERVAL_MAX_NS UINT64_C(1000000000)

struct mount_ns_root {
	uint32_t references; /* the namespace's and one for each view; main thread only */
	int fd;
};

struct hint {
	uint32_t tgid; /* 0: free */
	uint64_t start_ns;
};

struct mount_ns {
	uint64_t id;
	uint32_t members;
	struct hint hints[MOUNT_NS_HINTS];
	uint32_t next_newest;
	struct mount_ns_root *root;
	uint64_t born_ns; /* when we first heard of it */
	uint64_t root_ns; /* when the root was last renewed */
	uint64_t ended_ns;
	TAILQ_ENTRY(mount_ns) by_root; /* while root is set */
	TAILQ_ENTRY(mount_ns) by_end;  /* while members is 0 */
	UT_hash_handle hh;
};

struct mount_ns_table {
	int proc;
	bool climb;
	uint64_t host;
	uint32_t own;     /* our own namespace; 0: unknown */
	uint32_t own_pid; /* as proc has it */
	uint32_t roots;
	int host_root; /* the host's, opened when it is first needed; -1 */
	bool cannot_peek;
	struct mount_ns *by_id;
	TAILQ_HEAD(, mount_ns) by_root; /* least recently renewed first */
	TAILQ_HEAD(, mount_ns) by_end;  /* ended first */
};

static void release_root(struct mount_ns_root *root)
{
	if (!root || --root->references > 0)
		return;
	close(root->fd);
	free(root);
}

static struct mount_ns *find(const struct mount_ns_table *t, uint64_t id)
{
	struct mount_ns *ns;
	HASH_FIND(hh, t->by_id, &id, sizeof(id), ns);
	return ns;
}

static void drop_root(struct mount_ns_table *t, struct mount_ns *ns)
{
	if (!ns->root)
		return;
	TAILQ_REMOVE(&t->by_root, ns, by_root);
	t->roots--;
	release_root(ns->root);
	ns->root = NULL;
}

static void forget(struct mount_ns_table *t, struct mount_ns *ns)
{
	drop_root(t, ns);
	if (ns->members == 0)
		TAILQ_REMOVE(&t->by_end, ns, by_end);
	HASH_DEL(t->by_id, ns);
	free(ns);
}

static struct mount_ns *find_or_add(struct mount_ns_table *t, uint64_t id, uint64_t now_ns)
{
	struct mount_ns *ns = find(t, id);
	if (ns)
		return ns;

	/* Namespaces that linger give way to living ones. */
	if (HASH_COUNT(t->by_id) >= MOUNT_NS_MAX && !TAILQ_EMPTY(&t->by_end))
		forget(t, TAILQ_FIRST(&t->by_end));
	if (HASH_COUNT(t->by_id) >= MOUNT_NS_MAX) {
		errno = ENOSPC;
		return NULL;
	}
	ns = calloc(1, sizeof(*ns));
	if (!ns)
		return NULL;
	ns->id = id;
	ns->born_ns = now_ns;
	ns->ended_ns = now_ns;
	HASH_ADD(hh, t->by_id, id, sizeof(ns->id), ns);
	if (!ns->hh.tbl) {
		free(ns);
		errno = ENOMEM;
		return NULL;
	}
	TAILQ_INSERT_TAIL(&t->by_end, ns, by_end);
	return ns;
}

static void renew_root(struct mount_ns_table *t, struct mount_ns *ns, uint32_t pid, uint64_t now_ns)
{
	int fd = mount_root_open_member(t->proc, t->climb, ns->id, pid);
	if (fd < 0)
		return;
	struct mount_ns_root *root = calloc(1, sizeof(*root));
	if (!root) {
		close(fd);
		return;
	}
	*root = (struct mount_ns_root){.references = 1, .fd = fd};

	drop_root(t, ns);
	if (t->roots >= MOUNT_NS_ROOTS_MAX)
		drop_root(t, TAILQ_FIRST(&t->by_root));
	ns->root = root;
	ns->root_ns = now_ns;
	TAILQ_INSERT_TAIL(&t->by_root, ns, by_root);
	t->roots++;
}

static void refresh(struct mount_ns_table *t, struct mount_ns *ns, uint32_t pid, uint64_t now_ns)
{
	uint64_t interval = ns->root_ns - ns->born_ns;
	if (interval > REFRESH_INTERVAL_MAX_NS)
		interval = REFRESH_INTERVAL_MAX_NS;
	if (!ns->root || now_ns > ns->root_ns + interval)
		renew_root(t, ns, pid, now_ns);
}

static void add_hint(struct mount_ns *ns, uint32_t tgid, uint64_t start_ns)
{
	struct hint *free_hint = NULL;
	for (int i = MOUNT_NS_HINTS - 1; i >= 0; i--) {
		if (ns->hints[i].tgid == 0)
			free_hint = &ns->hints[i];
	}
	if (!free_hint)
		free_hint = &ns->hints[MOUNT_NS_OLDEST + ns->next_newest++ % MOUNT_NS_NEWEST];
	*free_hint = (struct hint){tgid, start_ns};
}

static void remove_hint(struct mount_ns *ns, uint32_t tgid, uint64_t start_ns)
{
	for (int i = 0; i < MOUNT_NS_HINTS; i++) {
		if (ns->hints[i].tgid == tgid && ns->hints[i].start_ns == start_ns)
			ns->hints[i] = (struct hint){0};
	}
}

static bool is_procfs(int fd)
{
	struct statfs fs;
	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

static uint32_t read_own_pid(int proc)
{
	char text[LINK_TEXT_SIZE];
	ssize_t len = readlinkat(proc, "self", text, sizeof(text) - 1);
	text[len < 0 ? 0 : len] = '\0';
	return (uint32_t)strtoul(text, NULL, 10);
}

struct mount_ns_table *mount_ns_new(const char *proc)
{
	struct mount_ns_table *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	TAILQ_INIT(&t->by_root);
	TAILQ_INIT(&t->by_end);
	t->proc = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (t->proc < 0) {
		int error = errno;
		free(t);
		errno = error;
		return NULL;
	}
	/* Roots in a test's tree are plain directories: ".." would leave them. */
	t->climb = is_procfs(t->proc);
	t->host_root = -1;
	t->host = mount_root_read_ns(t->proc, "1/ns/mnt");
	t->own = mount_root_read_ns(t->proc, "self/ns/mnt");
	t->own_pid = read_own_pid(t->proc);
	return t;
}

void mount_ns_free(struct mount_ns_table *t)
{
	if (!t)
		return;
	struct mount_ns *ns, *next;
	HASH_ITER(hh, t->by_id, ns, next)
	{
		forget(t, ns);
	}
	close(t->proc);
	if (t->host_root >= 0)
		close(t->host_root);
	free(t);
}

uint64_t mount_ns_host(const struct mount_ns_table *t)
{
	return t->host;
}

void mount_ns_set_host(struct mount_ns_table *t, uint64_t id)
{
	t->host = id;
}

int mount_ns_join(struct mount_ns_table *t, uint64_t id, uint32_t tgid, uint64_t start_ns, uint64_t now_ns)
{
	if (id == 0 || tgid == 0)
		return -EINVAL;
	struct mount_ns *ns = find_or_add(t, id, now_ns);
	if (!ns)
		return -errno;

	if (ns->members++ == 0)
		TAILQ_REMOVE(&t->by_end, ns, by_end);
	add_hint(ns, tgid, start_ns);
	refresh(t, ns, tgid, now_ns);
	return 0;
}

void mount_ns_leave(struct mount_ns_table *t, uint64_t id, uint32_t tgid, uint64_t start_ns, uint64_t now_ns)
{
	struct mount_ns *ns = find(t, id);
	if (!ns || ns->members == 0)
		return;
	remove_hint(ns, tgid, start_ns);
	if (--ns->members > 0)
		return;
	ns->ended_ns = now_ns;
	TAILQ_INSERT_TAIL(&t->by_end, ns, by_end);
}

void mount_ns_refresh(struct mount_ns_table *t, uint64_t id, uint32_t pid, uint64_t now_ns)
{
	struct mount_ns *ns = find(t, id);
	if (ns && ns->members > 0)
		refresh(t, ns, pid, now_ns);
}

void mount_ns_expire(struct mount_ns_table *t, uint64_t now_ns)
{
	struct mount_ns *ns;
	while ((ns = TAILQ_FIRST(&t->by_end)) && now_ns >= ns->ended_ns + MOUNT_NS_LINGER_NS)
		forget(t, ns);
}

uint32_t mount_ns_member_count(const struct mount_ns_table *t, uint64_t id)
{
	struct mount_ns *ns = find(t, id);
	return ns ? ns->members : 0;
}

uint32_t mount_ns_root_count(const struct mount_ns_table *t)
{
	return t->roots;
}

static void add_pid(struct mount_ns_view *view, uint32_t pid)
{
	for (uint32_t i = 0; i < view->pid_count; i++) {
		if (view->pids[i] == pid)
			return;
	}
	if (pid != 0)
		view->pids[view->pid_count++] = pid;
}

void mount_ns_view_init(struct mount_ns_table *t, uint64_t id, uint32_t pid, struct mount_ns_view *ret_view)
{
	struct mount_ns_view view = {.id = id, .proc = t->proc, .climb = t->climb};
	struct mount_ns *ns = find(t, id);

	/* Those that cannot be anywhere else come first. */
	if ((uint32_t)id == (uint32_t)t->host)
		add_pid(&view, 1);
	if ((uint32_t)id == t->own)
		add_pid(&view, t->own_pid);
	add_pid(&view, pid);
	for (int i = 0; ns && i < MOUNT_NS_HINTS; i++)
		add_pid(&view, ns->hints[i].tgid);
	if (id == 0)
		view.pid_count = 0;
	if (ns && ns->root) {
		view.root = ns->root;
		view.root->references++;
	}
	*ret_view = view;
}

void mount_ns_view_fini(struct mount_ns_view *view)
{
	release_root(view->root);
	view->root = NULL;
}

static bool is_absent(int error)
{
	return error == -ENOENT || error == -ENOTDIR;
}

/* These say nothing about the namespace. */
static bool is_our_fault(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

/* -ENXIO: this process tells nothing about the namespace. */
static int open_by_member(const struct mount_ns_view *view, uint32_t pid, const char *path)
{
	int root = mount_root_open_member(view->proc, view->climb, view->id, pid);
	if (root < 0)
		return is_our_fault(root) ? root : -ENXIO;

	int fd = mount_root_open_below(root, path, 0, 0);
	close(root);
	/* The mounts of a namespace go with its last process, and what was in them is then not there, but not deleted. */
	if (is_absent(fd) && !mount_root_is_member(view->proc, view->id, pid))
		return -ENXIO;
	return fd;
}

int mount_ns_view_open(const struct mount_ns_view *view, const char *path)
{
	int fd = -ENXIO;
	for (uint32_t i = 0; i < view->pid_count && fd == -ENXIO; i++)
		fd = open_by_member(view, view->pids[i], path);
	if (fd != -ENXIO || !view->root)
		return fd;

	/* An old root may have been left by pivot_root: it can show a file, but cannot prove that there is none. */
	fd = mount_root_open_below(view->root->fd, path, 0, 0);
	return is_absent(fd) ? -ENXIO : fd;
}

int mount_ns_open(struct mount_ns_table *t, uint64_t id, uint32_t pid, const char *path)
{
	struct mount_ns_view view;
	mount_ns_view_init(t, id, pid, &view);
	int fd = mount_ns_view_open(&view, path);
	mount_ns_view_fini(&view);
	return fd;
}

/* The root of the namespace. *ret_owned: the caller closes it. The host's own never changes. */
static int peek_root(struct mount_ns_table *t, uint64_t id, uint32_t pid, bool *ret_owned)
{
	struct mount_ns *ns = find(t, id);
	struct mount_ns_view view;
	int root = -ENXIO;

	*ret_owned = false;
	if ((uint32_t)id == (uint32_t)t->host && t->host_root >= 0)
		return t->host_root;
	if (ns && ns->root)
		return ns->root->fd;
	mount_ns_view_init(t, id, pid, &view);
	for (uint32_t i = 0; i < view.pid_count && root < 0; i++)
		root = mount_root_open_member(t->proc, t->climb, id, view.pids[i]);
	mount_ns_view_fini(&view);
	if (root >= 0 && (uint32_t)id == (uint32_t)t->host)
		t->host_root = root;
	else
		*ret_owned = root >= 0;
	return root;
}

int mount_ns_peek_at(struct mount_ns_table *t, int dir, const char *path, bool links, int flags)
{
	uint64_t resolve = links ? 0 : RESOLVE_NO_SYMLINKS;

	if (!t->cannot_peek) {
		int fd = mount_root_open_below(dir, path, (uint64_t)flags, resolve | RESOLVE_CACHED);
		if (fd != -EINVAL)
			return fd;
		t->cannot_peek = true; /* before 5.12 */
	}
	return mount_root_open_below(dir, path, (uint64_t)flags, resolve);
}

int mount_ns_peek(struct mount_ns_table *t, uint64_t id, uint32_t pid, const char *path, bool links,
		  int flags)
{
	bool owned;
	int root = peek_root(t, id, pid, &owned);
	if (root < 0)
		return root;

	int fd = mount_ns_peek_at(t, root, path, links, flags);
	if (owned)
		close(root);
	return fd;
}

int mount_ns_path_of(struct mount_ns_table *t, int fd, char *ret, size_t size)
{
	char path[LINK_TEXT_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "self/fd/%d", fd);
	ssize_t len = readlinkat(t->proc, path, ret, size - 1);
	if (len < 0)
		return -errno;
	if ((size_t)len == size - 1)
		return -ENAMETOOLONG;
	ret[len] = '\0';
	/* of what is deleted the kernel tells a path that is none */
	if (fstat(fd, &st) < 0 || st.st_nlink == 0 || ret[0] != '/')
		return -ENOENT;
	return (int)len;
}

int mount_ns_open_exe(struct mount_ns_table *t, uint32_t pid)
{
	char path[32];
	snprintf(path, sizeof(path), "%u/exe", pid);
	int fd = openat(t->proc, path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Reading kmsg or trace_pipe takes away what others wait for, reading an attribute can make a driver act. */
static bool is_pseudo(const struct statfs *fs)
{
	static const unsigned long types[] = {
		PROC_SUPER_MAGIC,   SYSFS_MAGIC,         DEBUGFS_MAGIC,  TRACEFS_MAGIC,
		SECURITYFS_MAGIC,   SELINUX_MAGIC,       PSTOREFS_MAGIC, EFIVARFS_MAGIC,
		CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC,
	};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if ((unsigned long)fs->f_type == types[i])
			return true;
	}
	return false;
}

static int check_readable(int path_fd)
{
	struct stat st;
	struct statfs fs;
	if (fstat(path_fd, &st) < 0 || fstatfs(path_fd, &fs) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return is_pseudo(&fs) ? -EOPNOTSUPP : 0;
}

int mount_ns_reopen(int path_fd)
{
	int ret = check_readable(path_fd);
	if (ret < 0)
		return ret;

	char path[REOPEN_PATH_SIZE];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	/* The access time belongs to the system's users; only owners may leave it alone. */
	int fd = open(path, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}
