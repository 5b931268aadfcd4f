/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bpf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LARGE = 4001, GONE = 7, NOBODY = 65534 };

static const struct bpf_insn small[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
	{.code = BPF_JMP | BPF_EXIT},
};

/* A call of a helper is shown with its address, or without to whom may not know it. */
static const struct bpf_insn calling[] = {
	{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_prandom_u32},
	{.code = BPF_JMP | BPF_EXIT},
};

static struct bpf_insn large[LARGE];

long bpf_native(int command, union bpf_attr *attr, unsigned size)
{
	return syscall(SYS_bpf, command, attr, size);
}

static void use_code(union bpf_attr *attr, const struct bpf_insn *code, unsigned count)
{
	attr->insns = (uintptr_t)code;
	attr->insn_cnt = count;
}

union bpf_attr bpf_attr_of(enum bpf_prog_type type, const char *name)
{
	union bpf_attr attr = {.prog_type = type, .license = (uintptr_t) "GPL"};

	use_code(&attr, small, sizeof(small) / sizeof(*small));
	snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
	return attr;
}

void bpf_tell(int fd, struct bpf_told *ret)
{
	union bpf_attr attr = {.info = {.bpf_fd = (unsigned)fd, .info_len = sizeof(ret->info)}};

	memset(ret, 0, sizeof(*ret));
	ret->info.xlated_prog_len = sizeof(ret->code);
	ret->info.xlated_prog_insns = (uintptr_t)ret->code;
	attr.info.info = (uintptr_t)&ret->info;
	actor_must(bpf_native(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) == 0, "ask for the program");
	actor_must(ret->info.xlated_prog_len <= sizeof(ret->code), "have room for the program");
}

static const char *tag_text(const struct bpf_told *told, char text[2 * BPF_TAG_SIZE + 1])
{
	for (size_t i = 0; i < BPF_TAG_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", told->info.tag[i]);
	return text;
}

void bpf_describe(struct fact *fact, const struct bpf_told *told)
{
	char tag[2 * BPF_TAG_SIZE + 1];

	facts_number(fact, "prog_id", told->info.id);
	facts_number(fact, "prog_type", told->info.type);
	facts_string(fact, "prog_tag", tag_text(told, tag));
	facts_string(fact, "prog_name", told->info.name);
	facts_bytes(fact, "code", told->code, told->info.xlated_prog_len);
}

static void state_loaded(int fd, const char *attached_func, bool kept)
{
	static struct bpf_told told;
	char symbol[128] = "", tag[2 * BPF_TAG_SIZE + 1];
	struct fact fact;

	bpf_tell(fd, &told);
	if (told.info.jited_prog_len)
		snprintf(symbol, sizeof(symbol), "bpf_prog_%s%s%s", tag_text(&told, tag),
			 told.info.name[0] ? "_" : "", told.info.name);
	facts_begin(&fact, "prog");
	facts_string(&fact, "error", "");
	bpf_describe(&fact, &told);
	facts_number(&fact, "verified", told.info.verified_insns);
	facts_string(&fact, "ksym", symbol);
	facts_string(&fact, "attached_func", attached_func);
	facts_bool(&fact, "kept", kept);
	facts_end(&fact);
}

static int load(bpf_call call, union bpf_attr *attr)
{
	/* what programs are charged to before 5.11 */
	const struct rlimit infinity = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &infinity);
	return (int)call(BPF_PROG_LOAD, attr, sizeof(*attr));
}

int bpf_load(bpf_call call, union bpf_attr *attr, const char *attached_func)
{
	int fd = load(call, attr);

	if (fd < 0 && errno == ENOSYS)
		actor_skip("no bpf(2) here");
	actor_must(fd >= 0, "load a BPF program");
	state_loaded(fd, attached_func, true);
	actor_stay();
	return fd;
}

