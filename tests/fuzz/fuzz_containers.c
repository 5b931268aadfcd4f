/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as what a container runtime wrote down; the first byte says which one. Names that are taken are valid UTF-8 and
 * not longer than they may be. Up to a zero byte it is one file, behind it the list that podman keeps beside.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "enrich/container_files.h"

#define ID   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LIST "var/lib/containers/storage/overlay-containers/containers.json"

static const char *const files[] = {
	"var/lib/docker/containers/" ID "/config.v2.json",
	"run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID "/config.json",
	"run/containers/storage/overlay-containers/" ID "/userdata/config.json",
	"run/runc/" ID "/state.json",
};
enum { FILE_COUNT = sizeof(files) / sizeof(*files) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/dev/shm/kunai-fuzz-containers.XXXXXX";
static int root = -1;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void make_parents(const char *file)
{
	char path[512];

	snprintf(path, sizeof(path), "%s", file);
	for (char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		require(mkdirat(root, path, 0700) == 0 || errno == EEXIST);
		*at = '/';
	}
}

static void remove_all(void)
{
	for (size_t i = 0; i <= FILE_COUNT; i++) {
		char path[512];
		snprintf(path, sizeof(path), "%s", i < FILE_COUNT ? files[i] : LIST);
		unlinkat(root, path, 0);
		for (char *at = strrchr(path, '/'); at; at = strrchr(path, '/')) {
			*at = 0;
			unlinkat(root, path, AT_REMOVEDIR);
		}
	}
	for (int i = 0; i < FILE_COUNT; i++) {
		static const char *const tops[FILE_COUNT] = {"var/lib", "var", "run", "."};
		unlinkat(root, tops[i], AT_REMOVEDIR);
	}
	rmdir(directory);
}

static void prepare(void)
{
	if (root >= 0)
		return;
	require(mkdtemp(directory) != NULL);
	root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(root >= 0);
	for (size_t i = 0; i < FILE_COUNT; i++)
		make_parents(files[i]);
	make_parents(LIST);
	atexit(remove_all);
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void check_text(const char *text)
{
	if (!text)
		return;
	size_t len = strlen(text);
	require(len > 0 && len <= CONTAINER_TEXT_MAX && utf8_valid_prefix(text, len) == len);
}

static void read_names(const char *cgroup)
{
	const struct container_place place = {.root = root, .owner = getuid()};
	const struct container_key key = {.id = ID, .cgroup = cgroup};
	struct container_names names = {0};

	if (container_files_read(&place, &key, &names))
		return;
	check_text(names.name);
	check_text(names.pod);
	check_text(names.namespace);
	check_text(names.image);
	container_names_fini(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	prepare();
	const char *path = files[data[0] % FILE_COUNT];
	const uint8_t *text = data + 1, *list = memchr(text, 0, size - 1);
	write_file(path, text, list ? (size_t)(list - text) : size - 1);
	if (list)
		write_file(LIST, list + 1, size - (size_t)(list + 1 - data));
	read_names(NULL);
	read_names("/box");
	unlinkat(root, path, 0);
	unlinkat(root, LIST, 0);
	return 0;
}
