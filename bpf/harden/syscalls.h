/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf(2): our programs, maps and links have no names in a file system, so a number is the only way to one. */
#ifndef KUNAI_BPF_HARDEN_SYSCALLS_H
#define KUNAI_BPF_HARDEN_SYSCALLS_H

/* include/uapi/linux/bpf.h */
enum {
	BPF_PROG_GET_FD_BY_ID = 13,
	BPF_MAP_GET_FD_BY_ID = 14,
	BPF_LINK_GET_FD_BY_ID = 30,
	BPF_F_RDONLY = 1 << 3,
};

/* How union bpf_attr begins for these. The kernel has copied it before the hook. */
struct get_fd_attr {
	u32 id;
	u32 next_id;
	u32 open_flags;
};

SEC("lsm/bpf")
int guard_bpf(u64 *ctx)
{
	u32 cmd = ctx[0];
	u64 kind = cmd == BPF_PROG_GET_FD_BY_ID   ? GUARDED_PROGRAM
		   : cmd == BPF_MAP_GET_FD_BY_ID  ? GUARDED_MAP
		   : cmd == BPF_LINK_GET_FD_BY_ID ? GUARDED_LINK
						  : 0;
	struct get_fd_attr attr = {0};
	u64 address = 0;

	if (!kind || by_guarded())
		return 0;
	bpf_probe_read_kernel(&address, sizeof(address), ctx + 1);
	bpf_probe_read_kernel(&attr, sizeof(attr), (void *)address);
	u64 key = kind << GUARDED_KIND_SHIFT | attr.id;
	if (kind == GUARDED_MAP && attr.open_flags & BPF_F_RDONLY)
		return 0;
	if (!bpf_map_lookup_elem(&guarded_ids, &key))
		return 0;
	return REFUSE(ERROR_DENIED_BPF, cmd, 0);
}

#endif