void bpf_load_refused(bpf_call call, union bpf_attr *attr, unsigned size)
{
	const struct rlimit infinity = {RLIM_INFINITY, RLIM_INFINITY};
	struct fact fact;

	setrlimit(RLIMIT_MEMLOCK, &infinity);
	long status = call(BPF_PROG_LOAD, attr, size);
	int error = errno;
	actor_must(status < 0, "be refused");
	facts_begin(&fact, "prog");
	facts_string(&fact, "error", strerrorname_np(error));
	facts_number(&fact, "prog_type", attr == actor_nowhere ? 0 : (long long)attr->prog_type);
	facts_number(&fact, "instructions", attr == actor_nowhere ? 0 : (long long)attr->insn_cnt);
	facts_string(&fact, "prog_name", attr == actor_nowhere ? "" : attr->prog_name);
	facts_end(&fact);
	errno = error;
}

/* Who may not know the kernel's addresses sees the same as the sensor's helper. */
static void drop_syslog(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	actor_must(syscall(SYS_capget, &head, sets) == 0, "capget");
	sets[1].effective &= ~(1u << (CAP_SYSLOG - 32));
	actor_must(syscall(SYS_capset, &head, sets) == 0, "capset");
}

static void prog_types(const struct actor_case *self)
{
	union bpf_attr attr = bpf_attr_of((enum bpf_prog_type)self->a, "actor");

	bpf_load(bpf_native, &attr, "");
}

static void prog_unnamed(const struct actor_case *self)
{
	union bpf_attr attr = bpf_attr_of(BPF_PROG_TYPE_SOCKET_FILTER, "");

	(void)self;
	bpf_load(bpf_native, &attr, "");
}

static void prog_calling(const struct actor_case *self)
{
	union bpf_attr attr = bpf_attr_of(BPF_PROG_TYPE_SOCKET_FILTER, "calling_program");

	(void)self;
	drop_syslog();
	use_code(&attr, calling, sizeof(calling) / sizeof(*calling));
	bpf_load(bpf_native, &attr, "");
}

static void prog_large(const struct actor_case *self)
{
	union bpf_attr attr = bpf_attr_of(BPF_PROG_TYPE_SOCKET_FILTER, "large");

	(void)self;
	for (int i = 0; i < LARGE - 1; i++)
		large[i] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = i};
	large[LARGE - 1] = small[1];
	use_code(&attr, large, LARGE);
	bpf_load(bpf_native, &attr, "");
}

/* Closed at once: whether it could still be read is a matter of luck, but not what it was. */
static void prog_gone(const struct actor_case *self)
{
	(void)self;
	for (int i = 0; i < GONE; i++) {
		union bpf_attr attr = bpf_attr_of(BPF_PROG_TYPE_SOCKET_FILTER, "gone");
		int fd = load(bpf_native, &attr);

		if (fd < 0 && errno == ENOSYS)
			actor_skip("no bpf(2) here");
		actor_must(fd >= 0, "load a BPF program");
		state_loaded(fd, "", false);
		close(fd);
	}
}

static void prog_refused_code(const struct actor_case *self)
{
	union bpf_attr attr = bpf_attr_of(BPF_PROG_TYPE_XDP, "bad_code");

	(void)self;
	use_code(&attr, small + 1, 1); /* leaves without a result */
	bpf_load_refused(bpf_native, &attr, sizeof(attr));
	actor_must(errno == EACCES, "EACCES");
}

/* The kernel takes what is not there for zero. */
static void prog_refused_short(const struct actor_case *self)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_TRACEPOINT, .insn_cnt = 0};

	(void)self;
	bpf_load_refused(bpf_native, &attr, 8);
}

static void prog_refused_unreadable(const struct actor_case *self)
{
	(void)self;
	bpf_load_refused(bpf_native, actor_nowhere, sizeof(union bpf_attr));
	actor_must(errno == EFAULT, "EFAULT");
}

