/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_create and write_close, with the table of files that were written and are still open. */
#ifndef KUNAI_BPF_EMIT_FILE_H
#define KUNAI_BPF_EMIT_FILE_H

static __always_inline void emit_file_create(struct file *file, u32 via)
{
	struct scratch *s =
		record_begin_file(EVENT_file_create, sizeof(struct wire_file_create), current_task());
	if (!s)
		return;
	struct wire_file_create *w = record_fixed(s);
	record_header(s)->via = via;
	path_put_file(s, &w->path, file);
	record_submit_other(s, EVENT_file_create);
}

/*
 * Before the table of written files stands a smaller one, of words that say: this file has its mark. Looking there costs a
 * fifth. A word is a hash of the file, its inode, how it was written and of the time by marks: the table forgets what was
 * not looked up for long, so that a word counts only while few other files were marked. Who removes a mark clears the
 * word afterwards, who writes the word looks for the mark afterwards: no word outlives its mark.
 */
enum { FRESH_WINDOW_SHIFT = 10 };
_Static_assert(WIRE_WRITTEN_FILES_MAX >> FRESH_WINDOW_SHIFT >= 16, "a window is a small part of the table");
static u64 marks_made;

static __always_inline u64 *fresh_mark(const void *file)
{
	u32 key = hash_mix(config.secret, pointer_low(file)) >> (64 - FRESH_MARK_BITS);

	return bpf_map_lookup_elem(&fresh_marks, &key);
}

static __always_inline u64 fresh_word(const void *file, const void *inode, u64 number, u32 how)
{
	u64 window = *(volatile u64 *)&marks_made >> FRESH_WINDOW_SHIFT;
	u64 hash = hash_mix(config.secret, pointer_distance(file, inode));

	hash = hash_mix(hash, (u64)how << 32 | pointer_low(file));
	hash = hash_mix(hash, number);
	return hash_mix(hash, window) | 1;
}

/* Both pointers may be typed. */
static __always_inline bool mark_is_fresh(const void *file, const void *inode, u64 number, u32 how)
{
	u64 *word = fresh_mark(file);

	return word && *(volatile u64 *)word == fresh_word(file, inode, number, how);
}

static __always_inline void mark_refresh(struct file *file, u64 value)
{
	u64 *word = fresh_mark(file);

	if (word)
		*(volatile u64 *)word = value;
}

/* Whether it is remembered already. The memory of a file that was closed unseen may be used again, for another inode. */
static __always_inline bool file_is_marked(struct written_file *known, u64 number, u32 how)
{
	if (!known || known->inode != number)
		return false;
	if ((known->how & how) != how)
		known->how |= how;
	return true;
}

/* Remembers that a regular file was written, until its last reference goes. */
static __always_inline void file_mark_written(struct file *file, u32 how)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u64 number = BPF_CORE_READ(inode, i_ino);
	u64 key = (u64)file;

	mark_refresh(file, fresh_word(file, inode, number, how));
	struct written_file *known = bpf_map_lookup_elem(&written_files, &key);
	if (file_is_marked(known, number, how))
		return;
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG || self()) {
		mark_refresh(file, 0);
		return;
	}
	struct written_file written = {.inode = number, .mtime = inode_mtime(inode), .how = how};
	if (bpf_map_update_elem(&written_files, &key, &written, BPF_ANY)) {
		COUNT_LOST(EVENT_write_close);
		mark_refresh(file, 0);
	} else if (!known) {
		COUNT(EVENT_write_close, followed);
		__sync_fetch_and_add(&marks_made, 1);
	}
}

/* What was done to the file since it was opened, or 0. A mapping counts when the file changed after it was made. */
static __always_inline u32 written_how(const struct written_file *written, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (written->inode != BPF_CORE_READ(inode, i_ino))
		return 0; /* the memory of a file that was closed unseen, used again */
	if (written->how & WRITTEN_MAPPING && inode_mtime(inode) == written->mtime)
		return written->how & ~WRITTEN_MAPPING;
	return written->how;
}

/*
 * The last reference to a file goes. A global function: the callers are loops. Removing the entry is what decides
 * who reports it when two threads find it at once.
 */
__noinline int file_closing(u64 address)
{
	struct file *file = (struct file *)address;
	struct written_file *written = bpf_map_lookup_elem(&written_files, &address);
	if (!written)
		return 0;
	u32 how = written_how(written, file);
	if (bpf_map_delete_elem(&written_files, &address))
		return 0;
	mark_refresh(file, 0);
	COUNT(EVENT_write_close, unfollowed);
	if (!how)
		return 0;

	struct scratch *s =
		record_begin_file(EVENT_write_close, sizeof(struct wire_write_close), current_task());
	if (!s)
		return 0;
	struct wire_write_close *w = record_fixed(s);
	w->written = how;
	path_put_file(s, &w->path, file);
	record_submit_other(s, EVENT_write_close);
	return 0;
}

