/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrich/host.h"
#include "enrich/internal.h"
#include "tests/support/tree.h"

static const char host_uuid[] = "3f0ae8b4-8d5a-4c0e-9e4e-0c6f2a5d1b11";

static void put_path(char ret[256], const struct world *w, const char *name)
{
	if ((size_t)snprintf(ret, 256, "%s/%s", w->dir, name) >= 256)
		abort();
}

static void make_dir(const struct world *w, const char *name)
{
	char path[256];

	put_path(path, w, name);
	if (mkdir(path, 0755) < 0)
		abort();
}

static void make_file(const struct world *w, const char *name, const char *text)
{
	char path[256];

	put_path(path, w, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

static void make_process(const struct world *w, unsigned pid, unsigned ns, const char *root)
{
	char name[64], path[256], target[256];

	snprintf(name, sizeof(name), "proc/%u", pid);
	make_dir(w, name);
	snprintf(name, sizeof(name), "proc/%u/ns", pid);
	make_dir(w, name);
	snprintf(name, sizeof(name), "proc/%u/ns/mnt", pid);
	put_path(path, w, name);
	snprintf(target, sizeof(target), "mnt:[%u]", ns);
	if (symlink(target, path) < 0)
		abort();
	snprintf(name, sizeof(name), "proc/%u/root", pid);
	put_path(path, w, name);
	put_path(target, w, root);
	if (symlink(target, path) < 0)
		abort();
}

static void make_machine(const struct world *w)
{
	char path[256];
	static const char *const dirs[] = {"proc",         "host",     "host/etc", "host/usr", "host/usr/bin",
					   "host/usr/lib", "host/tmp", "box",      "box/etc",  "box/bin"};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		make_dir(w, dirs[i]);
	make_file(w, "host/etc/hostname", "golden\n");
	make_file(w, "host/etc/passwd", "root:x:0:0:root:/root:/bin/sh\na bad line\nalice:x:1000:1000::/:\n");
	make_file(w, "host/etc/group", "root:x:0:\nusers:x:1000:\n");
	make_file(w, "host/usr/bin/ls", "not really ls\n");
	make_file(w, "host/usr/bin/bash", "not really a shell\n");
	make_file(w, "host/usr/bin/empty", "");
	put_path(path, w, "host/usr/link");
	if (symlink("lib", path) < 0)
		abort();
	make_file(w, "host/tmp/run.sh", "#!/usr/bin/bash\nexit 0\n");
	make_file(w, "box/etc/passwd", "admin:x:0:0::/:\n");
	make_file(w, "box/etc/group", "wheel:x:0:\n");
	make_file(w, "box/bin/sh", "a shell in a box\n");
	make_process(w, 1, WORLD_HOST_NS, "host");
	make_process(w, WORLD_BOX_PID, WORLD_BOX_NS, "box");
}

static void see_machine(struct world *w)
{
	struct enricher *e = w->enricher;
	char proc[256];

	put_path(proc, w, "proc");
	users_free(e->users);
	file_peeker_free(e->peeker);
	mount_ns_free(e->namespaces);
	e->namespaces = mount_ns_new(proc);
	e->peeker = e->namespaces ? file_peeker_new(e->namespaces) : NULL;
	e->users = e->peeker ? users_new(e->namespaces, e->peeker) : NULL;
	if (!e->users)
		abort();
	e->host_mnt_ns = mount_ns_host(e->namespaces);
}

void world_clear(struct world *w)
{
	struct enricher *e = w->enricher;

	process_table_fini(&e->processes);
	dns_names_fini(&e->names);
	dns_names_init(&e->names, &dns_names_global, e->names_seed);
	see_machine(w);
	e->now = 0;
	world_set_random(w, 0);
}

void world_init(struct world *w)
{
	*w = (struct world){.dir = "/tmp/kunai-world-XXXXXX"};
	if (!mkdtemp(w->dir))
		abort();
	make_machine(w);
	struct enricher *e = w->enricher = enricher_new(host_uuid, 1);
	if (!e)
		abort();
	see_machine(w);
	host_read_name(e->namespaces, e->host_name);
	e->salt = 0x5a175a17;
	world_set_random(w, 0);
}

void world_fini(struct world *w)
{
	enricher_free(w->enricher);
	tree_remove_at(w->dir);
}

void world_set_random(struct world *w, uint32_t seed)
{
	struct enricher *e = w->enricher;

	memset(e->random, 0, sizeof(e->random));
	for (uint32_t i = 0; i < sizeof(e->random) / 16; i++) {
		uint32_t number[2] = {seed, i + 1};
		memcpy(e->random + i * 16, &number, sizeof(number));
	}
	e->random_used = 0;
}

void world_set_self(struct world *w, uint32_t tgid)
{
	w->enricher->self_tgid = tgid;
}

void world_stat(const struct world *w, const char *path, struct wire_path *ret)
{
	char name[128], full[256];
	struct stat st;

	snprintf(name, sizeof(name), "host%s", path);
	put_path(full, w, name);
	if (stat(full, &st) < 0)
		abort();
	ret->device = 8 << 20 | 1;
	ret->inode = st.st_ino;
	ret->size = (uint64_t)st.st_size;
	ret->mtime = (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
	ret->ctime = (uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec;
	ret->mode = st.st_mode;
}
