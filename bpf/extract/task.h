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

static __always_inline void task_fill_audit(struct wire_task *w, struct task_struct *t)
{
	w->loginuid = AUDIT_UNSET;
	w->sessionid = AUDIT_UNSET;
	if (bpf_core_field_exists(t->loginuid))
		w->loginuid = TYPED(t, loginuid.val);
	if (bpf_core_field_exists(t->sessionid))
		w->sessionid = TYPED(t, sessionid);
}

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

static __always_inline void task_fill_namespace(struct wire_task *w, struct mnt_namespace *ns)
{
	struct ns_common___id *common = (void *)ns + bpf_core_field_offset(ns->ns);
	struct user_namespace *owner;

	w->mnt_ns = TYPED(ns, ns.inum);
	if (bpf_core_field_exists(ns->seq))
		w->mnt_seq = TYPED(ns, seq);
	else if (bpf_core_field_exists(common->ns_id))
		w->mnt_seq = BPF_CORE_READ(common, ns_id);
	owner = TYPED(ns, user_ns);
	/* read once more, as a number: a function takes no typed pointer */
	if (TYPED(owner, ns.inum) != PROC_USER_INIT_INO)
		task_fill_inner(w, (u64)BPF_CORE_READ(ns, user_ns));
}

static __always_inline void task_fill_session(struct wire_task *w, struct task_struct *t)
{
	struct signal_struct *signal = TYPED(t, signal);
	struct tty_struct *tty;
	struct pid *sid;

	if (!signal)
		return;
	sid = TYPED(signal, pids[PIDTYPE_SID]);
	if (sid)
		w->sid = BPF_CORE_READ(sid, numbers[0].nr);
	tty = TYPED(signal, tty);
	if (!tty)
		return;
	struct tty_driver *driver = TYPED(tty, driver);
	if (driver)
		w->tty = TYPED(driver, major) << 20 | (TYPED(driver, minor_start) + TYPED(tty, index));
}

static __always_inline void task_fill(struct wire_task *w, struct task_struct *t)
{
	struct task_struct *leader = TYPED(t, group_leader);
	const struct cred *cred = TYPED(t, real_cred);
	struct nsproxy *nsproxy = TYPED(t, nsproxy);

	w->start = TYPED(leader, start_boottime);
	w->pid = TYPED(t, pid);
	w->tgid = TYPED(t, tgid);
	w->inner_uid = w->uid = TYPED(cred, uid.val);
	w->inner_gid = w->gid = TYPED(cred, gid.val);
	w->inner_euid = w->euid = TYPED(cred, euid.val);
	w->inner_egid = w->egid = TYPED(cred, egid.val);
	w->flags = TYPED(t, flags);
	if (nsproxy) {
		struct mnt_namespace *ns = TYPED(nsproxy, mnt_ns);
		if (ns)
			task_fill_namespace(w, ns);
	}
	task_fill_audit(w, t);
	bpf_probe_read_kernel(w->comm, sizeof(w->comm), t->comm);
}

/* The UTS node name, which is a container's name; in kernel memory. */
static __always_inline const char *nodename_of(struct task_struct *t)
{
	struct uts_namespace *uts = BPF_CORE_READ(t, nsproxy, uts_ns);

	return uts ? (void *)uts + bpf_core_field_offset(uts->name.nodename) : NULL;
}

#endif
