/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/harden.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/utc_clock.h"
#include "bpf/harden/shared.h"
#include "probe/internal.h"
#include "probe/object.h"
#include "probe/tracer.h"

const char guard_needs[] = "the hardened mode needs the BPF LSM: a kernel with CONFIG_BPF_LSM that was "
			   "booted with bpf in lsm= (see "
			   "/sys/kernel/security/lsm, and `kunai doctor`)";

enum need { REQUIRED, IF_THERE, SINCE };

static const struct guard_hook {
	const char *name;
	enum need need;
} guard_hooks[] = {
#define GUARD(hook, need) {#hook, need},
#include "schema/harden.def"
#undef GUARD
};

enum { GUARD_HOOKS = sizeof(guard_hooks) / sizeof(*guard_hooks) };

struct guard {
	struct bpf_object *object;
	struct bpf_link *links[GUARD_HOOKS];
	struct guard_state *state;
	size_t state_size;
	struct buf warnings;
};

static void program_name(const struct guard_hook *hook, char ret[NAME_MAX_LEN])
{
	snprintf(ret, NAME_MAX_LEN, "guard_%s", hook->name);
}

/* Without CONFIG_BPF_LSM there is none of these. */
static bool has_hook(const struct btf *btf, const struct guard_hook *hook)
{
	char name[NAME_MAX_LEN];

	snprintf(name, sizeof(name), "bpf_lsm_%s", hook->name);
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/* The list of security modules, separated by commas. */
static int check_modules(void)
{
	char text[512], *rest = text;
	int fd = open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno == -ENOENT ? -ENODATA : -errno;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	int err = n < 0 ? -errno : -ENOENT;

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (char *name; err == -ENOENT && (name = strsep(&rest, ",\n"));)
		err = strcmp(name, "bpf") == 0 ? 0 : err;
	return err;
}

/* One that allows everything, and is not attached. */
static int try_program(void)
{
	static const struct bpf_insn allow[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_LSM_MAC);
	int id = libbpf_find_vmlinux_btf_id("task_kill", BPF_LSM_MAC);
	if (id < 0)
		return id;
	options.attach_btf_id = (uint32_t)id;
	int fd = bpf_prog_load(BPF_PROG_TYPE_LSM, "kunai_try", "GPL", allow, sizeof(allow) / sizeof(*allow),
			       &options);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int guard_check(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int err = btf ? 0 : -errno;

	for (size_t i = 0; i < GUARD_HOOKS && !err; i++)
		if (guard_hooks[i].need == REQUIRED && !has_hook(btf, &guard_hooks[i]))
			err = -EOPNOTSUPP;
	btf__free(btf);
	if (err)
		return err == -ENOENT ? -ENODATA : err;
	int modules = check_modules();
	err = modules == -ENOENT ? 0 : try_program();
	return err ? err : modules;
}

static int choose_programs(struct guard *g, struct buf *ret_message)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int err = btf ? 0 : -errno;

	for (size_t i = 0; i < GUARD_HOOKS && !err; i++) {
		const struct guard_hook *hook = &guard_hooks[i];
		char name[NAME_MAX_LEN];
		program_name(hook, name);
		struct bpf_program *program = bpf_object__find_program_by_name(g->object, name);
		if (has_hook(btf, hook))
			continue;
		err = program ? bpf_program__set_autoload(program, false) : -ENOENT;
		if (hook->need == REQUIRED)
			err = -EOPNOTSUPP;
		else if (hook->need == IF_THERE)
			buf_printf(&g->warnings, "this kernel has no hook %s\n", hook->name);
	}
	btf__free(btf);
	if (err)
		buf_add_str(ret_message, str_of(guard_needs));
	return err;
}

/* Rings, counters and scratch memory are those of the probe; of the rest only our own are made. */
static int share_maps(struct guard *g, const struct probe *p)
{
	static const char *const shared[] = {"ring_process",  "ring_other", "slots",
					     "scratch_small", "counters",   "scratch_large"};
	static const char *const own[] = {"guard_state", "guarded_tasks", "guarded_files", "guarded_ids",
					  "guarded_cgroups"};
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, g->object)
	{
		const char *name = bpf_map__name(map);
		bool wanted = bpf_map__is_internal(map);
		for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
			wanted = wanted || strcmp(name, own[i]) == 0;
		for (size_t i = 0; i < sizeof(shared) / sizeof(*shared) && !err; i++)
			if (strcmp(name, shared[i]) == 0) {
				wanted = true;
				err = bpf_map__reuse_fd(map, bpf_map__fd(load_find_map(p, name)));
			}
		if (!wanted && !err)
			err = bpf_map__set_autocreate(map, false);
	}
	return err;
}

