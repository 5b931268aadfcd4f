/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a record says of a task. Read twice by task.h, once for typed pointers and once for all others: READ(pointer,
 * member) is how members are read, FN(name) what the functions are called.
 */
static __always_inline void FN(task_fill_audit)(struct wire_task *w, struct task_struct *t)
{
	w->loginuid = AUDIT_UNSET;
	w->sessionid = AUDIT_UNSET;
	if (bpf_core_field_exists(t->loginuid))
		w->loginuid = READ(t, loginuid.val);
	if (bpf_core_field_exists(t->sessionid))
		w->sessionid = READ(t, sessionid);
}

static __always_inline void FN(task_fill_namespace)(struct wire_task *w, struct mnt_namespace *ns)
{
	struct ns_common___id *common = (void *)ns + bpf_core_field_offset(ns->ns);
	struct user_namespace *owner;

	w->mnt_ns = READ(ns, ns.inum);
	if (bpf_core_field_exists(ns->seq))
		w->mnt_seq = READ(ns, seq);
	else if (bpf_core_field_exists(common->ns_id))
		w->mnt_seq = BPF_CORE_READ(common, ns_id);
	owner = READ(ns, user_ns);
	/* read once more, as a number: a function takes no typed pointer */
	if (READ(owner, ns.inum) != PROC_USER_INIT_INO)
		task_fill_inner(w, (u64)BPF_CORE_READ(ns, user_ns));
}

static __always_inline void FN(task_fill_session)(struct wire_task *w, struct task_struct *t)
{
	struct signal_struct *signal = READ(t, signal);
	struct tty_struct *tty;
	struct pid *sid;

	if (!signal)
		return;
	sid = READ(signal, pids[PIDTYPE_SID]);
	if (sid)
		w->sid = BPF_CORE_READ(sid, numbers[0].nr);
	tty = READ(signal, tty);
	if (!tty)
		return;
	struct tty_driver *driver = READ(tty, driver);
	if (driver)
		w->tty = READ(driver, major) << 20 | (READ(driver, minor_start) + READ(tty, index));
}

static __always_inline void FN(task_fill)(struct wire_task *w, struct task_struct *t)
{
	struct task_struct *leader = READ(t, group_leader);
	const struct cred *cred = READ(t, real_cred);
	struct nsproxy *nsproxy = READ(t, nsproxy);

	w->start = READ(leader, start_boottime);
	w->pid = READ(t, pid);
	w->tgid = READ(t, tgid);
	w->inner_uid = w->uid = READ(cred, uid.val);
	w->inner_gid = w->gid = READ(cred, gid.val);
	w->inner_euid = w->euid = READ(cred, euid.val);
	w->inner_egid = w->egid = READ(cred, egid.val);
	w->flags = READ(t, flags);
	if (nsproxy) {
		struct mnt_namespace *ns = READ(nsproxy, mnt_ns);
		if (ns)
			FN(task_fill_namespace)(w, ns);
	}
	FN(task_fill_audit)(w, t);
	bpf_probe_read_kernel(w->comm, sizeof(w->comm), t->comm);
}

#undef READ
#undef FN
