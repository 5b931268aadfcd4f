/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * read, write and their *_config: the first time that a thread reads, or writes, a file. What was reported, or needs no
 * report, is remembered before any path is walked, so that the same again costs a few reads of kernel memory.
 *
 * The memory is a table of buckets of four words. A word stands for a thread, the program it runs, a way of access
 * and a file under one of its names; it is a hash with a secret, so that nobody makes two of them equal. A full bucket
 * forgets its oldest word: that access is then reported once more.
 */
#ifndef KUNAI_BPF_EMIT_ACCESS_H
#define KUNAI_BPF_EMIT_ACCESS_H

enum access { ACCESS_READ, ACCESS_WRITE };
enum { ACCESS_HASH_SHIFT = 64 - ACCESS_BUCKET_BITS };

static __always_inline bool access_told(u32 type)
{
	return wanted(type) && !muted(type);
}

/* What is muted is not remembered either, and told anew as soon as it is wanted. */
static __always_inline bool access_wanted(u32 access)
{
	return access == ACCESS_READ ? access_told(EVENT_read) || access_told(EVENT_read_config)
				     : access_told(EVENT_write) || access_told(EVENT_write_config);
}

static __always_inline u64 access_hash_of_thread(u64 start, u64 exec_id, u32 pid, u32 access)
{
	return hash_mix(hash_mix(config.secret, start ^ exec_id << 56), (u64)pid << 1 | access);
}

/* of the current task */
static __always_inline u64 access_hash_of_task(struct task_struct *t, u32 access)
{
	return access_hash_of_thread(TYPED(t, start_boottime), TYPED(t, self_exec_id), TYPED(t, pid), access);
}

/* The inode's number can be used again, its generation then differs; the dentry and the mount are the name. */
static __always_inline u64 access_hash(u64 of_thread, const void *dentry, const void *mnt, u64 number,
				       u32 generation)
{
	u64 hash = hash_mix(of_thread, pointer_distance(dentry, mnt));
	hash = hash_mix(hash, (u64)generation << 32 | pointer_low(dentry));
	hash = hash_mix(hash, number);
	return hash | 1;
}

static __always_inline u64 access_hash_of_file(u64 of_thread, struct file *file, struct inode *inode)
{
	struct path path = {};

	bpf_core_read(&path, sizeof(path), &file->f_path);
	return access_hash(of_thread, path.dentry, path.mnt, BPF_CORE_READ(inode, i_ino),
			   BPF_CORE_READ(inode, i_generation));
}

/* The same by the current task of a file and an inode that come with their types. */
static __always_inline u64 access_hash_of_typed(struct task_struct *t, struct file *file, struct inode *inode,
						u32 access)
{
	return access_hash(access_hash_of_task(t, access), file->f_path.dentry, file->f_path.mnt,
			   inode->i_ino, inode->i_generation);
}

static __always_inline struct access_bucket *access_bucket_of(u64 hash)
{
	u32 key = hash >> ACCESS_HASH_SHIFT;

	return bpf_map_lookup_elem(&accesses, &key);
}

static __always_inline bool access_is_known(u64 hash)
{
	struct access_bucket *b = access_bucket_of(hash);

	return b &&
	       (b->hashes[0] == hash || b->hashes[1] == hash || b->hashes[2] == hash || b->hashes[3] == hash);
}

/* Two CPUs that do this at once can lose one of the words. */
static __always_inline void access_remember(u64 hash)
{
	struct access_bucket *b = access_bucket_of(hash);

	if (!b)
		return;
	b->hashes[3] = b->hashes[2];
	b->hashes[2] = b->hashes[1];
	b->hashes[1] = b->hashes[0];
	b->hashes[0] = hash;
}