/* truncate(2) on a path leaves no object behind. */
static __always_inline void emit_truncate(u64 name)
{
	struct task_struct *t = current_task();
	struct scratch *s = record_begin_file(EVENT_write_close, sizeof(struct wire_write_close), t);

	if (!s)
		return;
	struct wire_write_close *w = record_fixed(s);
	w->written = WRITTEN_TRUNCATE;
	path_put_name(s, &w->path, t, AT_FDCWD, name);
	record_submit_other(s, EVENT_write_close);
}

/* truncate(2) where the kernel's own path is known. */
static __always_inline void emit_truncated(struct dentry *dentry, struct vfsmount *mnt)
{
	struct scratch *s;

	if (by_trampoline(EVENT_write_close)) {
		s = record_begin_file(EVENT_write_close, sizeof(struct wire_write_close), current_task());
		if (s) {
			struct wire_write_close *w = record_fixed(s);
			w->written = WRITTEN_TRUNCATE;
			path_put_entry(s, &w->path, dentry, mnt);
			record_submit_other(s, EVENT_write_close);
		}
	}
	u32 type = path_top((u64)dentry, (u64)mnt) == TOP_ETC ? EVENT_write_config : EVENT_write;
	if (!by_trampoline(type))
		return;
	s = type == EVENT_write ? record_begin_file(type, sizeof(struct wire_write), current_task())
				: record_begin(type, sizeof(struct wire_write), false, current_task());
	if (!s)
		return;
	struct wire_write *w = record_fixed(s);
	path_put_entry(s, &w->path, dentry, mnt);
	record_submit_other(s, type);
}

/* A name that is gone, or should have been: a deleted dentry keeps its name and its directory. */
__noinline int emit_file_deleted(u64 dentry, u64 mnt, u32 success)
{
	struct scratch *s =
		record_begin_file(EVENT_file_unlink, sizeof(struct wire_file_unlink), current_task());

	if (!s)
		return 0;
	struct wire_file_unlink *w = record_fixed(s);
	w->success = success;
	path_put(s, &w->path, (struct dentry *)dentry, (struct vfsmount *)mnt);
	record_submit_other(s, EVENT_file_unlink);
	return 0;
}

/* The dentry has its new name by now; the old one was kept. */
static __always_inline void emit_file_moved(struct renamedata *data, const struct changing_name *name)
{
	struct scratch *s =
		record_begin_file(EVENT_file_rename, sizeof(struct wire_file_rename), current_task());

	if (!s)
		return;
	struct wire_file_rename *w = record_fixed(s);
	struct dentry *dentry = BPF_CORE_READ(data, old_dentry), *other = BPF_CORE_READ(data, new_dentry);
	struct vfsmount *mnt = (struct vfsmount *)name->mnt;
	/* two names of one file: the kernel says that it is done, and leaves both */
	if (BPF_CORE_READ(dentry, d_inode) == BPF_CORE_READ(other, d_inode))
		dentry = other;
	w->flags = BPF_CORE_READ(data, flags);
	w->old.components.off = s->used;
	scratch_put_kernel_str(s, name->old_name, sizeof(name->old_name));
	w->old.flags |= path_walk(s, (struct dentry *)name->old_dir, mnt);
	w->old.components.len = s->used - w->old.components.off;
	if (w->flags & RENAME_EXCHANGE)
		w->old.mode = BPF_CORE_READ(other, d_inode, i_mode);
	path_put_entry(s, &w->new, dentry, mnt);
	record_submit_other(s, EVENT_file_rename);
}

/* Global functions: several calls enter them. */
__noinline int emit_file_unlink(s32 dir, u64 name, u32 success)
{
	struct task_struct *t = current_task();
	struct scratch *s = record_begin_file(EVENT_file_unlink, sizeof(struct wire_file_unlink), t);

	if (!s)
		return 0;
	struct wire_file_unlink *w = record_fixed(s);
	w->success = success;
	path_put_name(s, &w->path, t, dir, name);
	record_submit_other(s, EVENT_file_unlink);
	return 0;
}

__noinline int emit_file_rename(s32 old_dir, u64 old, s32 new_dir, u64 new, u32 flags)
{
	struct task_struct *t = current_task();
	struct scratch *s = record_begin_file(EVENT_file_rename, sizeof(struct wire_file_rename), t);

	if (!s)
		return 0;
	struct wire_file_rename *w = record_fixed(s);
	w->flags = flags;
	path_put_name(s, &w->old, t, old_dir, old);
	path_put_name(s, &w->new, t, new_dir, new);
	record_submit_other(s, EVENT_file_rename);
	return 0;
}

#endif
