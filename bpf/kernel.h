/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel types and constants we rely on, by hand. Only the members in use; libbpf relocates them (CO-RE)
 * against the running kernel. A struct x___flavour holds what a member was called in other versions, with the
 * kernel commit or release that changed it.
 */
#ifndef KUNAI_BPF_KERNEL_H
#define KUNAI_BPF_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false, true };
#define NULL ((void *)0)

/* include/uapi/linux/bpf.h */
enum bpf_func_id { BPF_FUNC_find_vma = 180 };
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum { BPF_F_MMAPABLE = 1u << 10 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };

/* include/uapi/linux/{stat,fcntl,socket,net}.h, include/linux/fs.h */
#define S_IFMT   0170000
#define S_IFSOCK 0140000
#define S_IFREG  0100000
#define S_IROTH  0000004
#define S_IFDIR  0040000
enum { O_TRUNC = 01000 };
enum { FMODE_READ = 0x1, FMODE_WRITE = 0x2, FMODE_CREATED = 0x100000, FMODE_NOACCOUNT = 0x20000000 };
enum { FMODE_EXEC = 0x20 }; /* in f_flags */
enum { MAP_SHARED = 1, MAP_TYPE = 0xf, MAP_ANONYMOUS = 0x20 };
enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { READ_IMPLIES_EXEC = 0x0400000 }; /* of personality(2) */
enum { AT_FDCWD = -100, AT_REMOVEDIR = 0x200 };
enum { AF_UNSPEC = 0, AF_INET = 2, AF_INET6 = 10 };
enum { MSG_PEEK = 2, MSG_TRUNC = 0x20 };
enum { SOCK_STREAM = 1 };
enum {
	EPERM = 1,
	ENOENT = 2,
	EINTR = 4,
	EBADF = 9,
	EAGAIN = 11,
	EACCES = 13,
	EFAULT = 14,
	ENOTDIR = 20,
	EINVAL = 22,
	EROFS = 30,
	ENAMETOOLONG = 36,
	ELOOP = 40,
	EISCONN = 106,
	EALREADY = 114,
	EINPROGRESS = 115,
	ERESTARTSYS = 512,
};
enum { PF_EXITING = 0x00000004, PF_IO_WORKER = 0x00000010 };
enum { RENAME_EXCHANGE = 2 };
/* include/uapi/asm-generic/socket.h, which x86 and arm64 use */
enum { SOL_SOCKET = 1 };
enum {
	SO_ATTACH_FILTER = 26,
	SO_ATTACH_BPF = 50,
	SO_ATTACH_REUSEPORT_CBPF = 51,
	SO_ATTACH_REUSEPORT_EBPF = 52,
};
enum { TCP_ESTABLISHED = 1, TCP_SYN_SENT = 2, TCP_CLOSE = 7 };
/* arch/x86/include/asm/thread_info.h: the current system call is a 32-bit one */
enum { TS_COMPAT = 0x0002 };
/* arch/arm64/include/asm/thread_info.h: the task runs a 32-bit program */
enum { TIF_32BIT = 1 << 22 };

#define KERNEL_TYPE __attribute__((preserve_access_index))

struct list_head {
	struct list_head *next, *prev;
} KERNEL_TYPE;

typedef struct {
	int counter;
} KERNEL_TYPE atomic_t;

typedef struct {
	s64 counter;
} KERNEL_TYPE atomic64_t;

struct callback_head {
	struct callback_head *next;
	void (*func)(struct callback_head *head);
} KERNEL_TYPE;

typedef struct {
	u32 val;
} KERNEL_TYPE kuid_t;

#ifdef __TARGET_ARCH_arm64
/* arch/arm64/include/asm/ptrace.h */
struct pt_regs {
	u64 regs[31];
	u64 orig_x0;
	s32 syscallno;
} KERNEL_TYPE;
#else
/* arch/x86/include/asm/ptrace.h */
struct pt_regs {
	unsigned long bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
} KERNEL_TYPE;
#endif

struct thread_info {
	unsigned long flags;
	u32 status; /* x86 only */
} KERNEL_TYPE;

struct qstr {
	union {
		struct {
			u32 hash;
			u32 len;
		};
		u64 hash_len;
	};
	const unsigned char *name;
} KERNEL_TYPE;

/* include/uapi/linux/magic.h */
enum {
	PROC_SUPER_MAGIC = 0x9fa0,
	ANON_INODE_FS_MAGIC = 0x09041934,
	PID_FS_MAGIC = 0x50494446,
	OVERLAYFS_SUPER_MAGIC = 0x794c7630,
	CGROUP_SUPER_MAGIC = 0x27e0eb,
	CGROUP2_SUPER_MAGIC = 0x63677270,
};

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
} KERNEL_TYPE;

struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
} KERNEL_TYPE;

struct inode {
	u16 i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	u32 i_generation;
	u32 i_nlink;
	s64 i_size;
	void *i_private;
	struct timespec64 i_mtime; /* both until 6.5 */
	struct timespec64 i_ctime;
} KERNEL_TYPE;

/* 6.6, 13bc24457850 ("fs: rename i_[ac]time fields") */
struct inode___mtime_renamed {
	struct timespec64 __i_mtime;
	struct timespec64 __i_ctime;
} KERNEL_TYPE;

/* 6.11, 3aa63a569c64 ("fs: switch timespec64 fields in inode to discrete integers") */
struct inode___mtime_split {
	s64 i_mtime_sec;
	u32 i_mtime_nsec;
	s64 i_ctime_sec;
	u32 i_ctime_nsec; /* since 6.13 the highest bit is a flag: 4e40eff0b573 */
} KERNEL_TYPE;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
} KERNEL_TYPE;

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
} KERNEL_TYPE;

struct mnt_namespace;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
	int mnt_group_id; /* 0: what is mounted here stays here */
} KERNEL_TYPE;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} KERNEL_TYPE;

struct renamedata {
	struct dentry *old_dentry, *new_dentry;
	u32 flags;
} KERNEL_TYPE;

struct file {
	u32 f_mode;
	u32 f_flags;
	struct path f_path;
	struct inode *f_inode;
	s64 f_pos;
	void *private_data;
} KERNEL_TYPE;

/* until 6.12 */
struct file___counted {
	atomic64_t f_count;
} KERNEL_TYPE;

/* 6.13, 90ee6ed776c0 ("fs: port files to file_ref"): one reference is 0, a dead file far below */
typedef struct {
	atomic64_t refcnt;
} KERNEL_TYPE file_ref_t;
struct file___referenced {
	file_ref_t f_ref;
} KERNEL_TYPE;

/* The callback of a deferred last fput. 5.10 */
struct file___f_u {
	union {
		struct callback_head fu_rcuhead;
	} f_u;
} KERNEL_TYPE;
/* 6.0, 1b8f8a5c8b06 */
struct file___rcuhead {
	struct callback_head f_rcuhead;
} KERNEL_TYPE;
/* 6.10 */
struct file___task_work {
	struct callback_head f_task_work;
} KERNEL_TYPE;

/* A file of a layer below an overlay. Since 6.7 (def3ae83da02) f_path is the layer's, and this has the overlay's. */
struct backing_file {
	struct path user_path;
} KERNEL_TYPE;

struct vm_area_struct {
	struct file *vm_file;
} KERNEL_TYPE;

struct fdtable {
	u32 max_fds;
	struct file **fd;
	unsigned long *open_fds;
} KERNEL_TYPE;

enum { NR_OPEN_DEFAULT = 64 };
struct files_struct {
	atomic_t count;
	struct fdtable *fdt;
	struct file *fd_array[NR_OPEN_DEFAULT];
} KERNEL_TYPE;

struct fs_struct {
	struct path root;
	struct path pwd;
} KERNEL_TYPE;

struct cred {
	kuid_t uid, gid, euid, egid;
} KERNEL_TYPE;

struct ns_common {
	u32 inum;
} KERNEL_TYPE;

/* 6.18 */
struct ns_common___id {
	u64 ns_id;
} KERNEL_TYPE;

struct uid_gid_extent {
	u32 first;
	u32 lower_first;
	u32 count;
};

/* Up to 5 extents are in place, more are behind a pointer. */
struct uid_gid_map {
	u32 nr_extents;
	struct uid_gid_extent extent[5];
	struct uid_gid_extent *reverse;
} KERNEL_TYPE;

struct user_namespace {
	struct uid_gid_map uid_map, gid_map;
	struct ns_common ns;
} KERNEL_TYPE;

struct mnt_namespace {
	struct ns_common ns;
	struct user_namespace *user_ns;
	u64 seq; /* until 6.17 */
} KERNEL_TYPE;

struct new_utsname {
	char nodename[65];
} KERNEL_TYPE;

struct uts_namespace {
	struct new_utsname name;
} KERNEL_TYPE;

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct mnt_namespace *mnt_ns;
} KERNEL_TYPE;

struct kernfs_node {
	struct kernfs_node *parent;
	const char *name;
} KERNEL_TYPE;

/* 6.15, 633488947ef6 ("kernfs: Use RCU to access kernfs_node::parent.") */
struct kernfs_node___rcu {
	struct kernfs_node *__parent;
} KERNEL_TYPE;

struct cgroup_root;

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
} KERNEL_TYPE;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
} KERNEL_TYPE;

