/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/containers.h"

enum {
	ID_LEN = 64,          /* of OCI runtimes: 256 random bits */
	NAME_MAX_LEN = 255,   /* of a cgroup */
	COMPONENTS_MAX = 512, /* of a path of 4096 bytes with names of some length */
};

static const char docker[] = "docker", containerd[] = "containerd", podman[] = "podman", crio[] = "crio",
		  lxc[] = "lxc", firejail[] = "firejail", nspawn[] = "systemd-nspawn";

/* ID_UNIT: a name as systemd escapes it, in the scope of a machine. */
enum id_form { ID_HEX, ID_NAME, ID_UNIT };

/* With its length: the rows are tried for each process that begins. */
#define TEXT(text)                     \
	{                              \
		text, sizeof(text) - 1 \
	}

/*
 * One component of a cgroup path: prefix, id, suffix; parent is what the component above must begin with ("" for any).
 * Prefixes that also name helpers outside of the container (libpod-conmon-, crio-conmon-, lxc.monitor.) do not match
 * because their rest is no id.
 */
static const struct cgroup_row {
	struct str parent;
	struct str prefix;
	struct str suffix;
	enum id_form form;
	const char *type;
	const char *runtime;
} cgroup_rows[] = {
	/* systemd as cgroup manager */
	{TEXT(""), TEXT("docker-"), TEXT(".scope"), ID_HEX, docker, docker},
	{TEXT(""), TEXT("cri-containerd-"), TEXT(".scope"), ID_HEX, docker, containerd},
	{TEXT(""), TEXT("nerdctl-"), TEXT(".scope"), ID_HEX, docker, containerd},
	{TEXT(""), TEXT("libpod-"), TEXT(".scope"), ID_HEX, podman, podman},
	{TEXT(""), TEXT("crio-"), TEXT(".scope"), ID_HEX, crio, crio},
	/* plain directories */
	{TEXT(""), TEXT("libpod-"), TEXT(""), ID_HEX, podman, podman},
	{TEXT(""), TEXT("crio-"), TEXT(""), ID_HEX, crio, crio},
	{TEXT("docker"), TEXT(""), TEXT(""), ID_HEX, docker, docker},
	{TEXT("pod"), TEXT(""), TEXT(""), ID_HEX, docker,
	 NULL}, /* of Kubernetes: the path does not tell the runtime */
	/* lxc and LXD, since lxc 4 and before */
	{TEXT(""), TEXT("lxc.payload."), TEXT(""), ID_NAME, lxc, lxc},
	{TEXT("lxc.payload"), TEXT(""), TEXT(""), ID_NAME, lxc, lxc},
	{TEXT("lxc"), TEXT(""), TEXT(""), ID_NAME, lxc, lxc},
	{TEXT(""), TEXT("systemd-nspawn@"), TEXT(".service"), ID_UNIT, nspawn, nspawn},
	{TEXT(""), TEXT("machine-"), TEXT(".scope"), ID_UNIT, nspawn, nspawn},
};

/* systemd-nspawn puts its own processes beside the container's; other machines are virtual ones. */
static const struct str unit_payload = TEXT("payload");

/* Paths of programs that begin and end so; without an end, the whole path. */
static const struct ancestor_row {
	struct str prefix;
	struct str suffix;
	const char *type;
	const char *runtime;
} ancestor_rows[] = {
	{TEXT("/usr/bin/firejail"), TEXT(""), firejail, firejail},
	{TEXT("/usr/local/bin/firejail"), TEXT(""), firejail, firejail},
	{TEXT("/usr/bin/containerd-shim-runc-v2"), TEXT(""), docker, containerd},
	{TEXT("/usr/local/bin/containerd-shim-runc-v2"), TEXT(""), docker, containerd},
	{TEXT("/var/lib/rancher/"), TEXT("/bin/containerd-shim-runc-v2"), docker, containerd},
	{TEXT("/snap/"), TEXT("/bin/containerd-shim-runc-v2"), docker, containerd},
	{TEXT("/usr/bin/podman"), TEXT(""), podman, podman},
	{TEXT("/usr/bin/conmon"), TEXT(""), podman, podman},
	{TEXT("/usr/libexec/podman/conmon"), TEXT(""), podman, podman},
	{TEXT("/snap/lxd/"), TEXT("/bin/lxd"), lxc, lxc},
	{TEXT("/usr/bin/lxc-start"), TEXT(""), lxc, lxc},
	{TEXT("/usr/bin/systemd-nspawn"), TEXT(""), nspawn, nspawn},
};

static bool is_hex_id(struct str s)
{
	if (s.len != ID_LEN)
		return false;
	for (uint32_t i = 0; i < s.len; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';
		bool letter = s.p[i] >= 'a' && s.p[i] <= 'f';
		if (!digit && !letter)
			return false;
	}
	return true;
}

