/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/container_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tap.h"

#define ID      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TASK    "run/containerd/io.containerd.runtime.v2.task/"
#define OVERLAY "containers/storage/overlay-containers/"
#define DOCKER  "var/lib/docker/containers/" ID "/config.v2.json"

static struct container_place place;

static void make_directories(const char *path)
{
	char part[512];

	for (const char *at = path; (at = strchr(at, '/')); at++) {
		snprintf(part, sizeof(part), "%.*s", (int)(at - path), path);
		mkdirat(place.root, part, 0700);
	}
}

static void write_bytes(const char *path, const char *text, size_t len)
{
	make_directories(path);
	int fd = openat(place.root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		abort();
	close(fd);
}

static void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

static void set_mode(const char *path, mode_t mode)
{
	if (fchmodat(place.root, path, mode, 0) < 0)
		abort();
}

/* The file and the directories that it was the last one in. */
static void remove_file(const char *path)
{
	char part[512];

	snprintf(part, sizeof(part), "%s", path);
	unlinkat(place.root, part, 0);
	for (char *at; (at = strrchr(part, '/')); unlinkat(place.root, part, AT_REMOVEDIR))
		*at = '\0';
}

static int look(const char *id, const char *cgroup, struct container_names *ret)
{
	const struct container_key key = {id, cgroup};

	*ret = (struct container_names){0};
	return container_files_read(&place, &key, ret);
}

static const struct runtime_row {
	const char *path, *text;
	const char *runtime, *name, *pod, *namespace, *image;
	const char *path2, *text2;
} runtimes[] = {
	{DOCKER, "{\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx:1\",\"Labels\":{\"a\":\"b\"}}}", "docker",
	 "web", NULL, NULL, "nginx:1", NULL, NULL},
	{DOCKER,
	 "{\"Name\":\"/"
	 "k8s_a_b_c_d_0\",\"Config\":{\"Image\":\"nginx\",\"Labels\":{\"io.kubernetes.container.name\":"
	 "\"a\",\"io.kubernetes.pod.name\":\"b\",\"io.kubernetes.pod.namespace\":\"c\"}}}",
	 "docker", "a", "b", "c", "nginx", NULL, NULL},
	{TASK "k8s.io/" ID "/config.json",
	 "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"app\",\"io.kubernetes.cri.sandbox-name\":"
	 "\"app-0\","
	 "\"io.kubernetes.cri.sandbox-namespace\":\"prod\",\"io.kubernetes.cri.image-name\":\"reg/app:2\"}}",
	 "containerd", "app", "app-0", "prod", "reg/app:2", NULL, NULL},
	{"run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" ID "/config.json",
	 "{\"annotations\":{\"io.kubernetes.cri.sandbox-name\":\"app-0\"}}", "containerd", NULL, "app-0",
	 NULL, NULL, NULL, NULL},
	{TASK "default/" ID "/config.json", "{\"annotations\":{\"nerdctl/name\":\"box\"}}", "containerd",
	 "box", NULL, NULL, NULL, NULL, NULL},
	{TASK "default/" ID "/config.json", "{}", "containerd", NULL, NULL, NULL, NULL, NULL, NULL},
	{"run/" OVERLAY ID "/userdata/config.json",
	 "{\"annotations\":{\"io.container.manager\":\"cri-o\",\"io.kubernetes.container.name\":\"app\","
	 "\"io.kubernetes.pod.name\":\"app-0\",\"io.kubernetes.pod.namespace\":\"prod\","
	 "\"io.kubernetes.cri-o.ImageName\":\"quay/app\"}}",
	 "crio", "app", "app-0", "prod", "quay/app", NULL, NULL},
	{"var/lib/" OVERLAY ID "/userdata/config.json",
	 "{\"annotations\":{\"io.container.manager\":\"libpod\"}}", "podman", "brave_fox", NULL, NULL,
	 "docker.io/alpine", "var/lib/" OVERLAY "containers.json",
	 "[{\"id\":\"ff\",\"names\":[\"no\"]},3,{\"id\":\"" ID
	 "\",\"names\":[\"brave_fox\"],\"metadata\":\"{\\\"image-name\\\":\\\"docker.io/alpine\\\"}\"}]"},
	{"run/runc/" ID "/state.json",
	 "{\"config\":{\"labels\":[\"io.kubernetes.cri.container-name=a=b\",7,\"none\",\"bundle=/b\"]}}",
	 "runc", "a=b", NULL, NULL, NULL, NULL, NULL},
};

static void test_runtimes(void)
{
	struct container_names names;

	for (size_t i = 0; i < sizeof(runtimes) / sizeof(*runtimes); i++) {
		const struct runtime_row *row = &runtimes[i];
		write_text(row->path, row->text);
		if (row->path2)
			write_text(row->path2, row->text2);
		ok(look(ID, NULL, &names) == 0, "row %zu is found", i);
		is_str(names.runtime, row->runtime, "runtime");
		is_str(names.name, row->name, "name");
		is_str(names.pod, row->pod, "pod");
		is_str(names.namespace, row->namespace, "namespace");
		is_str(names.image, row->image, "image");
		container_names_fini(&names);
		remove_file(row->path);
		if (row->path2)
			remove_file(row->path2);
		ok(look(ID, NULL, &names) == -ENOENT, "and gone with its file");
	}
}

static void test_hostile_files(void)
{
	static const struct {
		const char *text;
		int err;
	} rows[] = {
		{"", -EBADMSG},
		{"{", -EBADMSG},
		{"{\"Name\":\"a\\u0000b\"}", -EBADMSG},
		{"[]", 0},
		{"{\"Name\":[],\"Config\":{\"Labels\":[1],\"Image\":{}}}", 0},
		{"{\"Name\":null,\"Config\":7}", 0},
	};
	struct container_names names;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		write_text(DOCKER, rows[i].text);
		ok(look(ID, NULL, &names) == rows[i].err, "%s", rows[i].text);
		ok(!names.name && !names.image, "tells nothing");
		container_names_fini(&names);
	}
	write_text(DOCKER, "{\"Name\":\"/a\xff\"}");
	ok(look(ID, NULL, &names) == 0, "bytes that are no UTF-8");
	is_str(names.name, "a\xef\xbf\xbd", "are repaired");
	container_names_fini(&names);
	remove_file(DOCKER);
}

