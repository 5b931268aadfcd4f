/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which container a process is in, told by its cgroup and its ancestors. Everything is borrowed from the input. */
#ifndef KUNAI_ENRICH_CONTAINERS_H
#define KUNAI_ENRICH_CONTAINERS_H

#include "base/str.h"

struct container_identity {
	/*
	 * What events show: Kunai's words (docker, lxc, podman, firejail), where containerd counts as docker; besides,
	 * where Kunai knows nothing, "crio" and "systemd-nspawn". NULL: no container that we know.
	 */
	const char *type;
	/* What manages it: docker, containerd, podman, crio, lxc, systemd-nspawn, firejail; NULL if unknown. */
	const char *runtime;
	/* 64 hexadecimal digits, or lxc's name; absent if unknown. */
	struct str id;
	/* The id is that of an OCI runtime. */
	bool oci;
	/* The id is as in the name of a systemd unit, with \x2d for a dash. */
	bool escaped;
	/* Below one of the kubelet's cgroups. */
	bool kubernetes;
	/* The cgroup told the type: ancestors do not matter. */
	bool by_cgroup;
};

/*
 * cgroup is the path of one hierarchy, beginning with "/"; of the leaf alone ("docker-<id>.scope") most is still
 * known. ancestors are the paths of executables, without the process's own; their order does not matter.
 */
void container_identify(struct str cgroup, struct strv ancestors, struct container_identity *ret_identity);

/* Whether one of the ancestors tells a type, where the cgroup does not. */
bool container_has_ancestor(struct strv ancestors);

#endif
