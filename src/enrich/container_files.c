/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/container_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "enrich/mount_ns.h"

#define OVERLAY "/storage/overlay-containers"

static const char docker_dir[] = "var/lib/docker/containers", runc_dir[] = "run/runc";
static const char *const containerd_dirs[] = {"run/containerd/io.containerd.runtime.v2.task",
					      "run/k3s/containerd/io.containerd.runtime.v2.task"};
static const char *const overlay_dirs[] = {"run/containers" OVERLAY, "var/lib/containers" OVERLAY};

/* Keys of annotations and labels, the first one that is there counts. */
static const char *const name_keys[] = {"io.kubernetes.cri.container-name", "io.kubernetes.container.name",
					"nerdctl/name", NULL};
static const char *const pod_keys[] = {"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name",
				       "io.kubernetes.cri-o.KubeName", NULL};
static const char *const namespace_keys[] = {"io.kubernetes.cri.sandbox-namespace",
					     "io.kubernetes.pod.namespace", "io.kubernetes.cri-o.Namespace",
					     NULL};
static const char *const image_keys[] = {"io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName",
					 "org.opencontainers.image.ref.name", NULL};

void container_names_fini(struct container_names *names)
{
	free(names->name);
	free(names->pod);
	free(names->namespace);
	free(names->image);
	*names = (struct container_names){0};
}

/* A copy of the text, if nothing better is known. */
static void set_text(char **text, const char *value)
{
	if (*text || !value || !value[0])
		return;
	*text = strndup(value, CONTAINER_TEXT_MAX);
	if (*text)
		(*text)[utf8_valid_prefix(*text, strlen(*text))] = '\0';
}

/* Who else can write to it could name other people's containers. */
static int check_file(const struct container_place *place, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_uid != place->owner || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	return st.st_size > CONTAINER_FILE_MAX ? -EFBIG : 0;
}

