/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/learn.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
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

/* Closes a new file with close_file(); ret_facts is what the kernel side saw of that. */
static int trial_run(int map, int (*close_file)(int fd), struct bpf_facts *ret_facts)
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
	return err ? err : bpf_map_lookup_elem(map, &zero, ret_facts);
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

/* Several ticks of the slowest clock in use, 100 Hz to 250 Hz: lazy preemption waits for the second one. */
#define SPIN_NS UINT64_C(24000000)

struct rival {
	pthread_t thread;
	cpu_set_t cpu;
	volatile bool stop;
};

/* Wants the CPU all the time. */
static void *rival_run(void *argument)
{
	struct rival *rival = argument;

	sched_setaffinity(0, sizeof(rival->cpu), &rival->cpu);
	while (!rival->stop)
		;
	return NULL;
}

/* Runs the program for some ticks on a CPU that another thread wants, too. */
static int spin_beside_rival(int map, struct bpf_facts *ret_facts)
{
	const uint32_t zero = 0;
	struct bpf_facts facts = {.spin_ns = SPIN_NS, .spin_task = (uint32_t)gettid()};
	struct rival rival = {.stop = false};
	cpu_set_t before;
	int cpu = sched_getcpu();

	if (cpu < 0 || sched_getaffinity(0, sizeof(before), &before) < 0)
		return -errno;
	CPU_ZERO(&rival.cpu);
	CPU_SET((size_t)cpu, &rival.cpu);
	int err = -pthread_create(&rival.thread, NULL, rival_run, &rival);
	if (err)
		return err;
	if (sched_setaffinity(0, sizeof(rival.cpu), &rival.cpu) < 0)
		err = -errno;
	/* the call that sets spin_ns is the one that is spun in when it returns */
	if (!err)
		err = bpf_map_update_elem(map, &zero, &facts, BPF_ANY);
	rival.stop = true;
	pthread_join(rival.thread, NULL);
	sched_setaffinity(0, sizeof(before), &before);
	return err ? err : bpf_map_lookup_elem(map, &zero, ret_facts);
}

static int learn_preemption(struct bpf_object *object, int map, bool *ret_preemptible)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "learn_preemption");
	struct bpf_link *link;
	struct bpf_facts facts = {0};

	*ret_preemptible = false;
	if (!program || bpf_program__fd(program) < 0)
		return 0; /* a kernel from before this was possible */
	link = bpf_program__attach(program);
	if (!link)
		return -errno;
	int err = spin_beside_rival(map, &facts);
	bpf_link__destroy(link);
	*ret_preemptible = facts.preemptible;
	return err;
}

static int learn_closing(struct bpf_object *object, int map, struct bpf_facts *ret_close,
			 struct bpf_facts *ret_dup)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "learn");
	struct bpf_link *link = program ? bpf_program__attach(program) : NULL;

	if (!link)
		return -errno;
	int err = trial_run(map, close_by_close, ret_close);
	if (!err)
		err = trial_run(map, close_by_dup2, ret_dup);
	bpf_link__destroy(link);
	return err;
}

int learn_kernel_facts(struct bpf_object *object, struct kernel_facts *ret)
{
	const uint32_t zero = 0;
	struct bpf_map *bss = bpf_object__find_map_by_name(object, ".bss");
	struct bpf_facts after_close = {0}, after_dup = {0};
	struct kernel_facts facts = {0};

	int err = bss ? learn_preemption(object, bpf_map__fd(bss), &facts.preemptible) : -ENOENT;
	if (!err)
		err = learn_closing(object, bpf_map__fd(bss), &after_close, &after_dup);
	/* what the programs need from now on */
	const struct bpf_facts known = {.fput_func = after_dup.fput_func};
	if (!err)
		err = bpf_map_update_elem(bpf_map__fd(bss), &zero, &known, BPF_ANY);
	if (err)
		return err;
	facts.close_is_final = after_close.fput_func == 0;
	*ret = facts;
	return 0;
}