struct css_set {
	struct cgroup *dfl_cgrp;
	struct cgroup_subsys_state *subsys[1]; /* as many as there are controllers */
} KERNEL_TYPE;

struct task_group {
	struct cgroup_subsys_state css;
} KERNEL_TYPE;

struct mm_struct {
	unsigned long arg_start, arg_end;
	struct file *exe_file;
} KERNEL_TYPE;

struct hlist_node {
	struct hlist_node *next;
} KERNEL_TYPE;

struct hlist_head {
	struct hlist_node *first;
} KERNEL_TYPE;

/* include/linux/xarray.h: a tree of tables by bits of the index */
struct xarray {
	void *xa_head;
} KERNEL_TYPE;

struct xa_node {
	u8 shift;
	void *slots[64];
} KERNEL_TYPE;

struct idr {
	struct xarray idr_rt;
} KERNEL_TYPE;

struct pid_namespace {
	struct idr idr;
} KERNEL_TYPE;

/* A number of a process: one in each namespace that sees it. */
struct upid {
	int nr;
	struct pid_namespace *ns;
} KERNEL_TYPE;

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };

struct pid {
	u32 level;
	struct hlist_head tasks[PIDTYPE_MAX];
	struct upid numbers[1];
} KERNEL_TYPE;

/* fs/proc/internal.h */
struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
} KERNEL_TYPE;

/* include/linux/signal_types.h */
struct kernel_siginfo {
	int si_code;
} KERNEL_TYPE;

struct tty_driver {
	int major;
	int minor_start;
} KERNEL_TYPE;

struct tty_struct {
	int index;
	struct tty_driver *driver;
} KERNEL_TYPE;

struct signal_struct {
	atomic_t live;
	int nr_threads;
	struct pid *pids[4];
	struct tty_struct *tty;
} KERNEL_TYPE;

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	u32 flags;
	struct mm_struct *mm;
	int exit_code, exit_signal;
	unsigned int personality;
	unsigned long nivcsw;
	s32 pid, tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[PIDTYPE_MAX];
	u64 start_boottime;
	u64 self_exec_id;
	const struct cred *real_cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct callback_head *task_works;
	kuid_t loginuid;
	u32 sessionid;
	struct css_set *cgroups;
	struct task_group *sched_task_group;
} KERNEL_TYPE;

struct linux_binprm {
	struct file *executable;
	struct file *file;
	const char *filename;
	const char *interp;
} KERNEL_TYPE;

struct in6_addr {
	u8 in6_u[16];
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	u16 skc_num;
	u16 skc_family;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
} KERNEL_TYPE;

struct sock {
	struct sock_common __sk_common;
	u16 sk_type;
	u16 sk_protocol;
	struct sk_filter *sk_filter;
	struct sock_reuseport *sk_reuseport_cb;
} KERNEL_TYPE;

struct socket {
	struct sock *sk;
} KERNEL_TYPE;

enum { MODULE_NAME_LEN = 64 - sizeof(long) }; /* include/linux/moduleparam.h */

struct module {
	char name[MODULE_NAME_LEN];
} KERNEL_TYPE;

enum { BPF_PROG_LOAD = 5 }; /* command of bpf(2) */
/* Only to be read by name: the numbers are the enrichment's. */
enum bpf_prog_type { BPF_PROG_TYPE_UNSPEC };

struct bpf_ksym {
	char name[128]; /* longer since 6.1 */
} KERNEL_TYPE;

struct bpf_prog_aux {
	u32 id;
	u32 verified_insns; /* since 5.16 */
	const char *attach_func_name;
	struct bpf_ksym ksym;
	char name[16];
} KERNEL_TYPE;

/* A classic filter as it was attached, kept beside its translation */
struct sock_fprog_kern {
	u16 len;
	struct sock_filter *filter;
} KERNEL_TYPE;

struct bpf_prog {
	enum bpf_prog_type type;
	u32 len;
	u8 tag[8];
	struct bpf_prog_aux *aux;
	struct sock_fprog_kern *orig_prog;
} KERNEL_TYPE;

struct sk_filter {
	struct bpf_prog *prog;
} KERNEL_TYPE;

struct sock_reuseport {
	struct bpf_prog *prog;
} KERNEL_TYPE;

/* io_uring: the headers in io_uring/, before 6.0 all in fs/io_uring.c. What a request is about stands in its first 64 bytes, whose
 * first member is always the file. Debian's 5.10 has the io_uring of 5.15. */
enum {
	REQ_F_FIXED_FILE = 1 << 0,
	REQ_F_CQE_SKIP = 1 << 6, /* since 5.17 */
};
enum { FFS_MASK = 7 }; /* of a pointer in the ring's own table */

