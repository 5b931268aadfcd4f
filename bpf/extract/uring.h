/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io_uring requests: what they ask for, as the kernel has copied it from the ring when it takes them on. */
#ifndef KUNAI_BPF_EXTRACT_URING_H
#define KUNAI_BPF_EXTRACT_URING_H

/* enum io_uring_op of include/uapi/linux/io_uring.h: those we look into */
enum {
	URING_READV = 1,
	URING_WRITEV = 2,
	URING_FSYNC = 3,
	URING_READ_FIXED = 4,
	URING_WRITE_FIXED = 5,
	URING_POLL_ADD = 6,
	URING_SYNC_FILE_RANGE = 8,
	URING_SENDMSG = 9,
	URING_RECVMSG = 10,
	URING_ACCEPT = 13,
	URING_CONNECT = 16,
	URING_FALLOCATE = 17,
	URING_OPENAT = 18,
	URING_CLOSE = 19,
	URING_READ = 22,
	URING_WRITE = 23,
	URING_FADVISE = 24,
	URING_SEND = 26,
	URING_RECV = 27,
	URING_OPENAT2 = 28,
	URING_SPLICE = 30,
	URING_TEE = 33,
	URING_SHUTDOWN = 34,
	URING_RENAMEAT = 35,
	URING_UNLINKAT = 36,
	URING_MKDIRAT = 37,
	URING_SYMLINKAT = 38,
	URING_LINKAT = 39,
	URING_FSETXATTR = 41,
	URING_FGETXATTR = 43,
	URING_SEND_ZC = 47,
	URING_SENDMSG_ZC = 48,
	URING_READ_MULTISHOT = 49,
	URING_FTRUNCATE = 55,
	URING_BIND = 56,
	URING_LISTEN = 57,
	URING_RECV_ZC = 58,
	URING_READV_FIXED = 60,
	URING_WRITEV_FIXED = 61,
};

#define OPS(a) (1ULL << URING_##a)

/* Those that are done to a file or socket. */
#define URING_WITH_FILE                                                                                     \
	(OPS(READV) | OPS(WRITEV) | OPS(FSYNC) | OPS(READ_FIXED) | OPS(WRITE_FIXED) | OPS(POLL_ADD) |       \
	 OPS(SYNC_FILE_RANGE) | OPS(SENDMSG) | OPS(RECVMSG) | OPS(ACCEPT) | OPS(CONNECT) | OPS(FALLOCATE) | \
	 OPS(READ) | OPS(WRITE) | OPS(FADVISE) | OPS(SEND) | OPS(RECV) | OPS(SPLICE) | OPS(TEE) |           \
	 OPS(SHUTDOWN) | OPS(FSETXATTR) | OPS(FGETXATTR) | OPS(SEND_ZC) | OPS(SENDMSG_ZC) |                 \
	 OPS(READ_MULTISHOT) | OPS(FTRUNCATE) | OPS(BIND) | OPS(LISTEN) | OPS(RECV_ZC) | OPS(READV_FIXED) | \
	 OPS(WRITEV_FIXED))
#define URING_WITH_NAME                                                                               \
	(OPS(OPENAT) | OPS(OPENAT2) | OPS(RENAMEAT) | OPS(UNLINKAT) | OPS(MKDIRAT) | OPS(SYMLINKAT) | \
	 OPS(LINKAT))
#define URING_SENDING   (OPS(SEND) | OPS(SENDMSG) | OPS(SEND_ZC) | OPS(SENDMSG_ZC))
#define URING_RECEIVING (OPS(RECV) | OPS(RECVMSG))
#define URING_READING   (OPS(READ) | OPS(READV) | OPS(READ_FIXED) | OPS(READV_FIXED) | OPS(READ_MULTISHOT))
#define URING_WRITING                                                                                        \
	(OPS(WRITE) | OPS(WRITEV) | OPS(WRITE_FIXED) | OPS(WRITEV_FIXED) | OPS(FALLOCATE) | OPS(FTRUNCATE) | \
	 OPS(SPLICE))
#define URING_SEGMENTS (OPS(READV) | OPS(WRITEV) | OPS(READV_FIXED) | OPS(WRITEV_FIXED))
/* those that say how much */
#define URING_SIZED (OPS(READ) | OPS(WRITE) | OPS(READ_FIXED) | OPS(WRITE_FIXED))
enum { URING_ANY_SLOT = 0xffffffff }; /* IORING_FILE_INDEX_ALLOC */