static __always_inline void access_send(struct file *file, u32 type, u64 hash, u32 via)
{
	if ((type == EVENT_read || type == EVENT_write) && is_throttled(type))
		return;
	/* all four structs are the same */
	struct scratch *s = record_begin(type, sizeof(struct wire_read), false, current_task());
	if (!s)
		return;
	struct wire_read *w = record_fixed(s);
	record_header(s)->via = via;
	path_put_file(s, &w->path, file);
	/* what was lost may be told the next time */
	if (record_submit_other(s, type))
		access_remember(hash);
}

/* Kunai leaves out what is read below /proc: what the file system is, not what a directory is called. */
static __always_inline bool is_procfs(struct file *file)
{
	return BPF_CORE_READ(file, f_inode, i_sb, s_magic) == PROC_SUPER_MAGIC;
}

/* Not seen before. A global function: many programs enter it. */
__noinline int access_new(u64 address, u64 hash, u32 access, u32 via)
{
	struct file *file = (struct file *)address;
	u32 type = access == ACCESS_READ ? EVENT_read : EVENT_write;

	if (self())
		return 0;
	u32 top = path_top((u64)BPF_CORE_READ(file, f_path.dentry), (u64)BPF_CORE_READ(file, f_path.mnt));
	if (top == TOP_ETC)
		type = access == ACCESS_READ ? EVENT_read_config : EVENT_write_config;
	if (!wanted(type) || (type == EVENT_read && is_procfs(file)))
		access_remember(hash);
	else
		access_send(file, type, hash, via);
	return 0;
}

/* The file is a regular one. */
static __always_inline void file_accessed(struct file *file, struct inode *inode, u32 access, u32 via)
{
	u64 hash = access_hash_of_file(access_hash_of_task(current_task(), access), file, inode);

	if (!access_is_known(hash))
		access_new((u64)file, hash, access, via);
}

/* The mark of a record, from how the file was written. */
static __always_inline u32 via_of(u32 how)
{
	return how & WRITTEN_URING ? VIA_URING : 0;
}

static __always_inline void regular_read(struct file *file, struct inode *inode)
{
	if (access_wanted(ACCESS_READ))
		file_accessed(file, inode, ACCESS_READ, 0);
}

static __always_inline void regular_written(struct file *file, struct inode *inode, u32 how)
{
	if (access_wanted(ACCESS_WRITE))
		file_accessed(file, inode, ACCESS_WRITE, via_of(how));
	if (wanted(EVENT_write_close))
		file_mark_written(file, how);
}

/* Whether an access that a typed file tells of has been seen to already: most have. how: WRITTEN_* of a write. */
static __always_inline bool access_is_done(struct task_struct *t, struct file *file, struct inode *inode,
					   u32 access, u32 how)
{
	if (access_wanted(access) && !access_is_known(access_hash_of_typed(t, file, inode, access)))
		return false;
	return access == ACCESS_READ || !wanted(EVENT_write_close) ||
	       mark_is_fresh(file, inode, inode->i_ino, how);
}

static __always_inline void file_read(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFREG)
		regular_read(file, inode);
}

/* For what was written, in any way. */
static __always_inline void file_written(struct file *file, u32 how)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFREG)
		regular_written(file, inode, how);
}

/* A mapping is not marked here: whether it was stored to shows when the file closes. */
static __always_inline void file_written_by_mapping(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFREG)
		file_accessed(file, inode, ACCESS_WRITE, 0);
}

/* truncate(2) leaves only a name, and user space finds out which of the two events it is. */
static __always_inline void emit_truncate_access(u64 name)
{
	bool may_be_config = wanted(EVENT_write_config);
	u32 type = may_be_config ? EVENT_write_config : EVENT_write;
	struct task_struct *t = current_task();

	if (!may_be_config && is_throttled(type))
		return;
	struct scratch *s = record_begin(type, sizeof(struct wire_write), false, t);
	if (!s)
		return;
	struct wire_write *w = record_fixed(s);
	path_put_name(s, &w->path, t, AT_FDCWD, name);
	record_submit_other(s, type);
}

#endif