struct filename {
	const char *name;
} KERNEL_TYPE;

struct io_cqe {
	s32 res;
	s32 fd;
} KERNEL_TYPE;

struct io_rsrc_node {
	unsigned long file_ptr; /* since 6.13 */
} KERNEL_TYPE;

struct io_rsrc_data {
	u32 nr;
	struct io_rsrc_node **nodes; /* since 6.13 */
} KERNEL_TYPE;

struct io_file_table {
	struct io_rsrc_data data;
} KERNEL_TYPE;

/* until 6.12 */
struct io_fixed_file {
	unsigned long file_ptr;
} KERNEL_TYPE;
struct io_file_table___array {
	struct io_fixed_file *files;
} KERNEL_TYPE;

struct io_ring_ctx {
	struct io_file_table file_table;
	u32 nr_user_files; /* until 6.12 */
} KERNEL_TYPE;
struct io_ring_ctx___array {
	struct io_file_table___array file_table;
	u32 nr_user_files;
} KERNEL_TYPE;

/* Only to be read by name: they were numbered anew twice. */
enum iter_type { ITER_IOVEC, ITER_UBUF };

struct iov_iter {
	u8 iter_type;
	u64 iov_offset;
	const void *__iov;
	void *ubuf; /* since 6.0 */
} KERNEL_TYPE;

/* until 6.3 */
struct iov_iter___iov {
	const void *iov;
} KERNEL_TYPE;

/* until 5.13, with the direction in it */
struct iov_iter___type {
	u32 type;
} KERNEL_TYPE;

struct msghdr {
	void *msg_name;
	int msg_namelen;
	struct iov_iter msg_iter;
} KERNEL_TYPE;

struct io_async_msghdr {
	struct msghdr msg;
} KERNEL_TYPE;

struct io_uring_task {
	struct task_struct *task;
} KERNEL_TYPE;

struct io_kiocb {
	struct file *file;
	u8 opcode;
	void *async_data;
	u32 flags; /* 64 bits since 6.10 */
	struct io_ring_ctx *ctx;
	struct task_struct *task;   /* until 6.12 */
	struct io_uring_task *tctx; /* since 6.13 */
	struct io_cqe cqe;          /* since 5.19 */
} KERNEL_TYPE;

/* 7.x: the name's copy is the same, what audit wants of it comes later */
struct delayed_filename {
	struct filename *__incomplete_filename;
} KERNEL_TYPE;

struct open_how {
	u64 flags;
} KERNEL_TYPE;

struct io_open {
	int dfd;
	u32 file_slot; /* the place in the ring's own table and 1, -1 for any; 0: none */
	struct filename *filename;
	struct open_how how;
} KERNEL_TYPE;
struct io_open___delayed {
	struct delayed_filename filename;
} KERNEL_TYPE;

struct io_unlink {
	int dfd;
	int flags;
	struct filename *filename;
} KERNEL_TYPE;
struct io_unlink___delayed {
	struct delayed_filename filename;
} KERNEL_TYPE;

struct io_mkdir {
	int dfd;
	struct filename *filename;
} KERNEL_TYPE;
struct io_mkdir___delayed {
	struct delayed_filename filename;
} KERNEL_TYPE;

struct io_rename {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
	int flags;
} KERNEL_TYPE;
struct io_rename___delayed {
	struct delayed_filename oldpath, newpath;
} KERNEL_TYPE;

/* of LINKAT and SYMLINKAT since 6.0 */
struct io_link {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
} KERNEL_TYPE;
struct io_link___delayed {
	struct delayed_filename oldpath, newpath;
} KERNEL_TYPE;

/* 5.15 to 5.19 */
struct io_hardlink {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
} KERNEL_TYPE;
struct io_symlink {
	int new_dfd;
	struct filename *oldpath, *newpath;
} KERNEL_TYPE;

struct io_close {
	int fd;
	u32 file_slot; /* 0: fd is meant */
} KERNEL_TYPE;

struct io_rw {
	u64 addr;
	u32 len;
} KERNEL_TYPE;

struct io_connect {
	void *addr;
	int addr_len;
} KERNEL_TYPE;

struct io_sr_msg {
	void *umsg; /* in a union with buf */
	u32 len;
	u32 msg_flags;
} KERNEL_TYPE;

/* The peer of a message: in the header that was passed, for SEND here from 6.0 to 6.12; since then the kernel copies both
 * when the request comes */
struct io_sr_msg___addressed {
	u16 addr_len;
	void *addr;
} KERNEL_TYPE;

struct bpf_iter_meta {
	struct seq_file *seq;
} KERNEL_TYPE;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} KERNEL_TYPE;

#endif