/* The operation is one of the set. Codes above 63 are in none. */
static __always_inline bool uring_is(u32 opcode, u64 set)
{
	return opcode < 64 && set & (1ULL << opcode);
}

/* The kernel will say how the request ended. */
static __always_inline bool uring_is_told(struct io_kiocb *req)
{
	return config.uring_told && !(BPF_CORE_READ(req, flags) & REQ_F_CQE_SKIP);
}

/* Where the operation's own struct stands. */
static __always_inline void *uring_command(struct io_kiocb *req)
{
	return (void *)req + bpf_core_field_offset(req->file);
}

static __always_inline struct file *uring_registered_file(struct io_kiocb *req, u32 index)
{
	struct io_ring_ctx *ctx = BPF_CORE_READ(req, ctx);
	struct io_ring_ctx___array *array_ctx = (void *)ctx;
	u64 file = 0;

	if (bpf_core_field_exists(array_ctx->file_table.files)) {
		struct io_fixed_file *files = BPF_CORE_READ(array_ctx, file_table.files);
		if (index >= BPF_CORE_READ(array_ctx, nr_user_files))
			return NULL;
		bpf_probe_read_kernel(&file, sizeof(file), &files[index]);
	} else {
		struct io_rsrc_node **nodes = BPF_CORE_READ(ctx, file_table.data.nodes);
		struct io_rsrc_node *node = NULL;
		if (index >= BPF_CORE_READ(ctx, file_table.data.nr))
			return NULL;
		bpf_probe_read_kernel(&node, sizeof(node), nodes + index);
		if (!node)
			return NULL;
		file = BPF_CORE_READ(node, file_ptr);
	}
	return (struct file *)(file & ~(u64)FFS_MASK);
}

/*
 * The file that a request is about, or NULL. Since 5.19 the kernel looks it up when the request runs: before that we do
 * it, in the same task, which may be too early when another request of the chain opens it.
 */
static __always_inline struct file *uring_file(struct io_kiocb *req)
{
	struct file *file = BPF_CORE_READ(req, file);

	if (file || !bpf_core_field_exists(req->cqe))
		return file;
	u32 fd = BPF_CORE_READ(req, cqe.fd);
	if (BPF_CORE_READ(req, flags) & REQ_F_FIXED_FILE)
		return uring_registered_file(req, fd);
	return file_of_fd(fd);
}

/* The kernel's copy of a name: a struct filename, or one that waits for audit. */
#define URING_NAME(command, type, member)                                              \
	({                                                                             \
		struct filename *name_ = NULL;                                         \
		struct type *at_ = command;                                            \
		struct type##___delayed *delayed_ = command;                           \
		if (bpf_core_field_exists(at_->member))                                \
			name_ = BPF_CORE_READ(at_, member);                            \
		else                                                                   \
			name_ = BPF_CORE_READ(delayed_, member.__incomplete_filename); \
		(u64) BPF_CORE_READ(name_, name);                                      \
	})

/* One or two names and the directories they start from; in kernel memory, 0 for none. */
struct uring_names {
	u64 name, new_name;
	s32 dir, new_dir;
};

static __always_inline void uring_link_names(struct io_kiocb *req, bool symbolic, struct uring_names *ret)
{
	void *command = uring_command(req);
	struct io_link *link = command;
	struct io_hardlink *hard = command;
	struct io_symlink *soft = command;

	if (bpf_core_type_exists(struct io_link)) {
		ret->name = URING_NAME(command, io_link, oldpath);
		ret->new_name = URING_NAME(command, io_link, newpath);
		ret->dir = BPF_CORE_READ(link, old_dfd);
		ret->new_dir = BPF_CORE_READ(link, new_dfd);
	} else if (symbolic) {
		struct filename *from = BPF_CORE_READ(soft, oldpath), *to = BPF_CORE_READ(soft, newpath);
		ret->name = (u64)BPF_CORE_READ(from, name);
		ret->new_name = (u64)BPF_CORE_READ(to, name);
		ret->new_dir = BPF_CORE_READ(soft, new_dfd);
	} else {
		struct filename *from = BPF_CORE_READ(hard, oldpath), *to = BPF_CORE_READ(hard, newpath);
		ret->name = (u64)BPF_CORE_READ(from, name);
		ret->new_name = (u64)BPF_CORE_READ(to, name);
		ret->dir = BPF_CORE_READ(hard, old_dfd);
		ret->new_dir = BPF_CORE_READ(hard, new_dfd);
	}
}

