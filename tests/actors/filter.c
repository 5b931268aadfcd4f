/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs attached to sockets: classic and eBPF, every kind of socket, and what the kernel refuses. */
#include "filter.h"

#include "bpf.h"
#include "sock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#define SO_ATTACH_REUSEPORT_EBPF 52
#endif

static const struct kind {
	const char *name;
	int domain, type, protocol;
} kinds[] = {
	{"tcp4", AF_INET, SOCK_STREAM, 0},    {"udp6", AF_INET6, SOCK_DGRAM, 0},
	{"raw4", AF_INET, SOCK_RAW, 6},       {"unix", AF_UNIX, SOCK_DGRAM, 0},
	{"netlink", AF_NETLINK, SOCK_RAW, 0}, {"packet", AF_PACKET, SOCK_RAW, 0},
	{"vsock", AF_VSOCK, SOCK_STREAM, 0},
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds), UDP6 = 1 };

static int open_kind(int number)
{
	const struct kind *kind = &kinds[number];
	int fd = socket(kind->domain, kind->type | SOCK_CLOEXEC, kind->protocol);

	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT))
		actor_skip("no such sockets here");
	actor_must(fd >= 0, "socket");
	return fd;
}

struct sock_fprog filter_program(unsigned instructions)
{
	static struct sock_filter code[FILTER_INSTRUCTIONS_MAX];

	for (unsigned i = 0; i < instructions; i++)
		code[i] = (struct sock_filter){.code = BPF_LD | BPF_IMM, .k = i};
	code[instructions - 1] = (struct sock_filter){.code = BPF_RET | BPF_K, .k = 0xffff};
	return (struct sock_fprog){.len = (unsigned short)instructions, .filter = code};
}

static int socket_option(int fd, int option)
{
	socklen_t len = sizeof(int);
	int value = -1;

	actor_must(getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0, "getsockopt");
	return value;
}

static void begin_fact(struct fact *fact, int fd, int option, int result)
{
	int error = result < 0 ? errno : 0;

	facts_begin(fact, "filter");
	facts_number(fact, "domain", socket_option(fd, SO_DOMAIN));
	facts_number(fact, "type", socket_option(fd, SO_TYPE));
	facts_number(fact, "proto", socket_option(fd, SO_PROTOCOL));
	facts_number(fact, "option", option);
	facts_string(fact, "error", error ? strerrorname_np(error) : "");
}

void filter_fact(int fd, int option, const struct sock_fprog *program, int result)
{
	size_t size = program->filter == actor_nowhere ? 0 : program->len * sizeof(*program->filter);
	struct fact fact;

	begin_fact(&fact, fd, option, result);
	facts_number(&fact, "len", program->len);
	facts_bytes(&fact, "code", program->filter, size);
	facts_end(&fact);
}

static int attach(int fd, int option, const struct sock_fprog *program)
{
	int result = setsockopt(fd, SOL_SOCKET, option, program, sizeof(*program));
	int error = errno;

	filter_fact(fd, option, program, result);
	errno = error;
	return result;
}

static void filter_kinds(const struct actor_case *self)
{
	const struct sock_fprog program = filter_program(1);

	actor_must(attach(open_kind(self->a), SO_ATTACH_FILTER, &program) == 0, "attach a filter");
}

/* The largest is more than older kernels have room for. */
static void filter_sizes(const struct actor_case *self)
{
	const struct sock_fprog program = filter_program((unsigned)self->a);
	int status = attach(open_kind(UDP6), SO_ATTACH_FILTER, &program);

	actor_must(status == 0 || errno == ENOMEM, "attach a filter");
}

/* Others are options like any other, and no event. */
static void filter_again(const struct actor_case *self)
{
	int fd = open_kind(UDP6), one = 1;

	(void)self;
	for (unsigned i = 1; i <= 7; i++) {
		const struct sock_fprog program = filter_program(i);

		actor_must(attach(fd, SO_ATTACH_FILTER, &program) == 0, "attach a filter");
		actor_must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0, "SO_REUSEADDR");
		actor_must(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &one, sizeof(one)) == 0, "detach");
		setsockopt(fd, IPPROTO_IPV6, SO_ATTACH_FILTER, &program, sizeof(program));
	}
}

static void filter_refused_instruction(const struct actor_case *self)
{
	const struct sock_fprog program = filter_program(5);

	(void)self;
	program.filter[2].code = 0xffff;
	actor_must(attach(open_kind(UDP6), SO_ATTACH_FILTER, &program) < 0 && errno == EINVAL, "be refused");
}