static int open_file(const struct container_place *place, const char *path)
{
	int file = openat(place->root, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return -errno;
	int ret = check_file(place, file);
	if (ret == 0)
		ret = mount_ns_reopen(file);
	close(file);
	return ret;
}

/* All of the file, which can grow while it is read; *ret is the caller's. */
static int read_all(int fd, char **ret, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n = 1;
	char *text = malloc(CONTAINER_FILE_MAX + 1);
	if (!text)
		return -ENOMEM;

	while (len <= CONTAINER_FILE_MAX && (n = read(fd, text + len, CONTAINER_FILE_MAX + 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0 || len > CONTAINER_FILE_MAX) {
		int err = n < 0 ? -errno : -EFBIG;
		free(text);
		return err;
	}
	*ret = text;
	*ret_len = len;
	return 0;
}

static int parse(const char *text, size_t len, json_t **ret)
{
	struct arena arena = {0};
	struct str repaired = utf8_repair(&arena, (struct str){text, (uint32_t)len});
	json_t *json = repaired.p ? json_loadb(repaired.p, repaired.len, 0, NULL) : NULL;

	arena_fini(&arena);
	*ret = json;
	return json ? 0 : -EBADMSG;
}

/* *ret is the caller's reference. */
static int read_json(const struct container_place *place, const char *path, json_t **ret)
{
	char *text = NULL;
	size_t len = 0;
	int fd = open_file(place, path);
	if (fd < 0)
		return fd;
	int err = read_all(fd, &text, &len);
	close(fd);
	if (err)
		return err;
	err = parse(text, len, ret);
	free(text);
	return err;
}

static int read_json_below(const struct container_place *place, const char *directory, const char *id,
			   const char *file, json_t **ret)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s/%s", directory, id, file);

	return n < (int)sizeof(path) ? read_json(place, path, ret) : -ENAMETOOLONG;
}

static const char *first_text(const json_t *map, const char *const *keys)
{
	const char *text = NULL;

	for (; *keys && !text; keys++)
		text = json_string_value(json_object_get(map, *keys));
	return text;
}

static void take_annotations(const json_t *map, struct container_names *names)
{
	set_text(&names->name, first_text(map, name_keys));
	set_text(&names->pod, first_text(map, pod_keys));
	set_text(&names->namespace, first_text(map, namespace_keys));
	set_text(&names->image, first_text(map, image_keys));
}

static int read_docker(const struct container_place *place, const char *id, struct container_names *ret)
{
	json_t *json;
	int err = read_json_below(place, docker_dir, id, "config.v2.json", &json);
	if (err)
		return err;

	const json_t *config = json_object_get(json, "Config");
	const char *name = json_string_value(json_object_get(json, "Name"));
	ret->runtime = "docker";
	take_annotations(json_object_get(config, "Labels"), ret);
	set_text(&ret->name, name && name[0] == '/' ? name + 1 : name);
	set_text(&ret->image, json_string_value(json_object_get(config, "Image")));
	json_decref(json);
	return 0;
}

static int read_bundle(const struct container_place *place, const char *directory, const char *id,
		       struct container_names *ret)
{
	json_t *json;
	int err = read_json_below(place, directory, id, "config.json", &json);
	if (err)
		return err;

	ret->runtime = "containerd";
	take_annotations(json_object_get(json, "annotations"), ret);
	json_decref(json);
	return 0;
}

static DIR *open_directory(const struct container_place *place, const char *path)
{
	int fd = openat(place->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (!directory && fd >= 0)
		close(fd);
	return directory;
}

/* Below a directory for each of containerd's own namespaces: k8s.io, default, moby. */
static int read_containerd(const struct container_place *place, const char *top, const char *id,
			   struct container_names *ret)
{
	DIR *spaces = open_directory(place, top);
	struct dirent *space;
	char path[PATH_MAX];
	int err = -ENOENT;

	if (!spaces)
		return -errno;
	for (int i = 0; i < CONTAINER_SPACES_MAX && err == -ENOENT && (space = readdir(spaces)); i++) {
		snprintf(path, sizeof(path), "%s/%s", top, space->d_name);
		if (space->d_name[0] != '.')
			err = read_bundle(place, path, id, ret);
	}
	closedir(spaces);
	return err;
}

/* A value that is JSON again, as a string. */
static void take_metadata(const char *text, struct container_names *names)
{
	json_t *metadata = text ? json_loads(text, 0, NULL) : NULL;

	set_text(&names->image, json_string_value(json_object_get(metadata, "image-name")));
	json_decref(metadata);
}

/* What containers/storage, below podman and cri-o, says of all containers. */
static void read_storage_names(const struct container_place *place, const char *id,
			       struct container_names *names)
{
	json_t *json, *row;
	size_t i;

	if (read_json(place, "var/lib/containers" OVERLAY "/containers.json", &json) < 0)
		return;
	json_array_foreach(json, i, row)
	{
		const char *row_id = json_string_value(json_object_get(row, "id"));
		if (!row_id || strcmp(row_id, id) != 0)
			continue;
		set_text(&names->name, json_string_value(json_array_get(json_object_get(row, "names"), 0)));
		take_metadata(json_string_value(json_object_get(row, "metadata")), names);
		break;
	}
	json_decref(json);
}

static int read_overlay(const struct container_place *place, const char *directory, const char *id,
			struct container_names *ret)
{
	json_t *json;
	int err = read_json_below(place, directory, id, "userdata/config.json", &json);
	if (err)
		return err;

	const json_t *annotations = json_object_get(json, "annotations");
	const char *manager = json_string_value(json_object_get(annotations, "io.container.manager"));
	if (manager && strcmp(manager, "libpod") == 0)
		ret->runtime = "podman";
	else if (manager && strcmp(manager, "cri-o") == 0)
		ret->runtime = "crio";
	take_annotations(annotations, ret);
	if (!ret->name || !ret->image)
		read_storage_names(place, id, ret);
	json_decref(json);
	return 0;
}

/* {"cgroup_paths": {"cpu": "/sys/fs/cgroup/cpu/box"}}: the mount's path and the cgroup's. */
static bool lives_in(json_t *state, const char *cgroup)
{
	json_t *paths = json_object_get(state, "cgroup_paths"), *value;
	const char *controller;

	json_object_foreach(paths, controller, value)
	{
		const char *path = json_string_value(value);
		if (path && str_ends_with(str_of(path), str_of(cgroup)))
			return true;
	}
	return false;
}

/* "key=value" texts, as runc keeps the bundle's annotations: no matter what has become of the bundle. */
static json_t *labels_to_map(const json_t *labels)
{
	json_t *map = json_object(), *label;
	size_t i;

	json_array_foreach(labels, i, label)
	{
		const char *text = json_string_value(label);
		const char *value = text ? strchr(text, '=') : NULL;
		if (value)
			json_object_setn_new(map, text, (size_t)(value - text), json_string(value + 1));
	}
	return map;
}

static int read_runc(const struct container_place *place, const struct container_key *key,
		     struct container_names *ret)
{
	char path[sizeof(runc_dir) + CONTAINER_ID_MAX + 1];
	json_t *json;
	struct stat st;

	int err = read_json_below(place, runc_dir, key->id, "state.json", &json);
	if (err == -ENOENT) {
		/* The directory is made before the cgroup, the file when the first process stands ready. */
		snprintf(path, sizeof(path), "%s/%s", runc_dir, key->id);
		bool is_there = fstatat(place->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
		return is_there && S_ISDIR(st.st_mode) ? -EAGAIN : -ENOENT;
	}
	if (err)
		return err;
	if (key->cgroup && !lives_in(json, key->cgroup)) {
		json_decref(json);
		return -ENOENT;
	}
	json_t *map = labels_to_map(json_object_get(json_object_get(json, "config"), "labels"));
	ret->runtime = "runc";
	take_annotations(map, ret);
	json_decref(map);
	json_decref(json);
	return 0;
}

/* The places of those that may use runc come before its own. */
static int read_engines(const struct container_place *place, const char *id, struct container_names *ret)
{
	int err = read_docker(place, id, ret);

	for (size_t i = 0; i < 2 && err == -ENOENT; i++)
		err = read_containerd(place, containerd_dirs[i], id, ret);
	for (size_t i = 0; i < 2 && err == -ENOENT; i++)
		err = read_overlay(place, overlay_dirs[i], id, ret);
	return err;
}

int container_files_read(const struct container_place *place, const struct container_key *key,
			 struct container_names *ret)
{
	struct container_names names = {0};
	size_t len = strlen(key->id);
	int err = -ENOENT;

	/* It becomes a component of a path. */
	if (len == 0 || len > CONTAINER_ID_MAX || key->id[0] == '.' || strchr(key->id, '/'))
		return -EINVAL;
	if (!key->cgroup)
		err = read_engines(place, key->id, &names);
	if (err == -ENOENT)
		err = read_runc(place, key, &names);
	if (err == 0)
		*ret = names;
	return err;
}
