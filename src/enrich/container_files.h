/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What container runtimes write down of their containers. The names belong to the caller, who gives them back with
 * container_names_fini(). Files may be on slow disks: these functions wait.
 */
#ifndef KUNAI_ENRICH_CONTAINER_FILES_H
#define KUNAI_ENRICH_CONTAINER_FILES_H

#include <sys/types.h>

enum {
	CONTAINER_FILE_MAX = 1 << 20, /* bytes; larger files are not read */
	CONTAINER_TEXT_MAX = 512,     /* bytes of one name, cut where a character begins */
	CONTAINER_ID_MAX = 255,       /* bytes: a file name */
	CONTAINER_SPACES_MAX = 64,    /* namespaces of containerd */
};

struct container_names {
	char *name, *pod, *namespace, *image; /* valid UTF-8; NULL what the runtime does not tell */
	const char *runtime;                  /* NULL where the file does not tell it */
};

struct container_key {
	const char *id;
	/*
	 * NULL: the id is certain. Else id is but the last component of this cgroup's path: only a runtime that says that its
	 * container of this name lives there makes it one.
	 */
	const char *cgroup;
};

struct container_place {
	int root;    /* descriptor of the directory that stands for / */
	uid_t owner; /* of all files, root but in tests */
};

/*
 * 0; -ENOENT: no runtime knows the container; -EAGAIN: one does, but has not written down everything yet; other errors for
 * a file that is not what it should be.
 */
int container_files_read(const struct container_place *place, const struct container_key *key,
			 struct container_names *ret);
void container_names_fini(struct container_names *names);

#endif
