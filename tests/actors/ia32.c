/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The 32-bit system calls of an x86-64 kernel, from a 64-bit process: they must not be an evasion. */
#include "actor.h"

#if defined(__x86_64__)

#include "bpf.h"
#include "filter.h"
#include "module.h"
#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	IA32_EXIT = 1,
	IA32_FORK = 2,
	IA32_WRITE = 4,
	IA32_OPEN = 5,
	IA32_CLOSE = 6,
	IA32_UNLINK = 10,
	IA32_EXECVE = 11,
	IA32_GETPID = 20,
	IA32_RENAME = 38,
	IA32_OLD_MMAP = 90,
	IA32_SOCKETCALL = 102,
	IA32_MMAP2 = 192,
	IA32_EXIT_GROUP = 252,
	IA32_PTRACE = 26,
	IA32_KILL = 37,
	IA32_MPROTECT = 125,
	IA32_PRCTL = 172,
	IA32_RT_SIGQUEUEINFO = 178,
	IA32_TKILL = 238,
	IA32_TGKILL = 270,
	IA32_RT_TGSIGQUEUEINFO = 335,
	IA32_PROCESS_VM_READV = 347,
	IA32_PIDFD_SEND_SIGNAL = 424,
	IA32_CONNECT = 362,
	IA32_PKEY_MPROTECT = 380,
	IA32_SETSOCKOPT = 366,
	IA32_BPF = 357,
	IA32_INIT_MODULE = 128,
	IA32_FINIT_MODULE = 350,
	IA32_SENDTO = 369,
	IA32_READ = 3,
	IA32_READV = 145,
	IA32_WRITEV = 146,
	IA32_PREAD64 = 180,
	IA32_PWRITE64 = 181,
	IA32_PREADV = 333,
	IA32_PWRITEV = 334,
	IA32_PREADV2 = 378,
	IA32_PWRITEV2 = 379,
	SOCKETCALL_SEND = 9,
	SOCKETCALL_SETSOCKOPT = 14,
};

