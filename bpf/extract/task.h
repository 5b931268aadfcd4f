/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a task is: ids, credentials, namespaces. */
#ifndef KUNAI_BPF_EXTRACT_TASK_H
#define KUNAI_BPF_EXTRACT_TASK_H

enum {
	AUDIT_UNSET = 0xffffffff,
	UNMAPPED = 0xffffffff,
	MAP_EXTENTS_MAX = 32,            /* of a user namespace's map; further ones are not seen */
	PROC_USER_INIT_INO = 0xeffffffd, /* of the initial user namespace: include/linux/proc_ns.h */
};

/* Of an id of the kernel, what a user namespace's map makes of it. A function of its own: verified once. */
__noinline u32 task_map_id(u64 address, u32 id)
{
	struct uid_gid_map *map = (struct uid_gid_map *)address;
	u32 n = BPF_CORE_READ(map, nr_extents);
	u64 extents = address + bpf_core_field_offset(map->extent);
	struct uid_gid_extent extent;

	if (n > 5)
		extents = (u64)BPF_CORE_READ(map, reverse);
	for (u32 i = 0; i < MAP_EXTENTS_MAX && i < n; i++) {
		if (bpf_probe_read_kernel(&extent, sizeof(extent), (void *)extents + i * sizeof(extent)))
			break;
		if (id - extent.lower_first < extent.count)
			return extent.first + (id - extent.lower_first);
	}
	return UNMAPPED;
}

/* /etc/passwd of a mount namespace means the ids of the user namespace that owns it. */
static __always_inline void task_fill_inner(struct wire_task *w, u64 owner)
{
	u64 uid_map = owner + bpf_core_field_offset(struct user_namespace, uid_map);
	u64 gid_map = owner + bpf_core_field_offset(struct user_namespace, gid_map);

	w->inner_uid = task_map_id(uid_map, w->uid);
	w->inner_gid = task_map_id(gid_map, w->gid);
	w->inner_euid = w->euid == w->uid ? w->inner_uid : task_map_id(uid_map, w->euid);
	w->inner_egid = w->egid == w->gid ? w->inner_gid : task_map_id(gid_map, w->egid);
}

#define READ     TYPED
#define FN(name) name
#include "extract/task_fill.h"

#define READ     BPF_CORE_READ
#define FN(name) name##_untyped
#include "extract/task_fill.h"

/* The UTS node name, which is a container's name; in kernel memory. */
static __always_inline const char *nodename_of(struct task_struct *t)
{
	struct uts_namespace *uts = BPF_CORE_READ(t, nsproxy, uts_ns);

	return uts ? (void *)uts + bpf_core_field_offset(uts->name.nodename) : NULL;
}

#endif