static bool match_cgroup(const struct cgroup_row *row, struct str child, struct str parent,
			 struct str component, struct str *ret_id)
{
	struct str prefix = row->prefix, suffix = row->suffix;
	if (component.len <= prefix.len + suffix.len || component.len > NAME_MAX_LEN)
		return false;
	if (row->form == ID_HEX && component.len != prefix.len + ID_LEN + suffix.len)
		return false; /* most of all components, and most rows */
	if (!str_starts_with(component, prefix) || !str_ends_with(component, suffix))
		return false;
	if (row->form == ID_UNIT && !str_eq(child, unit_payload))
		return false;
	/* "lxc" is a whole name, "pod" is followed by a pod's uid. */
	if (row->form == ID_NAME && row->parent.len && !str_eq(parent, row->parent))
		return false;
	if (!str_starts_with(parent, row->parent))
		return false;

	struct str id = {component.p + prefix.len, component.len - prefix.len - suffix.len};
	if (row->form == ID_HEX && !is_hex_id(id))
		return false;
	*ret_id = id;
	return true;
}

/* Cuts the last component off; false when there is none left. */
static bool pop_component(struct str *path, struct str *ret_component)
{
	while (path->len > 0 && path->p[path->len - 1] == '/')
		path->len--;
	if (path->len == 0)
		return false;
	uint32_t start = path->len;
	while (start > 0 && path->p[start - 1] != '/')
		start--;
	*ret_component = (struct str){path->p + start, path->len - start};
	path->len = start;
	return true;
}

static bool is_kubernetes(struct str component)
{
	return str_starts_with(component, STR("kubepods")) ||
	       str_starts_with(component, STR("kubelet-kubepods"));
}

/*
 * "slice:runtime:id": what runtimes make of a path meant for systemd when they manage cgroups themselves. The prefixes
 * of scopes are the runtimes' names and a dash.
 */
static bool identify_triple(struct str component, struct container_identity *id)
{
	const char *last = memrchr(component.p, ':', component.len);
	const char *first = last ? memrchr(component.p, ':', (size_t)(last - component.p)) : NULL;
	if (!first)
		return false;

	struct str name = {first + 1, (uint32_t)(last - first - 1)};
	struct str found = {last + 1, (uint32_t)(component.p + component.len - last - 1)};
	if (!is_hex_id(found))
		return false;
	for (size_t i = 0; i < sizeof(cgroup_rows) / sizeof(cgroup_rows[0]); i++) {
		struct str prefix = cgroup_rows[i].prefix;
		if (prefix.len < 2 || prefix.len - 1 != name.len || !str_starts_with(prefix, name))
			continue;
		id->type = cgroup_rows[i].type;
		id->runtime = cgroup_rows[i].runtime;
		break;
	}
	id->id = found;
	id->oci = true;
	return id->type != NULL;
}

static bool identify_component(struct str child, struct str parent, struct str component,
			       struct container_identity *id)
{
	struct str found;
	for (size_t i = 0; i < sizeof(cgroup_rows) / sizeof(cgroup_rows[0]); i++) {
		const struct cgroup_row *row = &cgroup_rows[i];
		if (!match_cgroup(row, child, parent, component, &found))
			continue;
		id->type = row->type;
		id->runtime = row->runtime;
		id->id = found;
		id->oci = row->form == ID_HEX;
		id->escaped = row->form == ID_UNIT;
		return true;
	}
	return identify_triple(component, id);
}

/* From the leaf up: the innermost container counts, for cgroups inside of it (systemd, docker in docker) as well. */
static void identify_by_cgroup(struct str path, struct container_identity *id)
{
	struct str component, parent, child = STR("");
	bool more = pop_component(&path, &component);
	for (int i = 0; more && i < COMPONENTS_MAX; i++) {
		parent = STR("");
		more = pop_component(&path, &parent);
		id->kubernetes |= is_kubernetes(component);
		if (!id->type)
			identify_component(child, parent, component, id);
		/* Other runtimes use the same ids, so one that has no type yet gets it from its ancestors. */
		if (!id->type && !id->id.p && is_hex_id(component)) {
			id->id = component;
			id->oci = true;
		}
		child = component;
		component = parent;
	}
}

static bool match_ancestor(const struct ancestor_row *row, struct str path)
{
	if (row->suffix.len == 0)
		return str_eq(path, row->prefix);
	return path.len >= row->prefix.len + row->suffix.len && str_starts_with(path, row->prefix) &&
	       str_ends_with(path, row->suffix);
}

static const struct ancestor_row *find_ancestor(struct strv ancestors)
{
	for (size_t row = 0; row < sizeof(ancestor_rows) / sizeof(ancestor_rows[0]); row++)
		for (uint32_t i = 0; i < ancestors.n; i++)
			if (match_ancestor(&ancestor_rows[row], ancestors.v[i]))
				return &ancestor_rows[row];
	return NULL;
}

bool container_has_ancestor(struct strv ancestors)
{
	return find_ancestor(ancestors) != NULL;
}

void container_identify(struct str cgroup, struct strv ancestors, struct container_identity *ret_identity)
{
	struct container_identity id = {0};
	identify_by_cgroup(cgroup, &id);
	id.by_cgroup = id.type != NULL;
	const struct ancestor_row *row = id.type ? NULL : find_ancestor(ancestors);
	if (row) {
		id.type = row->type;
		id.runtime = row->runtime;
	}
	*ret_identity = id;
}
