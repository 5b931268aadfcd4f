/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BPF programs: the kernel's objects, and what user memory says of those that the kernel refused. */
#ifndef KUNAI_BPF_EXTRACT_BPF_H
#define KUNAI_BPF_EXTRACT_BPF_H

enum { CODE_CHUNK = 4096, CODE_CHUNKS = 4 }; /* bytes of instructions kept: 16384, 2048 of them */

/* struct sock_fprog of include/uapi/linux/filter.h, and what a 32-bit program passes */
struct user_fprog {
	u16 len;
	u16 reserved[3];
	u64 filter;
};

struct compat_fprog {
	u16 len;
	u16 reserved;
	u32 filter;
};

enum { INSTRUCTION_SIZE = 8 };

static __always_inline bool user_fprog_read(struct user_fprog *p, u64 address, bool compat)
{
	struct compat_fprog c;

	if (!compat)
		return !bpf_probe_read_user(p, sizeof(*p), (void *)address);
	if (bpf_probe_read_user(&c, sizeof(c), (void *)address))
		return false;
	p->len = c.len;
	p->filter = c.filter;
	return true;
}

/* The program behind a descriptor of the current task, or NULL: an anonymous inode's file has a dentry of its own, with
 * a name that the kernel gives. */
static __always_inline struct bpf_prog *bpf_prog_of_fd(u32 fd)
{
	struct file *file = file_of_fd(fd);
	const char wanted_name[8] = "bpf-prog";
	struct dentry_step step = {};
	u64 name = 0;

	if (!file)
		return NULL;
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	bpf_probe_read_kernel(&step, sizeof(step),
			      (void *)dentry + bpf_core_field_offset(struct dentry, d_parent));
	bpf_probe_read_kernel(&name, sizeof(name), step.name);
	if (step.parent != dentry || name != *(const u64 *)wanted_name)
		return NULL;
	return BPF_CORE_READ(file, private_data);
}

/* Appends instructions, the last chunk first cut to CODE_CHUNKS * CODE_CHUNK bytes. */
static __always_inline void code_put(struct scratch *s, struct slot *slot, u64 from, u32 size, bool user)
{
	u32 done = 0;

	slot->off = s->used;
	for (int i = 0; i < CODE_CHUNKS; i++) {
		u64 n = size - done;
		if (done >= size)
			break;
		if (n > CODE_CHUNK)
			n = CODE_CHUNK;
		n = user ? scratch_put_user(s, (void *)from + done, n)
			 : scratch_put_kernel(s, (void *)from + done, n);
		if (!n)
			break;
		done += n;
	}
	slot->len = done;
}

#endif