static __always_inline void uring_names_of(struct io_kiocb *req, u32 opcode, struct uring_names *ret)
{
	void *command = uring_command(req);
	struct io_open *open = command;
	struct io_unlink *unlink = command;
	struct io_mkdir *mkdir = command;
	struct io_rename *rename = command;

	switch (opcode) {
	case URING_OPENAT:
	case URING_OPENAT2:
		ret->name = URING_NAME(command, io_open, filename);
		ret->dir = BPF_CORE_READ(open, dfd);
		break;
	case URING_UNLINKAT:
		ret->name = URING_NAME(command, io_unlink, filename);
		ret->dir = BPF_CORE_READ(unlink, dfd);
		break;
	case URING_MKDIRAT:
		ret->name = URING_NAME(command, io_mkdir, filename);
		ret->dir = BPF_CORE_READ(mkdir, dfd);
		break;
	case URING_RENAMEAT:
		ret->name = URING_NAME(command, io_rename, oldpath);
		ret->new_name = URING_NAME(command, io_rename, newpath);
		ret->dir = BPF_CORE_READ(rename, old_dfd);
		ret->new_dir = BPF_CORE_READ(rename, new_dfd);
		break;
	case URING_SYMLINKAT:
	case URING_LINKAT:
		uring_link_names(req, opcode == URING_SYMLINKAT, ret);
		break;
	}
}

/* The file that a CLOSE request closes, or NULL. */
static __always_inline struct file *uring_closed_file(struct io_kiocb *req)
{
	struct io_close *close = uring_command(req);
	u32 slot = BPF_CORE_READ(close, file_slot);

	return slot ? uring_registered_file(req, slot - 1) : file_of_fd(BPF_CORE_READ(close, fd));
}

/* The peer's address that comes with a request. */
static __always_inline void uring_fill_peer(struct wire_sock *w, struct io_kiocb *req, u32 opcode)
{
	void *command = uring_command(req);
	struct io_connect *connect = command;
	struct io_sr_msg *message = command;
	struct io_sr_msg___addressed *addressed = command;

	if (opcode == URING_CONNECT) {
		sock_fill_user_peer(w, (u64)BPF_CORE_READ(connect, addr), BPF_CORE_READ(connect, addr_len),
				    false);
		return;
	}
	if (!uring_is(opcode, URING_SENDING) || (w->type == SOCK_STREAM && w->dst_port))
		return;
	if (bpf_core_field_exists(req->cqe) && !bpf_core_field_exists(addressed->addr)) {
		struct io_async_msghdr *copy = BPF_CORE_READ(req, async_data);
		sock_fill_kernel_peer(w, (u64)BPF_CORE_READ(copy, msg.msg_name),
				      BPF_CORE_READ(copy, msg.msg_namelen), true);
	} else if (opcode == URING_SENDMSG || opcode == URING_SENDMSG_ZC) {
		struct user_msghdr h;
		bool compat = syscall_is_compat(current_task());
		if (user_msghdr_read(&h, (u64)BPF_CORE_READ(message, umsg), compat))
			sock_fill_user_peer(w, h.name, h.name_len, true);
	} else if (bpf_core_field_exists(addressed->addr)) {
		sock_fill_user_peer(w, (u64)BPF_CORE_READ(addressed, addr),
				    BPF_CORE_READ(addressed, addr_len), true);
	}
}

/* Bytes that a request asks to move; 0 when it does not say, or says it in a list of segments. */
static __always_inline u64 uring_size(struct io_kiocb *req, u32 opcode)
{
	void *command = uring_command(req);
	struct io_rw *rw = command;
	struct io_sr_msg *message = command;

	if (uring_is(opcode, OPS(READ) | OPS(WRITE) | OPS(READ_FIXED) | OPS(WRITE_FIXED)))
		return BPF_CORE_READ(rw, len);
	if (uring_is(opcode, OPS(SEND) | OPS(RECV) | OPS(SEND_ZC)))
		return BPF_CORE_READ(message, len);
	return 0;
}

/* The kernel has its own copy of the peer's address, and drops it when the message is sent: since 6.13. */
static __always_inline bool uring_forgets_peer(struct io_kiocb *req)
{
	struct io_sr_msg___addressed *addressed = NULL;
	u32 opcode = BPF_CORE_READ(req, opcode);

	if (!bpf_core_field_exists(req->cqe) || bpf_core_field_exists(addressed->addr) ||
	    !uring_is(opcode, OPS(SEND) | OPS(SEND_ZC)))
		return false;
	struct io_async_msghdr *copy = BPF_CORE_READ(req, async_data);
	return copy && BPF_CORE_READ(copy, msg.msg_name);
}

#endif