static int copy_config(struct guard *g, const struct probe *p)
{
	struct bpf_map *to = bpf_object__find_map_by_name(g->object, ".rodata.config");
	const struct bpf_map *from = load_find_map(p, ".rodata.config");
	size_t size;
	const void *value = from ? bpf_map__initial_value((struct bpf_map *)from, &size) : NULL;

	return to && value ? bpf_map__set_initial_value(to, value, size) : -ENOENT;
}

static int load(struct guard *g, const struct probe *p, struct buf *ret_message)
{
	int err = object_open_harden(p->modern, &g->object);
	if (!err)
		err = choose_programs(g, ret_message);
	if (!err)
		err = share_maps(g, p);
	if (!err)
		err = copy_config(g, p);
	return err ? err : bpf_object__load(g->object);
}

static struct bpf_map *find_map(const struct guard *g, const char *name)
{
	return bpf_object__find_map_by_name(g->object, name);
}

static int map_state(struct guard *g)
{
	g->state_size = (size_t)sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, g->state_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(find_map(g, "guard_state")), 0);
	if (memory == MAP_FAILED)
		return -errno;
	g->state = memory;
	return 0;
}

static int guard_helpers(const struct guard *g, const struct guard_options *options)
{
	int err = 0;

	for (size_t i = 0; i < options->helper_count && !err; i++) {
		uint32_t tgid = (uint32_t)options->helpers[i], one = 1;
		if (options->helpers[i] > 0)
			err = bpf_map_update_elem(bpf_map__fd(find_map(g, "guarded_tasks")), &tgid, &one,
						  BPF_ANY);
	}
	return err;
}

static int attach(struct guard *g)
{
	for (size_t i = 0; i < GUARD_HOOKS; i++) {
		char name[NAME_MAX_LEN];
		program_name(&guard_hooks[i], name);
		struct bpf_program *program = bpf_object__find_program_by_name(g->object, name);
		if (!program || !bpf_program__autoload(program))
			continue;
		g->links[i] = bpf_program__attach(program);
		if (!g->links[i])
			return -errno;
	}
	return 0;
}

static void add_id(const struct guard *g, enum guarded_kind kind, uint32_t id)
{
	uint64_t key = (uint64_t)kind << GUARDED_KIND_SHIFT | id;
	uint32_t one = 1;

	bpf_map_update_elem(bpf_map__fd(find_map(g, "guarded_ids")), &key, &one, BPF_ANY);
}

static void add_object_ids(const struct guard *g, const struct bpf_object *object)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_program(program, object)
	{
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);
		if (bpf_program__fd(program) >= 0 &&
		    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0)
			add_id(g, GUARDED_PROGRAM, info.id);
	}
	bpf_object__for_each_map(map, object)
	{
		struct bpf_map_info info = {0};
		uint32_t size = sizeof(info);
		if (bpf_map__fd(map) >= 0 && bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &size) == 0)
			add_id(g, GUARDED_MAP, info.id);
	}
}

/* A link of before 5.11 or of another kind has no number, and then nobody can ask for it by one. */
static void add_link_ids(const struct guard *g, struct bpf_link *const *links, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bpf_link_info info = {0};
		uint32_t size = sizeof(info);
		if (links[i] && bpf_obj_get_info_by_fd(bpf_link__fd(links[i]), &info, &size) == 0)
			add_id(g, GUARDED_LINK, info.id);
	}
}