static void prog_refused_user(const struct actor_case *self)
{
	union bpf_attr attr = bpf_attr_of(BPF_PROG_TYPE_KPROBE, "not_allowed");

	(void)self;
	actor_must(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0,
		   "become nobody");
	facts_refresh_names();
	bpf_load_refused(bpf_native, &attr, sizeof(attr));
	actor_must(errno == EPERM, "EPERM");
}

/* Other commands are no event. */
static void prog_other(const struct actor_case *self)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	int fd = (int)bpf_native(BPF_MAP_CREATE, &attr, sizeof(attr));

	(void)self;
	if (fd >= 0)
		close(fd);
}

static size_t btf_type_size(const struct btf_type *t)
{
	unsigned n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(*t) + 4;
	case BTF_KIND_ARRAY:
		return sizeof(*t) + sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return sizeof(*t) + 12 * n;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return sizeof(*t) + 8 * n;
	default:
		return sizeof(*t);
	}
}

/* The kernel's number of that type; 0 for none. */
static unsigned btf_find_typedef(const char *name)
{
	struct stat stat_buf;
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	unsigned found = 0;

	if (fd < 0 || fstat(fd, &stat_buf) < 0)
		actor_skip("no BTF here");
	char *bytes = malloc((size_t)stat_buf.st_size);
	ssize_t n, len = 0;
	while (bytes && (n = read(fd, bytes + len, (size_t)(stat_buf.st_size - len))) > 0)
		len += n;
	close(fd);
	actor_must(bytes && len == stat_buf.st_size, "read the BTF");
	const struct btf_header *head = (void *)bytes;
	const char *at = bytes + head->hdr_len + head->type_off, *end = at + head->type_len;
	const char *names = bytes + head->hdr_len + head->str_off;
	for (unsigned id = 1; at < end && !found; id++) {
		const struct btf_type *t = (const void *)at;

		if (BTF_INFO_KIND(t->info) == BTF_KIND_TYPEDEF && strcmp(names + t->name_off, name) == 0)
			found = id;
		at += btf_type_size(t);
	}
	free(bytes);
	return found;
}

static void prog_tracing(const struct actor_case *self)
{
	union bpf_attr attr = bpf_attr_of(BPF_PROG_TYPE_TRACING, "tracing");
	static const struct bpf_insn zero[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	(void)self;
	use_code(&attr, zero, 2);
	attr.expected_attach_type = BPF_TRACE_RAW_TP;
	attr.attach_btf_id = btf_find_typedef("btf_trace_sched_process_exit");
	bpf_load(bpf_native, &attr, "sched_process_exit");
}

void actor_add_prog(void)
{
	static const struct {
		enum bpf_prog_type type;
		const char *name;
	} types[] = {
		{BPF_PROG_TYPE_SOCKET_FILTER, "socket_filter"},   {BPF_PROG_TYPE_SCHED_CLS, "sched_cls"},
		{BPF_PROG_TYPE_TRACEPOINT, "tracepoint"},         {BPF_PROG_TYPE_XDP, "xdp"},
		{BPF_PROG_TYPE_RAW_TRACEPOINT, "raw_tracepoint"},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		actor_add(prog_types, (int)types[i].type, 0, 0, "prog.%s", types[i].name);
	actor_add(prog_unnamed, 0, 0, 0, "prog.unnamed");
	actor_add(prog_calling, 0, 0, 0, "prog.calling");
	actor_add(prog_large, 0, 0, 0, "prog.large");
	actor_add(prog_gone, 0, 0, 0, "prog.gone");
	actor_add(prog_tracing, 0, 0, 0, "prog.tracing");
	actor_add(prog_refused_code, 0, 0, 0, "prog.refused.code");
	actor_add(prog_refused_short, 0, 0, 0, "prog.refused.short");
	actor_add(prog_refused_unreadable, 0, 0, 0, "prog.refused.unreadable");
	actor_add(prog_refused_user, 0, 0, 0, "prog.refused.user");
	actor_add(prog_other, 0, 0, 0, "prog.other");
}