static void test_long_name(void)
{
	char text[2 * CONTAINER_TEXT_MAX] = "{\"Name\":\"/";
	struct container_names names;

	/* the bound is in the midst of a character */
	size_t len = strlen(text);
	memset(text + len, 'n', CONTAINER_TEXT_MAX - 1);
	strcpy(text + len + CONTAINER_TEXT_MAX - 1, "\xc3\xa9\"}");
	write_text(DOCKER, text);
	ok(look(ID, NULL, &names) == 0 && strlen(names.name) == CONTAINER_TEXT_MAX - 1, "a long name is cut");
	container_names_fini(&names);
	remove_file(DOCKER);
}

static void test_size(void)
{
	static char text[CONTAINER_FILE_MAX + 1];
	struct container_names names;

	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"Name\":\"/big\"}", 15);
	write_bytes(DOCKER, text, CONTAINER_FILE_MAX);
	ok(look(ID, NULL, &names) == 0, "a file of the greatest size");
	is_str(names.name, "big", "is read");
	container_names_fini(&names);
	write_bytes(DOCKER, text, CONTAINER_FILE_MAX + 1);
	ok(look(ID, NULL, &names) == -EFBIG, "a larger one is not");
	remove_file(DOCKER);
}

static void test_other_kinds(void)
{
	struct container_names names;

	write_text("elsewhere", "{\"Name\":\"/evil\"}");
	make_directories(DOCKER);
	if (symlinkat("/elsewhere", place.root, DOCKER) < 0)
		abort();
	ok(look(ID, NULL, &names) == -EINVAL, "no link is followed");
	remove_file(DOCKER);
	make_directories(DOCKER);
	if (mkfifoat(place.root, DOCKER, 0600) < 0)
		abort();
	ok(look(ID, NULL, &names) == -EINVAL, "no pipe is opened");
	remove_file(DOCKER);
	make_directories(DOCKER "/");
	ok(look(ID, NULL, &names) == -EINVAL, "no directory either");
	unlinkat(place.root, DOCKER, AT_REMOVEDIR);

	write_text(DOCKER, "{\"Name\":\"/a\"}");
	set_mode(DOCKER, 0620);
	ok(look(ID, NULL, &names) == -EPERM, "others can write to it");
	set_mode(DOCKER, 0600);
	place.owner++;
	ok(look(ID, NULL, &names) == -EPERM, "it belongs to somebody else");
	place.owner--;
	remove_file(DOCKER);
	remove_file("elsewhere");
}

static void test_ids(void)
{
	static char long_id[CONTAINER_ID_MAX + 2];
	static const char *const rows[] = {"", ".", "..", "../x", "a/b", ".hidden"};
	struct container_names names;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ok(look(rows[i], NULL, &names) == -EINVAL, "'%s' is no id", rows[i]);
	memset(long_id, 'a', CONTAINER_ID_MAX + 1);
	ok(look(long_id, NULL, &names) == -EINVAL, "one that is too long");
	long_id[CONTAINER_ID_MAX] = '\0';
	ok(look(long_id, NULL, &names) == -ENOENT, "the longest");
}

/* A cgroup's name becomes an id only where runc says that its container is there. */
static void test_runc_names(void)
{
	const char *path = "run/runc/box/state.json";
	struct container_names names;

	ok(look("box", "/box", &names) == -ENOENT, "no such container");
	make_directories(path);
	ok(look("box", "/box", &names) == -EAGAIN, "it is being made");
	write_text(path, "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/box\",\"cpu\":7},\"config\":{\"labels\":"
			 "[\"io.kubernetes.cri.container-name=web\"]}}");
	ok(look("box", "/box", &names) == 0, "it is there");
	is_str(names.name, "web", "with its name");
	container_names_fini(&names);
	ok(look("box", "/user.slice/box", &names) == -ENOENT,
	   "a cgroup of the same name elsewhere is not it");
	ok(look("box", "/x", &names) == -ENOENT, "nor is another one");
	remove_file(path);
	write_text("var/lib/docker/containers/box/config.v2.json", "{\"Name\":\"/evil\"}");
	ok(look("box", "/box", &names) == -ENOENT, "other runtimes are not asked by name");
	remove_file("var/lib/docker/containers/box/config.v2.json");
}

int main(void)
{
	char directory[] = "/tmp/kunai-container-files.XXXXXX";
	if (!mkdtemp(directory))
		return 1;
	place.root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	place.owner = geteuid();
	test_runtimes();
	test_hostile_files();
	test_long_name();
	test_size();
	test_other_kinds();
	test_ids();
	test_runc_names();
	close(place.root);
	ok(rmdir(directory) == 0, "nothing is left");
	return done_testing();
}