/* The kernel side notes what this thread opens now. */
static int learn(struct guard *g, const char *path, uint32_t how)
{
	uint64_t before = __atomic_load_n(&g->state->learned, __ATOMIC_ACQUIRE);

	g->state->learn_as = how;
	__atomic_store_n(&g->state->learner, (uint64_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;
	__atomic_store_n(&g->state->learner, 0, __ATOMIC_RELEASE);
	if (fd >= 0)
		close(fd);
	return err ? err : __atomic_load_n(&g->state->learned, __ATOMIC_ACQUIRE) == before ? -ENOSYS : 0;
}

/* The directories down to it as well: a rename of one of them would be as good. */
static int guard_path(struct guard *g, const char *path, uint32_t how)
{
	char part[PATH_MAX];

	if (!realpath(path, part))
		return -errno;
	int err = learn(g, part, how);
	for (char *slash; !err && (slash = strrchr(part, '/')) && slash != part;) {
		*slash = '\0';
		err = learn(g, part, GUARD_PLACE);
	}
	return err;
}

/* The first one is the test whether the kernel asks our programs at all. */
static int guard_files(struct guard *g, const struct guard_options *options, struct buf *ret_message)
{
	int err = guard_path(g, "/proc/self/exe", GUARD_BYTES);

	if (err) {
		if (err == -ENOSYS)
			buf_add_str(ret_message, str_of(guard_needs));
		else
			buf_printf(ret_message, "cannot guard the sensor's program: %s", strerror(-err));
		return err;
	}
	for (size_t i = 0; i < options->file_count; i++) {
		err = options->files[i] ? guard_path(g, options->files[i], GUARD_BYTES) : 0;
		if (err)
			buf_printf(&g->warnings, "cannot guard %s: %s\n", options->files[i], strerror(-err));
	}
	err = options->directory ? guard_path(g, options->directory, GUARD_CONTENTS | GUARD_PLACE) : 0;
	if (err)
		buf_printf(&g->warnings, "cannot guard %s: %s\n", options->directory, strerror(-err));
	return 0;
}

/* Whoever traced us before could still do with us what he likes. Nobody begins to any more. */
static int check_tracer(pid_t pid, struct buf *ret_message)
{
	pid_t tracer = tracer_find(pid);

	if (tracer > 0)
		buf_printf(ret_message,
			   "process %d traces the sensor, pid %d: a hardened one does not start so", tracer,
			   pid);
	else if (tracer < 0)
		buf_printf(ret_message, "cannot find out whether pid %d of the sensor is traced: %s", pid,
			   strerror(-tracer));
	return tracer > 0 ? -EPERM : tracer;
}

static int check_tracers(const struct guard_options *options, struct buf *ret_message)
{
	int err = check_tracer(getpid(), ret_message);

	for (size_t i = 0; i < options->helper_count && !err; i++)
		if (options->helpers[i] > 0)
			err = check_tracer(options->helpers[i], ret_message);
	return err;
}

int guard_open(struct probe *p, const struct guard_options *options, struct guard **ret,
	       struct buf *ret_message)
{
	struct guard *g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;

	int err = load(g, p, ret_message);
	if (!err)
		err = map_state(g);
	if (!err)
		err = guard_helpers(g, options);
	if (err)
		goto fail;
	g->state->lease = options->lease;
	g->state->renewed = monotonic_time_now();
	err = attach(g);
	if (!err)
		err = guard_files(g, options, ret_message);
	if (!err)
		err = check_tracers(options, ret_message);
	if (err)
		goto fail;
	add_object_ids(g, p->object);
	add_object_ids(g, g->object);
	add_link_ids(g, p->links, p->link_count);
	add_link_ids(g, g->links, GUARD_HOOKS);
	*ret = g;
	return 0;
fail:
	if (!ret_message->len)
		buf_printf(ret_message, "the kernel refuses the programs of the hardened mode: %s",
			   strerror(-err));
	guard_close(g);
	return err;
}

void guard_close(struct guard *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < GUARD_HOOKS; i++)
		bpf_link__destroy(g->links[i]);
	if (g->state)
		munmap(g->state, g->state_size);
	bpf_object__close(g->object);
	buf_fini(&g->warnings);
	free(g);
}

const char *guard_warnings(const struct guard *g)
{
	return g->warnings.len ? g->warnings.p : "";
}

uint64_t guard_renew(struct guard *g)
{
	uint64_t now = monotonic_time_now();
	uint64_t lapsed = lease_lapsed(g->state->renewed, g->state->lease, now);

	__atomic_store_n(&g->state->renewed, now, __ATOMIC_RELEASE);
	return lapsed;
}

uint64_t guard_unremembered(const struct guard *g)
{
	return __atomic_load_n(&g->state->full, __ATOMIC_ACQUIRE);
}