static void filter_refused_empty(const struct actor_case *self)
{
	const struct sock_fprog program = {.len = 0, .filter = filter_program(1).filter};

	(void)self;
	actor_must(attach(open_kind(UDP6), SO_ATTACH_FILTER, &program) < 0 && errno == EINVAL, "be refused");
}

static void filter_refused_unreadable(const struct actor_case *self)
{
	const struct sock_fprog program = {.len = 3, .filter = actor_nowhere};

	(void)self;
	actor_must(attach(open_kind(UDP6), SO_ATTACH_FILTER, &program) < 0 && errno == EFAULT, "be refused");
}

static void filter_refused_locked(const struct actor_case *self)
{
	struct sock_fprog program = filter_program(3);
	int fd = open_kind(UDP6), one = 1;

	(void)self;
	actor_must(attach(fd, SO_ATTACH_FILTER, &program) == 0, "attach a filter");
	actor_must(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)) == 0, "SO_LOCK_FILTER");
	program = filter_program(4);
	actor_must(attach(fd, SO_ATTACH_FILTER, &program) < 0 && errno == EPERM, "be refused");
}

/* A group of sockets that share a port asks its program which of them gets a packet. */
static int open_reuseport(void)
{
	union address address = sock_address("127.0.0.1", 0);
	int fd, one = 1;

	sock_isolate();
	fd = sock_open("127.0.0.1", SOCK_DGRAM);
	actor_must(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0, "SO_REUSEPORT");
	actor_must(bind(fd, &address.any, sock_length(&address)) == 0, "bind");
	return fd;
}

static void filter_reuseport(const struct actor_case *self)
{
	const struct sock_fprog program = filter_program(11);

	(void)self;
	actor_must(attach(open_reuseport(), SO_ATTACH_REUSEPORT_CBPF, &program) == 0, "attach a program");
}

static void attach_ebpf(int fd, int option, int program)
{
	int status = setsockopt(fd, SOL_SOCKET, option, &program, sizeof(program));
	static struct bpf_told told;
	struct fact fact;

	actor_must(status == 0, "attach an eBPF program");
	bpf_tell(program, &told);
	begin_fact(&fact, fd, option, status);
	facts_number(&fact, "len", told.info.xlated_prog_len / (unsigned)sizeof(struct bpf_insn));
	bpf_describe(&fact, &told);
	facts_end(&fact);
	actor_stay();
}

static void filter_ebpf(const struct actor_case *self)
{
	union bpf_attr attr = bpf_attr_of(BPF_PROG_TYPE_SOCKET_FILTER, "actor_filter");
	int program = bpf_load(bpf_native, &attr, "");
	int fd = self->a == SO_ATTACH_BPF ? open_kind(UDP6) : open_reuseport();

	attach_ebpf(fd, self->a, program);
	actor_stay(); /* its digests can be taken as long as it is there */
}

/* A descriptor that is no program. */
static void filter_refused_ebpf(const struct actor_case *self)
{
	int fd = open_kind(UDP6);
	struct fact fact;

	(void)self;
	int status = setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd));
	actor_must(status < 0 && errno == EINVAL, "be refused");
	begin_fact(&fact, fd, SO_ATTACH_BPF, status);
	facts_number(&fact, "len", 0);
	facts_string(&fact, "code", "");
	facts_end(&fact);
}

void actor_add_filter(void)
{
	static const int sizes[] = {2, 512, 2047, 2048, 2049, 4096};

	for (int i = 0; i < KINDS; i++)
		actor_add(filter_kinds, i, 0, 0, "filter.%s", kinds[i].name);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		actor_add(filter_sizes, sizes[i], 0, 0, "filter.size.%d", sizes[i]);
	actor_add(filter_again, 0, 0, 0, "filter.again");
	actor_add(filter_refused_instruction, 0, 0, 0, "filter.refused.instruction");
	actor_add(filter_refused_empty, 0, 0, 0, "filter.refused.empty");
	actor_add(filter_refused_unreadable, 0, 0, 0, "filter.refused.unreadable");
	actor_add(filter_refused_locked, 0, 0, 0, "filter.refused.locked");
	actor_add(filter_refused_ebpf, 0, 0, 0, "filter.refused.ebpf");
	actor_add(filter_reuseport, 0, 0, 0, "filter.reuseport");
	actor_add(filter_ebpf, SO_ATTACH_BPF, 0, 0, "filter.ebpf");
	actor_add(filter_ebpf, SO_ATTACH_REUSEPORT_EBPF, 0, 0, "filter.reuseport.ebpf");
}