static long ia32(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

/* The sixth argument, in rbp, is 0. */
static long ia32_five(long number, long a, long b, long c, long d, long e)
{
	long result;

	__asm__ volatile("push %%rbp\n\txor %%ebp, %%ebp\n\tint $0x80\n\tpop %%rbp"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

/* Memory that a 32-bit pointer reaches. */
static char *low_memory(void)
{
	void *memory =
		mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	actor_must(memory != MAP_FAILED, "low memory");
	return memory;
}

/* Without 32-bit support the instruction kills whoever tries it. */
static void probe(void)
{
	int status;
	pid_t pid = actor_fork();

	if (pid == 0) {
		actor_must(ia32(IA32_GETPID, 0, 0, 0) == getpid(), "a 32-bit system call");
		actor_exit(0);
	}
	actor_must(waitpid(pid, &status, 0) == pid, "waitpid");
	if (WIFSIGNALED(status))
		actor_skip("no 32-bit system calls in this kernel");
}

static long low(const void *memory)
{
	return (long)(intptr_t)memory;
}

static void ia32_write_close(const struct actor_case *self)
{
	char *name = low_memory();
	long fd;

	(void)self;
	probe();
	strcpy(name, "file");
	fd = ia32(IA32_OPEN, low(name), O_WRONLY | O_CREAT, 0600);
	actor_must(fd >= 0, "open");
	actor_fact_created("file");
	actor_must(ia32(IA32_WRITE, fd, low(name), 4) == 4, "write");
	actor_must(ia32(IA32_CLOSE, fd, 0, 0) == 0, "close");
	actor_fact_closed("file", "write");
}

static void ia32_names(const struct actor_case *self)
{
	char *old = low_memory(), *new = old + 1024;

	(void)self;
	probe();
	actor_file_make("file", "x", 1, 0644);
	strcpy(old, "file");
	strcpy(new, "./other");
	actor_must(ia32(IA32_RENAME, low(old), low(new), 0) == 0, "rename");
	actor_fact_renamed("file", "other");
	actor_must(ia32(IA32_UNLINK, low(new), 0, 0) == 0, "unlink");
	actor_fact_unlinked("other");
}

static void ia32_execve(const struct actor_case *self)
{
	char *memory = low_memory(), *path = memory + 1024, *env = memory + 8192;
	uint32_t *argv = (uint32_t *)(void *)memory;
	pid_t pid;

	(void)self;
	probe();
	snprintf(path, PATH_MAX, "%s", actor_program());
	snprintf(env, 256, "KUNAI_ACTOR_CASE=%s", facts_case);
	argv[0] = (uint32_t)low(path);
	argv[2] = (uint32_t)low(env); /* argv[1] and argv[3] end the two vectors */
	pid = actor_fork();
	if (pid == 0) {
		ia32(IA32_EXECVE, low(path), low(argv), low(argv + 2));
		actor_must(false, "execute the program");
	}
	actor_wait(pid);
}

static void ia32_processes(const struct actor_case *self)
{
	struct fact fact;
	long pid;

	probe();
	pid = ia32(IA32_FORK, 0, 0, 0);
	actor_must(pid >= 0, "fork");
	if (pid == 0) {
		actor_started(SIGCHLD);
		facts_begin(&fact, self->a == IA32_EXIT ? "exit" : "exit_group");
		facts_number(&fact, "code", 0);
		facts_end(&fact);
		ia32(self->a, 0, 0, 0);
	}
	actor_wait((pid_t)pid);
}

static void state_connected(int fd, const union address *address)
{
	struct fact fact;

	facts_begin(&fact, "connect");
	sock_describe(&fact, fd, address);
	facts_bool(&fact, "connected", true);
	facts_string(&fact, "hostname", "?");
	facts_end(&fact);
}

/* Flags, address and its length are 0: rsi, rdi, and rbp, which only assembly can set. */
static long ia32_sendto(int fd, const char *data, long len)
{
	long result;

	__asm__ volatile("push %%rbp\n\txor %%ebp, %%ebp\n\tint $0x80\n\tpop %%rbp"
			 : "=a"(result)
			 : "a"((long)IA32_SENDTO), "b"((long)fd), "c"(low(data)), "d"(len), "S"(0L), "D"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static void ia32_network(const struct actor_case *self)
{
	char *memory = low_memory();
	union address address;
	uint32_t *args = (uint32_t *)(void *)(memory + 1024);
	int client;

	probe();
	sock_isolate();
	sock_listen("127.0.0.1", SOCK_STREAM, 0, &address);
	memcpy(memory, &address, sizeof(address));
	client = sock_open("127.0.0.1", SOCK_STREAM);
	actor_must(ia32(IA32_CONNECT, client, low(memory), sizeof(address.v4)) == 0, "connect");
	state_connected(client, &address);

	strcpy(memory, "hello");
	args[0] = (uint32_t)client;
	args[1] = (uint32_t)low(memory);
	args[2] = 5;
	args[3] = 0;
	if (self->a)
		actor_must(ia32(IA32_SOCKETCALL, SOCKETCALL_SEND, low(args), 0) == 5, "send");
	else
		actor_must(ia32_sendto(client, memory, 5) == 5, "send");
	sock_fact_sent(client, NULL, "hello", 5, NULL);
}

/* The registers' upper halves are no part of a 32-bit argument. */
static void ia32_prctl(const struct actor_case *self)
{
	struct fact fact;

	(void)self;
	probe();
	actor_must(ia32_five(IA32_PRCTL, PR_SET_DUMPABLE, -1, 2L << 32 | 3, 4, 5) < 0, "a bad argument");
	facts_begin(&fact, "prctl");
	facts_string(&fact, "option", "PR_SET_DUMPABLE");
	facts_string(&fact, "arg2", "0xffffffff");
	facts_string(&fact, "arg3", "0x3");
	facts_string(&fact, "arg4", "0x4");
	facts_string(&fact, "arg5", "0x5");
	facts_bool(&fact, "success", false);
	facts_end(&fact);
}

static void ia32_mprotect(const struct actor_case *self)
{
	char *memory = low_memory(), text[32];
	struct fact fact;

	probe();
	actor_must(ia32_five(self->a, low(memory), 8192, PROT_READ | PROT_EXEC, -1, 0) == 0, "mprotect");
	snprintf(text, sizeof(text), "0x%lx", low(memory));
	facts_begin(&fact, "mprotect");
	facts_string(&fact, "addr", text);
	facts_number(&fact, "prot", PROT_READ | PROT_EXEC);
	facts_number(&fact, "size", 8192);
	facts_bool(&fact, "success", true);
	facts_string(&fact, "path", "");
	facts_end(&fact);
}

/* A 32-bit program's struct sock_fprog has a pointer of four bytes. a: by socketcall; b: a program that is refused. */
static void ia32_filter(const struct actor_case *self)
{
	char *memory = low_memory();
	struct sock_fprog program = filter_program(6);
	struct sock_filter *code = (void *)(memory + 1024);
	uint32_t *compat = (uint32_t *)(void *)memory, *args = compat + 4;
	int fd;
	long result;

	probe();
	fd = sock_open("127.0.0.1", SOCK_DGRAM);
	memcpy(code, program.filter, program.len * sizeof(*code));
	if (self->b)
		code[3].code = 0xffff;
	program.filter = code;
	compat[0] = program.len;
	compat[1] = (uint32_t)low(code);
	args[0] = (uint32_t)fd;
	args[1] = SOL_SOCKET;
	args[2] = SO_ATTACH_FILTER;
	args[3] = (uint32_t)low(compat);
	args[4] = 2 * sizeof(*compat);
	if (self->a)
		result = ia32(IA32_SOCKETCALL, SOCKETCALL_SETSOCKOPT, low(args), 0);
	else
		result = ia32_five(IA32_SETSOCKOPT, fd, SOL_SOCKET, SO_ATTACH_FILTER, low(compat),
				   2 * sizeof(*compat));
	errno = (int)-result;
	actor_must(self->b ? errno == EINVAL : result == 0, "attach a filter");
	filter_fact(fd, SO_ATTACH_FILTER, &program, (int)result);
}

/* Its one argument is the address of all six. */
static void ia32_old_mmap(const struct actor_case *self)
{
	uint32_t *args = (uint32_t *)(void *)low_memory();
	int prot = self->a ? PROT_READ | PROT_WRITE : PROT_READ | PROT_EXEC;
	int fd = open(actor_program(), O_RDONLY | O_CLOEXEC);
	struct fact fact;
	long ret;

	probe();
	args[1] = 4096;
	args[2] = (uint32_t)prot;
	args[3] = MAP_PRIVATE;
	args[4] = (uint32_t)fd;
	ret = ia32(IA32_OLD_MMAP, low(args), 0, 0);
	actor_must(fd >= 0 && (ret > 0 || ret < -4095), "old_mmap");
	facts_begin(&fact, "mmap");
	facts_string(&fact, "path", actor_program());
	facts_number(&fact, "prot", prot);
	facts_bool(&fact, "success", true);
	if (!self->a)
		facts_end(&fact);
}

/* rbp is the offset, in pages. */
static void ia32_mmap2(const struct actor_case *self)
{
	int fd = open(actor_program(), O_RDONLY | O_CLOEXEC);
	struct fact fact;
	long ret;

	(void)self;
	probe();
	__asm__ volatile("push %%rbp\n\txor %%ebp, %%ebp\n\tint $0x80\n\tpop %%rbp"
			 : "=a"(ret)
			 : "a"((long)IA32_MMAP2), "b"(0L), "c"(4096L), "d"((long)PROT_EXEC),
			   "S"((long)MAP_PRIVATE), "D"((long)fd)
			 : "memory", "r8", "r9", "r10", "r11");
	ret = (int)ret;
	actor_must(fd >= 0 && (ret > 0 || ret < -4095), "mmap2");
	facts_begin(&fact, "mmap");
	facts_string(&fact, "path", actor_program());
	facts_number(&fact, "prot", PROT_EXEC);
	facts_bool(&fact, "success", true);
	facts_end(&fact);
}

static long bpf_ia32(int command, union bpf_attr *attr, unsigned size)
{
	union bpf_attr *copy = (void *)low_memory();

	memcpy(copy, attr, size);
	long result = ia32(IA32_BPF, command, low(copy), size);
	errno = result < 0 ? (int)-result : 0;
	return result < 0 ? -1 : result;
}

static void ia32_prog(const struct actor_case *self)
{
	union bpf_attr attr = bpf_attr_of(BPF_PROG_TYPE_SOCKET_FILTER, "ia32");

	probe();
	if (!self->a) {
		bpf_load(bpf_ia32, &attr, "");
		return;
	}
	attr.prog_type = 77;
	bpf_load_refused(bpf_ia32, &attr, sizeof(attr));
}

static void ia32_module(const struct actor_case *self)
{
	char *args = low_memory(), *image = args + 1024;
	struct module_call call = {.args = args};

	probe();
	strcpy(args, "door=ia32");
	strcpy(image, module_garbage);
	if (self->a) {
		int fd = module_garbage_open();
		call.path = "garbage.ko";
		call.content = module_garbage;
		call.error = (int)-ia32(IA32_FINIT_MODULE, fd, low(args), 0);
		close(fd);
	} else {
		call.error =
			(int)-ia32(IA32_INIT_MODULE, low(image), (long)strlen(module_garbage), low(args));
	}
	actor_must(call.error > 0, "be refused");
	module_state(self->a ? "finit_module" : "init_module", &call);
}

/* A signal to a child, and one that is refused. b: the target is told by its second argument. */
static void ia32_kill(const struct actor_case *self)
{
	uint32_t *info = (uint32_t *)(void *)low_memory();
	bool queue = self->a == IA32_RT_SIGQUEUEINFO || self->a == IA32_RT_TGSIGQUEUEINFO;
	pid_t pid, target;
	long ret;

	probe();
	target = actor_deaf_child(false, 0);
	info[0] = SIGURG;
	info[2] = queue ? (uint32_t)SI_QUEUE : 0;
	for (int round = 0; round < 2; round++) {
		pid = actor_fork();
		if (pid == 0) {
			if (round)
				actor_must(setgid(65534) == 0 && setuid(65534) == 0, "another user");
			facts_refresh_names();
			int fd = (int)syscall(SYS_pidfd_open, target, 0);
			if (self->a == IA32_PIDFD_SEND_SIGNAL)
				ret = ia32_five(self->a, fd, SIGURG, 0, 0, 0);
			else if (self->b)
				ret = ia32_five(self->a, target, target, SIGURG, low(info), 0);
			else
				ret = ia32_five(self->a, target, SIGURG, low(info), 0, 0);
			actor_must(ret == (round ? -EPERM : 0), "kill");
			actor_fact_kill(target, SIGURG, round == 0);
			actor_exit(0);
		}
		actor_wait(pid);
	}
	actor_kill(target, SIGKILL);
	waitpid(target, NULL, 0);
}

static char ia32_secret[8] = "secret";

static void ia32_ptrace(const struct actor_case *self)
{
	char *memory = low_memory();
	uint32_t *iov = (uint32_t *)(void *)memory;
	pid_t target;

	(void)self;
	probe();
	/* the child has the low memory, too */
	memcpy(memory + 64, ia32_secret, sizeof(ia32_secret));
	target = actor_deaf_child(false, 0);
	iov[0] = (uint32_t)low(memory + 128);
	iov[1] = sizeof(ia32_secret);
	iov[2] = (uint32_t)low(memory + 64);
	iov[3] = sizeof(ia32_secret);
	actor_must(ia32_five(IA32_PROCESS_VM_READV, target, low(iov), 1, low(iov + 2), 1) ==
			   (long)sizeof(ia32_secret),
		   "read its memory");
	actor_fact_access("process_vm_readv", target, true);
	actor_must(ia32_five(IA32_PTRACE, 0x4206, target, 0, 0, 0) == 0, "seize");
	actor_fact_access("seize", target, true);
	snprintf(memory, 64, "/proc/%d/mem", target);
	actor_must(ia32(IA32_OPEN, low(memory), O_RDONLY, 0) >= 0, "open its memory");
	actor_fact_access("proc_mem", target, true);
	actor_kill(target, SIGKILL);
	waitpid(target, NULL, __WALL);
}

static void state_access(const char *op)
{
	char path[PATH_MAX];
	struct fact fact;

	facts_begin(&fact, op);
	facts_string(&fact, "path", actor_path(path, "file"));
	facts_end(&fact);
}

/* The calls that read and write; b: by a list of one segment; c: it reads. Twice is once. */
static void ia32_access(const struct actor_case *self)
{
	char *memory = low_memory();
	uint32_t *iov = (uint32_t *)(void *)(memory + 1024);
	pid_t pid;
	int fd;

	probe();
	iov[0] = (uint32_t)low(memory);
	iov[1] = 5;
	pid = actor_fork(); /* another process makes the file */
	if (pid == 0) {
		actor_file_make("file", "1234567890", 10, 0600);
		state_access("write");
		actor_exit(0);
	}
	actor_wait(pid);
	fd = open("file", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		/* positions are 0: what follows the third argument */
		long moved = ia32_five(self->a, fd, self->b ? low(iov) : low(memory), self->b ? 1 : 5, 0, 0);
		actor_must(moved == 5, "move 5 bytes");
	}
	close(fd);
	state_access(self->c ? "read" : "write");
	if (!self->c)
		actor_fact_closed("file", "write");
}

static const struct {
	const char *name;
	int number;
	bool segments, reads;
} ia32_accesses[] = {
	{"read", IA32_READ, false, true},       {"write", IA32_WRITE, false, false},
	{"pread64", IA32_PREAD64, false, true}, {"pwrite64", IA32_PWRITE64, false, false},
	{"readv", IA32_READV, true, true},      {"writev", IA32_WRITEV, true, false},
	{"preadv", IA32_PREADV, true, true},    {"pwritev", IA32_PWRITEV, true, false},
	{"preadv2", IA32_PREADV2, true, true},  {"pwritev2", IA32_PWRITEV2, true, false},
};

void actor_add_ia32(void)
{
	for (size_t i = 0; i < sizeof(ia32_accesses) / sizeof(*ia32_accesses); i++)
		actor_add(ia32_access, ia32_accesses[i].number, ia32_accesses[i].segments,
			  ia32_accesses[i].reads, "access.ia32_%s", ia32_accesses[i].name);
	actor_add(ia32_kill, IA32_KILL, 0, 0, "ia32.kill");
	actor_add(ia32_kill, IA32_TKILL, 0, 0, "ia32.tkill");
	actor_add(ia32_kill, IA32_TGKILL, 1, 0, "ia32.tgkill");
	actor_add(ia32_kill, IA32_RT_SIGQUEUEINFO, 0, 0, "ia32.rt_sigqueueinfo");
	actor_add(ia32_kill, IA32_RT_TGSIGQUEUEINFO, 1, 0, "ia32.rt_tgsigqueueinfo");
	actor_add(ia32_kill, IA32_PIDFD_SEND_SIGNAL, 0, 0, "ia32.pidfd_send_signal");
	actor_add(ia32_ptrace, 0, 0, 0, "ia32.ptrace");
	actor_add(ia32_mmap2, 0, 0, 0, "ia32.mmap2");
	actor_add(ia32_old_mmap, 0, 0, 0, "ia32.old_mmap");
	actor_add(ia32_old_mmap, 1, 0, 0, "ia32.old_mmap.not_exec");
	actor_add(ia32_prog, 0, 0, 0, "ia32.prog");
	actor_add(ia32_prog, 1, 0, 0, "ia32.prog.refused");
	actor_add(ia32_module, 0, 0, 0, "ia32.init_module");
	actor_add(ia32_module, 1, 0, 0, "ia32.finit_module");
	actor_add(ia32_prctl, 0, 0, 0, "ia32.prctl");
	actor_add(ia32_mprotect, IA32_MPROTECT, 0, 0, "ia32.mprotect");
	actor_add(ia32_mprotect, IA32_PKEY_MPROTECT, 0, 0, "ia32.pkey_mprotect");
	actor_add(ia32_write_close, 0, 0, 0, "ia32.write_close");
	actor_add(ia32_names, 0, 0, 0, "ia32.names");
	actor_add(ia32_execve, 0, 0, 0, "ia32.execve");
	actor_add(ia32_processes, IA32_EXIT, 0, 0, "ia32.exit");
	actor_add(ia32_processes, IA32_EXIT_GROUP, 0, 0, "ia32.exit_group");
	actor_add(ia32_network, 0, 0, 0, "ia32.network");
	actor_add(ia32_network, 1, 0, 0, "ia32.socketcall");
	actor_add(ia32_filter, 0, 0, 0, "ia32.filter");
	actor_add(ia32_filter, 1, 0, 0, "ia32.filter.socketcall");
	actor_add(ia32_filter, 0, 1, 0, "ia32.filter.refused");
	actor_add(ia32_filter, 1, 1, 0, "ia32.filter.socketcall.refused");
}

#else

void actor_add_ia32(void)
{
}

#endif
