/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/learn.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/wire.h"

#include "bpf/base/config.h"

/* A new file and its inode number. */
static int trial_file(uint64_t *ret_inode)
{
	struct stat st;
	int fd = memfd_create("kunai", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	*ret_inode = st.st_ino;
	return fd;
}

/* Closes a new file with close_file(); *ret_func is its callback while it waits, or 0. */
static int trial_run(int map, int (*close_file)(int fd), uint64_t *ret_func)
{
	const uint32_t zero = 0;
	struct bpf_facts facts = {0};
	int fd = trial_file(&facts.trial_inode);
	if (fd < 0)
		return fd;

	int err = bpf_map_update_elem(map, &zero, &facts, BPF_ANY);
	int close_err = close_file(fd);
	if (!err)
		err = close_err;
	if (!err)
		err = bpf_map_lookup_elem(map, &zero, &facts);
	if (!err)
		*ret_func = facts.fput_func;
	return err;
}

static int close_by_close(int fd)
{
	return close(fd) < 0 ? -errno : 0;
}

/* dup2() over a file defers its last fput() on every kernel. */
static int close_by_dup2(int fd)
{
	uint64_t inode;
	int other = trial_file(&inode);
	int err = other < 0 ? other : 0;
	if (!err && dup2(other, fd) < 0)
		err = -errno;
	if (other >= 0)
		close(other);
	close(fd);
	return err;
}

int learn_kernel_facts(struct bpf_object *object, bool *ret_close_is_final)
{
	const uint32_t zero = 0;
	struct bpf_map *bss = bpf_object__find_map_by_name(object, ".bss");
	struct bpf_program *program = bpf_object__find_program_by_name(object, "learn");
	struct bpf_link *link = bss && program ? bpf_program__attach(program) : NULL;
	struct bpf_facts facts = {0};
	uint64_t after_close = 0;

	if (!link)
		return -errno;
	int err = trial_run(bpf_map__fd(bss), close_by_close, &after_close);
	if (!err)
		err = trial_run(bpf_map__fd(bss), close_by_dup2, &facts.fput_func);
	bpf_link__destroy(link);
	if (!err)
		err = bpf_map_update_elem(bpf_map__fd(bss), &zero, &facts, BPF_ANY);
	if (!err)
		*ret_close_is_final = after_close == 0;
	return err;
}
