/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a task is: ids, credentials, namespaces. */
#ifndef KUNAI_BPF_EXTRACT_TASK_H
#define KUNAI_BPF_EXTRACT_TASK_H

enum { AUDIT_UNSET = 0xffffffff };

static __always_inline void task_fill_audit(struct wire_task *w, struct task_struct *t)
{
	w->loginuid = AUDIT_UNSET;
	w->sessionid = AUDIT_UNSET;
	if (bpf_core_field_exists(t->loginuid))
		w->loginuid = TYPED(t, loginuid.val);
	if (bpf_core_field_exists(t->sessionid))
		w->sessionid = TYPED(t, sessionid);
}

static __always_inline void task_fill(struct wire_task *w, struct task_struct *t)
{
	struct task_struct *leader = TYPED(t, group_leader);
	const struct cred *cred = TYPED(t, real_cred);
	struct nsproxy *nsproxy = TYPED(t, nsproxy);

	w->start = TYPED(leader, start_boottime);
	w->pid = TYPED(t, pid);
	w->tgid = TYPED(t, tgid);
	w->uid = TYPED(cred, uid.val);
	w->gid = TYPED(cred, gid.val);
	w->euid = TYPED(cred, euid.val);
	w->egid = TYPED(cred, egid.val);
	w->flags = TYPED(t, flags);
	if (nsproxy) {
		struct mnt_namespace *ns = TYPED(nsproxy, mnt_ns);
		if (ns)
			w->mnt_ns = TYPED(ns, ns.inum);
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
