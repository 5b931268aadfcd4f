/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"

enum { RESOLVED_SIZE = 2 * PATH_MAX };

/* What a lookup works on. */
struct name {
	struct mount_ns_table *namespaces;
	struct names *names;
	uint64_t mnt_ns;
	uint32_t pid;
	const struct event *event;
	const struct wire_path *wire;
	struct str name;   /* as the program passed it */
	const char *whole; /* below the namespace's root, NUL-terminated */
};

static int open_path(const struct name *n, const char *path, bool links, int flags)
{
	return mount_ns_peek(n->namespaces, n->mnt_ns, n->pid, path, links, flags);
}

/*
 * Opens path; the first try allows no links, so that the text alone is the truth when it succeeds. *ret_linked: it did
 * not, and the descriptor knows where the links led. Absolute links of a process with a root of its own start there,
 * which cannot be asked for any more.
 */
static int open_resolved(const struct name *n, const char *path, int flags, bool *ret_linked)
{
	int fd = open_path(n, path, false, flags);

	*ret_linked = false;
	if (fd != -ELOOP || n->wire->flags & PATH_CHROOTED)
		return fd;
	*ret_linked = true;
	return open_path(n, path, true, flags);
}

static struct name_directory *find_directory(const struct name *n, const char *path)
{
	for (uint32_t i = 0; i < NAMES_DIRECTORIES_MAX; i++) {
		struct name_directory *d = &n->names->directories[i];
		if (d->path && d->mnt_ns == n->mnt_ns && strcmp(d->path, path) == 0)
			return d;
	}
	return NULL;
}

static void forget_directory(struct name_directory *d)
{
	if (!d->path)
		return;
	close(d->fd);
	free(d->path);
	d->path = NULL;
}

void names_forget(struct names *names)
{
	for (uint32_t i = 0; i < NAMES_DIRECTORIES_MAX; i++)
		forget_directory(&names->directories[i]);
}

/* Opens a directory, or takes it from this reading's memory, where it stays. NULL: it cannot be looked up. */
static const struct name_directory *open_directory(const struct name *n, const char *path)
{
	struct name_directory *d = find_directory(n, path);
	bool linked;

	if (d)
		return d->linked && n->wire->flags & PATH_CHROOTED ? NULL : d;
	int fd = open_resolved(n, path, O_DIRECTORY, &linked);
	if (fd < 0)
		return NULL;
	char *copy = strdup(path);
	if (!copy) {
		close(fd);
		return NULL;
	}
	d = &n->names->directories[n->names->next++ % NAMES_DIRECTORIES_MAX];
	forget_directory(d);
	*d = (struct name_directory){n->mnt_ns, copy, fd, linked};
	return d;
}

/*
 * Whether the path of the directory that the name starts from, the process's root for an absolute one, still leads there:
 * another mount may hide it, or pivot_root have taken it away.
 */
static bool base_is_there(const struct name *n)
{
	struct wire_path base = *n->wire;
	struct statx stx;

	base.flags &= ~(uint32_t)PATH_USER;
	base.mode = S_IFDIR;
	struct path path = path_decode(n->event, &base);
	const struct name_directory *d = open_directory(n, path.raw.p);
	return d && !d->linked &&
	       statx(d->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &stx) == 0 &&
	       stx.stx_ino == n->wire->inode;
}

/* Without "//" and "/./", which say nothing and can make a path too long to be looked up. NULL when memory is short. */
static const char *squeeze(struct arena *a, struct str path)
{
	char *text = arena_alloc(a, path.len + 1);
	size_t out = 0;

	if (!text)
		return NULL;
	for (size_t at = 0; at < path.len; at++) {
		bool after_slash = out > 0 && text[out - 1] == '/';
		if (after_slash && path.p[at] == '/')
			continue;
		if (after_slash && path.p[at] == '.' && at + 1 < path.len && path.p[at + 1] == '/')
			continue;
		text[out++] = path.p[at];
	}
	text[out] = '\0';
	return text;
}

/* Behind the last component's slash; trailing slashes are part of it. */
static size_t leaf_of(struct str path)
{
	size_t at = path.len;

	while (at > 0 && path.p[at - 1] == '/')
		at--;
	while (at > 0 && path.p[at - 1] != '/')
		at--;
	return at;
}

static bool is_dots(struct str leaf)
{
	while (leaf.len && leaf.p[leaf.len - 1] == '/')
		leaf.len--;
	return leaf.len == 0 || str_eq(leaf, STR(".")) || str_eq(leaf, STR(".."));
}

/* Nothing is asked of a server or a disk: the call has just been made, and left it in the kernel's cache. */
static uint32_t mode_at(const struct name *n, int dir, const char *leaf)
{
	struct statx stx;
	int fd = mount_ns_peek_at(n->namespaces, dir, leaf, false, O_NOFOLLOW);

	if (fd < 0)
		return 0;
	bool known = statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) == 0;
	close(fd);
	return known ? stx.stx_mode : 0;
}

static char *keep(struct names *names, struct str directory, struct str leaf)
{
	size_t size = directory.len + leaf.len + 2;

	if (names->bytes + size > NAMES_BYTES_MAX)
		return NULL;
	char *path = malloc(size);
	if (!path)
		return NULL;
	memcpy(path, directory.p, directory.len);
	size_t at = directory.len;
	if (leaf.len && at > 0 && path[at - 1] != '/')
		path[at++] = '/';
	memcpy(path + at, leaf.p, leaf.len);
	path[at + leaf.len] = '\0';
	names->bytes += strlen(path) + 1;
	return path;
}

/* Where a descriptor's links led; false when that is no path any more. */
static bool keep_resolved(const struct name *n, int fd, struct str leaf, struct name_lookup *ret)
{
	char text[RESOLVED_SIZE];
	int len = mount_ns_path_of(n->namespaces, fd, text, sizeof(text));

	if (len < 0)
		return false;
	ret->path = keep(n->names, (struct str){text, (uint32_t)len}, leaf);
	return ret->path;
}

static void look_up_whole(const struct name *n, struct name_lookup *ret)
{
	bool linked;
	int fd = open_resolved(n, n->whole, 0, &linked);

	if (fd < 0)
		return;
	ret->verified = !linked || keep_resolved(n, fd, STR(""), ret);
	close(fd);
}

/* The directory is resolved, the last component is what the call acted on. */
static void look_up_leaf(const struct name *n, struct arena *a, int how, struct name_lookup *ret)
{
	struct str whole = str_of(n->whole);
	size_t at = leaf_of(whole);
	struct str leaf = {whole.p + at, whole.len - (uint32_t)at};
	bool simple = !memchr(n->name.p, '/', n->name.len);

	if (is_dots(leaf))
		return;
	ret->verified = simple; /* the directory is the kernel's */
	if (simple && !(how & NAME_MODE))
		return;
	const char *path = arena_str(a, (struct str){whole.p, (uint32_t)at}).p;
	const struct name_directory *d = path ? open_directory(n, path) : NULL;
	if (!d)
		return;
	if (how & NAME_MODE)
		ret->mode = mode_at(n, d->fd, leaf.p);
	if (!simple)
		ret->verified = !d->linked || keep_resolved(n, d->fd, leaf, ret);
}

void name_look_up(struct mount_ns_table *t, struct names *names, const struct event *event,
		  const struct path *path, int how, struct name_lookup *ret)
{
	struct name n = {
		.namespaces = t,
		.names = names,
		.mnt_ns = wire_mnt_ns(&event->wire->task),
		.pid = event->wire->task.tgid,
		.event = event,
		.wire = path->wire,
		.whole = squeeze(event->arena, path->raw),
	};

	*ret = (struct name_lookup){0};
	if (!path->wire || !(path->wire->flags & PATH_USER))
		return;
	n.name = event_slot(event, path->wire->name);
	n.name.len = n.name.len ? (uint32_t)strnlen(n.name.p, n.name.len) : 0;
	if (!n.whole || n.name.len == 0 || path->wire->flags & (PATH_TRUNCATED | PATH_DETACHED))
		return;
	bool simple = !memchr(n.name.p, '/', n.name.len);
	if ((!simple || how) && !base_is_there(&n)) {
		ret->verified = simple && !(how & NAME_FOLLOW);
		return;
	}
	if (how & NAME_FOLLOW)
		look_up_whole(&n, ret);
	else
		look_up_leaf(&n, event->arena, how, ret);
}

void name_lookup_drop(struct names *names, struct name_lookup *lookup)
{
	if (lookup->path)
		names->bytes -= strlen(lookup->path) + 1;
	free(lookup->path);
	*lookup = (struct name_lookup){0};
}

bool name_apply(const struct event *event, const struct name_lookup *lookup, struct path *path)
{
	if (lookup->path) {
		path->raw = arena_str(event->arena, str_of(lookup->path));
		path->text = path_normalised(event->arena, path->raw, 0);
		path->text = utf8_repair(event->arena, path->text);
	}
	return lookup->verified;
}
