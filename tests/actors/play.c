/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plays the scenarios of tests/rules: pretends to be any program, and does to the kernel what that program would do.
 *
 *   play prepare FILE     makes the programs that the scenarios run: copies of this one
 *   play FILE MARKS       plays all of them; before each one, a file of its name is created in MARKS
 *
 * A scenario is a name at the beginning of a line and, below it, indented by one tab, what happens. A line that starts
 * another process has that process's doings below it, indented by one tab more; they travel in its environment.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	WORDS_MAX = 64,
	DNS_HEADER = 12,
	DNS_MESSAGE_MAX = 4096,
	CODE_PAGE = 4096,
	PAYLOAD_MAX = 8 << 20,
};

#define SELF  "/proc/self/exe"
#define BLOCK "PLAY"

/* One line and what is below it; words end with NULL. */
struct step {
	char *words[WORDS_MAX];
	int count;
	char *block;
};

static pid_t victim;

static void fail(const char *what, const char *name)
{
	fprintf(stderr, "play: %s %s: %s\n", what, name, strerror(errno));
}

/* ---- the text ---- */

/* Words stand between blanks, or in single quotes. Changes the line. */
static int split(char *line, char **words)
{
	int n = 0;

	while (n < WORDS_MAX - 1) {
		line += strspn(line, " ");
		if (!*line)
			break;
		char end = *line == '\'' ? *line++ : ' ';
		words[n++] = line;
		line += end == '\'' ? strcspn(line, "'") : strcspn(line, " ");
		if (!*line)
			break;
		*line++ = 0;
	}
	words[n] = NULL;
	return n;
}

static bool is_comment(const char *line)
{
	return line[strspn(line, "\t ")] == '#' || !line[strspn(line, "\t ")];
}

/* Takes a line and its block off the text; the block loses one tab a line. false at the end. */
static bool take(char **at, struct step *ret)
{
	char *line;

	do {
		line = strsep(at, "\n");
	} while (line && is_comment(line));
	if (!line)
		return false;
	char *to = ret->block = malloc(*at ? strlen(*at) + 1 : 1);
	while (*at && (**at == '\t' || **at == '\n')) {
		char *inner = strsep(at, "\n");
		to = stpcpy(to, inner + (*inner == '\t'));
		*to++ = '\n';
	}
	*to = 0;
	ret->count = split(line, ret->words);
	return ret->count > 0;
}

static void play(char *block);

/* ---- programs ---- */

static void make_parents(const char *path)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%s", path);
	for (char *at = strchr(parent + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		mkdir(parent, 0755);
		*at = '/';
	}
}

static void copy_self(const char *path)
{
	int in = open(SELF, O_RDONLY | O_CLOEXEC), out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	struct stat stat;

	if (in < 0 || out < 0 || fstat(in, &stat) < 0 ||
	    sendfile(out, in, NULL, (size_t)stat.st_size) != stat.st_size)
		fail("copy to", path);
	close(in);
	close(out);
}

/* Copies, since links could not be written one by one. Links are there to busybox. */
static void make_program(const char *path)
{
	struct stat stat;

	if (lstat(path, &stat) == 0 && !S_ISLNK(stat.st_mode))
		return;
	unlink(path);
	make_parents(path);
	copy_self(path);
}

/* script FILE INTERPRETER: both are there before anything is watched. */
static void make_script(const char *path, const char *interpreter)
{
	make_program(interpreter);
	make_parents(path);
	FILE *f = fopen(path, "we");
	if (!f) {
		fail("make", path);
		return;
	}
	fprintf(f, "#!%s\n", interpreter);
	fclose(f);
	chmod(path, 0755);
}

/* A copy: a link would give the rights to all others. */
static void make_suid(const char *path)
{
	make_parents(path);
	copy_self(path);
	if (chmod(path, 04755) < 0)
		fail("change", path);
}

static void prepare(char *text)
{
	struct step step;

	while (take(&text, &step)) {
		if (!strcmp(step.words[0], "script"))
			make_script(step.words[1], step.words[2]);
		else if (!strcmp(step.words[0], "as") || !strcmp(step.words[0], "gone") ||
			 !strcmp(step.words[0], "victim"))
			make_program(step.words[1]);
		else if (!strcmp(step.words[0], "suid"))
			make_suid(step.words[1]);
		prepare(step.block);
		free(step.block);
	}
}

/* ---- starting other processes ---- */

static void wait_for(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* as FILE ARGUMENT...: becomes that program in a child. */
static void do_as(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		setenv(BLOCK, s->block, 1);
		execv(s->words[1], s->count > 2 ? s->words + 2 : s->words + 1);
		fail("execute", s->words[1]);
		_exit(1);
	}
	wait_for(pid);
}

/* suid FILE ARGUMENT...: the same for user 1000, to whom the program gives root's rights. */
static void do_suid(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		setenv(BLOCK, s->block, 1);
		if (setresuid(1000, 1000, 1000) == 0)
			execv(s->words[1], s->words + 2);
		fail("execute", s->words[1]);
		_exit(1);
	}
	wait_for(pid);
}

/* script FILE INTERPRETER ARGUMENT... */
static void do_script(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		s->words[2] = s->words[1];
		setenv(BLOCK, s->block, 1);
		execv(s->words[1], s->words + 2);
		fail("execute", s->words[1]);
		_exit(1);
	}
	wait_for(pid);
}

/* gone FILE ARGUMENT...: the program is deleted before it runs. */
static void do_gone(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		make_program(s->words[1]);
		int fd = open(s->words[1], O_RDONLY | O_CLOEXEC);
		setenv(BLOCK, s->block, 1);
		unlink(s->words[1]);
		syscall(SYS_execveat, fd, "", s->words + 2, environ, AT_EMPTY_PATH);
		fail("execute deleted", s->words[1]);
		_exit(1);
	}
	wait_for(pid);
}

/* memfd NAME ARGUMENT...: runs from memory. */
static void do_memfd(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		int in = open(SELF, O_RDONLY | O_CLOEXEC), fd = (int)memfd_create(s->words[1], MFD_CLOEXEC);
		sendfile(fd, in, NULL, PAYLOAD_MAX);
		setenv(BLOCK, s->block, 1);
		syscall(SYS_execveat, fd, "", s->words + 2, environ, AT_EMPTY_PATH);
		fail("execute memory", s->words[1]);
		_exit(1);
	}
	wait_for(pid);
}

/* fork: the block runs in a child that is the same program. */
static void do_fork(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		play(s->block);
		_exit(0);
	}
	wait_for(pid);
}

/* orphan: the block runs in a grandchild whose parent has ended. */
static void do_orphan(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		pid_t parent = getpid();
		if (fork() != 0)
			_exit(0);
		while (getppid() == parent)
			usleep(1000);
		play(s->block);
		_exit(0);
	}
	wait_for(pid);
}

static void enter_cgroup(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/cgroup.procs", name);
	make_parents(path);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		fail("enter cgroup", name);
	close(fd);
}

/* box CGROUP HOSTNAME: the block runs in a container, as far as the kernel can tell. */
static void do_box(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		enter_cgroup(s->words[1]);
		if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0 ||
		    sethostname(s->words[2], strlen(s->words[2])) < 0)
			fail("unshare", s->words[2]);
		play(s->block);
		_exit(0);
	}
	wait_for(pid);
}

static void start_victim(uid_t uid, char **words)
{
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return;
	victim = fork();
	if (victim == 0) {
		setenv(BLOCK, "wait", 1);
		if (setresuid(uid, uid, uid) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
			execv(words[0], words + 1);
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) < 0) /* closed by the exec */
		fail("start", words[0]);
	close(ready[0]);
	usleep(50000);
}

/* tmpfs DIRECTORY: a file system that only this mount namespace knows. */
static void do_tmpfs(struct step *s)
{
	char inside[PATH_MAX];

	snprintf(inside, sizeof(inside), "%s/x", s->words[1]);
	make_parents(inside);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", s->words[1], "tmpfs", 0, NULL) < 0)
		fail("mount", s->words[1]);
}

/* victim FILE ARGUMENT...: a program that waits for its end, to be signalled or traced. */
static void do_victim(struct step *s)
{
	start_victim(getuid(), s->words + 1);
}

/* victim-of UID FILE ARGUMENT... */
static void do_victim_of(struct step *s)
{
	start_victim((uid_t)atoi(s->words[1]), s->words + 2);
}

static void do_wait(struct step *s)
{
	(void)s;
	pause();
}

/* ---- the process itself ---- */

static void do_comm(struct step *s)
{
	prctl(PR_SET_NAME, s->words[1]);
}

static void do_prctl(struct step *s)
{
	unsigned long v[5] = {0};

	for (int i = 1; i < s->count && i <= 5; i++)
		v[i - 1] = strtoul(s->words[i], NULL, 0);
	prctl((int)v[0], v[1], v[2], v[3], v[4]);
}

static void do_uid(struct step *s)
{
	uid_t uid = (uid_t)atoi(s->words[1]);

	if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		fail("become", s->words[1]);
}

/* clone FLAGS: the block runs in the child. */
static void do_clone(struct step *s)
{
	pid_t pid = (pid_t)syscall(SYS_clone, strtoul(s->words[1], NULL, 0) | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		play(s->block);
		_exit(0);
	}
	wait_for(pid);
}

static void do_exit(struct step *s)
{
	_exit(atoi(s->words[1]));
}

static void do_sleep(struct step *s)
{
	usleep((useconds_t)atoi(s->words[1]) * 1000);
}

static void do_kill(struct step *s)
{
	kill(s->count > 2 ? (pid_t)atoi(s->words[2]) : victim, atoi(s->words[1]));
}

static void do_ptrace(struct step *s)
{
	(void)s;
	if (ptrace(PTRACE_ATTACH, victim, NULL, NULL) < 0)
		fail("trace", "");
	waitpid(victim, NULL, __WALL);
	ptrace(PTRACE_DETACH, victim, NULL, NULL);
}

/* vmwrite: process_vm_writev() to where nothing is mapped: the right to do so is asked for all the same. */
static void do_vmwrite(struct step *s)
{
	char byte = 0;
	const struct iovec local = {&byte, 1}, remote = {(void *)CODE_PAGE, 1};

	(void)s;
	process_vm_writev(victim, &local, 1, &remote, 1, 0);
}

/* mem: opens the memory of the victim. */
static void do_mem(struct step *s)
{
	char path[64];

	(void)s;
	snprintf(path, sizeof(path), "/proc/%d/mem", victim);
	close(open(path, O_RDWR | O_CLOEXEC));
}

/* ---- files ---- */

static void do_write(struct step *s)
{
	static const char text[] = "written in a scenario\n";

	make_parents(s->words[1]);
	int fd = open(s->words[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0755);
	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
		fail("write", s->words[1]);
	close(fd);
}

static void do_read(struct step *s)
{
	char buf[256];

	int fd = open(s->words[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, buf, sizeof(buf)) < 0)
		fail("read", s->words[1]);
	close(fd);
}

/* have FILE: it exists, with content. */
static void do_have(struct step *s)
{
	if (access(s->words[1], F_OK) < 0)
		do_write(s);
}

static void do_unlink(struct step *s)
{
	if (unlink(s->words[1]) < 0)
		fail("unlink", s->words[1]);
}

static void do_rename(struct step *s)
{
	make_parents(s->words[2]);
	if (rename(s->words[1], s->words[2]) < 0)
		fail("rename", s->words[1]);
}

/* ---- memory ---- */

/* mprotect PROT */
static void do_mprotect(struct step *s)
{
	void *p = mmap(NULL, CODE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p, CODE_PAGE, (int)strtol(s->words[1], NULL, 0));
}

static void map(int fd, const char *name)
{
	if (mmap(NULL, CODE_PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		fail("map", name);
	close(fd);
	usleep(20000); /* it is hashed from its path */
}

/* mmap FILE: as code. */
static void do_mmap(struct step *s)
{
	do_have(s);
	map(open(s->words[1], O_RDONLY | O_CLOEXEC), s->words[1]);
}

/* mmap-gone FILE: it is deleted first. */
static void do_mmap_gone(struct step *s)
{
	do_have(s);
	int fd = open(s->words[1], O_RDONLY | O_CLOEXEC);
	unlink(s->words[1]);
	map(fd, s->words[1]);
}

static void do_mmap_memfd(struct step *s)
{
	int fd = memfd_create(s->words[1], MFD_CLOEXEC);

	if (write(fd, s->words[1], 1) != 1)
		fail("write", s->words[1]);
	map(fd, s->words[1]);
}

/* ---- the network ---- */

struct peer {
	struct sockaddr_storage address;
	socklen_t len;
};

static struct peer peer_of(const char *ip, const char *port)
{
	struct peer p = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&p.address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&p.address;

	if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)atoi(port));
	} else if (inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)atoi(port));
		p.len = sizeof(*v6);
	}
	return p;
}

/* Every address is this machine's: somebody takes the connection and what comes over it. */
static pid_t start_peer(const struct peer *p)
{
	static char sink[65536];
	const int yes = 1;

	int fd = socket(p->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (const struct sockaddr *)&p->address, p->len) < 0 || listen(fd, 1) < 0) {
		close(fd);
		return -1;
	}
	pid_t pid = fork();
	if (pid == 0) {
		int from = accept(fd, NULL, NULL);
		while (read(from, sink, sizeof(sink)) > 0)
			continue;
		_exit(0);
	}
	close(fd);
	return pid;
}

static char *payload(const char *kind, size_t size)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog. ";
	char *data = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		data[i] = text[i % (sizeof(text) - 1)];
	for (size_t at = 0; !strcmp(kind, "random") && at < size;) {
		ssize_t n = getrandom(data + at, size - at, 0);
		at += n > 0 ? (size_t)n : 0;
	}
	return data;
}

/* connect IP PORT [SIZE random|text]: TCP, and what is sent. */
static void do_connect(struct step *s)
{
	struct peer p = peer_of(s->words[1], s->words[2]);
	pid_t other = start_peer(&p);
	size_t size = s->count > 4 ? strtoul(s->words[3], NULL, 0) : 0;

	int fd = socket(p.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)&p.address, p.len) < 0 && other > 0)
		fail("connect to", s->words[1]);
	if (size && size <= PAYLOAD_MAX) {
		char *data = payload(s->words[4], size);
		send(fd, data, size, MSG_NOSIGNAL);
		free(data);
	}
	close(fd);
	if (other > 0)
		wait_for(other);
}

/* udp IP PORT SIZE random|text */
static void do_udp(struct step *s)
{
	struct peer p = peer_of(s->words[1], s->words[2]);
	size_t size = strtoul(s->words[3], NULL, 0);
	char *data = payload(s->words[4], size);

	int fd = socket(p.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)&p.address, p.len) < 0 || send(fd, data, size, 0) < 0)
		fail("send to", s->words[1]);
	close(fd);
	free(data);
}

/* icmp IP SIZE: an echo request with a payload. */
static void do_icmp(struct step *s)
{
	struct peer p = peer_of(s->words[1], "0");
	size_t size = strtoul(s->words[2], NULL, 0);
	char *data = payload("random", size);

	data[0] = 8;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (sendto(fd, data, size, 0, (const struct sockaddr *)&p.address, p.len) < 0)
		fail("send to", s->words[1]);
	close(fd);
	free(data);
}

static unsigned char *put_name(unsigned char *at, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");
		*at++ = (unsigned char)len;
		memcpy(at, name, len);
		at += len;
		name += len + (name[len] == '.');
	}
	*at++ = 0;
	return at;
}

static unsigned char *put_u16(unsigned char *at, unsigned value)
{
	*at++ = (unsigned char)(value >> 8);
	*at++ = (unsigned char)value;
	return at;
}

static unsigned type_of(const char *name)
{
	static const struct {
		const char *name;
		unsigned type;
	} types[] = {{"A", 1}, {"CNAME", 5}, {"NULL", 10}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (!strcmp(types[i].name, name))
			return types[i].type;
	}
	return 1;
}

static unsigned char *put_answer(unsigned char *at, unsigned type, const char *text)
{
	unsigned char data[DNS_MESSAGE_MAX / 2];
	unsigned char *end = data;

	if (type == 1 || type == 28) {
		inet_pton(type == 1 ? AF_INET : AF_INET6, text, data);
		end += type == 1 ? 4 : 16;
	} else if (type == 16) {
		*end++ = (unsigned char)strlen(text);
		end = (unsigned char *)stpcpy((char *)end, text);
	} else {
		end = put_name(type == 15 ? put_u16(end, 10) : end, text);
	}
	at = put_u16(put_u16(put_u16(at, 0xc000 | DNS_HEADER), type), 1);
	at = put_u16(put_u16(at, 0), 300);
	at = put_u16(at, (unsigned)(end - data));
	memcpy(at, data, (size_t)(end - data));
	return at + (end - data);
}

static void ask(const char *server_ip, char **words, int count)
{
	unsigned char query[512], answer[DNS_MESSAGE_MAX];
	struct peer server = peer_of(server_ip, "53"), client = {.len = sizeof(client.address)};
	const int yes = 1;
	unsigned type = type_of(words[1]);

	int listening = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	unsigned char *end = put_u16(put_u16(query, 4711), 0x0100);
	end = put_u16(put_u16(put_u16(put_u16(end, 1), 0), 0), 0);
	end = put_u16(put_u16(put_name(end, words[0]), type), 1);
	size_t asked = (size_t)(end - query);
	memcpy(answer, query, asked);
	put_u16(answer + 2, 0x8180);
	put_u16(answer + 6, (unsigned)(count - 2));
	end = answer + asked;
	for (int i = 2; i < count; i++)
		end = put_answer(end, type, words[i]);
	if (bind(listening, (struct sockaddr *)&server.address, server.len) < 0 ||
	    connect(fd, (struct sockaddr *)&server.address, server.len) < 0 ||
	    send(fd, query, asked, 0) < 0 ||
	    recvfrom(listening, query, sizeof(query), 0, (struct sockaddr *)&client.address, &client.len) <
		    0 ||
	    sendto(listening, answer, (size_t)(end - answer), 0, (struct sockaddr *)&client.address,
		   client.len) < 0 ||
	    recv(fd, answer, sizeof(answer), 0) < 0)
		fail("ask for", words[0]);
	close(fd);
	close(listening);
}

/* dns NAME TYPE ANSWER...: asks a server of its own. */
static void do_dns(struct step *s)
{
	ask("127.0.0.53", s->words + 1, s->count - 1);
}

/* dns-at IP NAME TYPE ANSWER... */
static void do_dns_at(struct step *s)
{
	ask(s->words[1], s->words + 2, s->count - 2);
}

/* filter: on all packets that pass. */
static void do_filter(struct step *s)
{
	struct sock_filter code[] = {{BPF_RET | BPF_K, 0, 0, 0xffff}};
	const struct sock_fprog program = {1, code};

	(void)s;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		fail("attach", "a filter");
	close(fd);
}

/* ---- the kernel ---- */

/* bpf TYPE [NAME]: a program that returns 1. */
static void do_bpf(struct step *s)
{
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = (unsigned)atoi(s->words[1]),
		.license = (uintptr_t) "GPL",
		.insns = (uintptr_t)code,
		.insn_cnt = 2,
	};

	if (s->count > 2)
		snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", s->words[2]);
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		fail("load bpf", s->words[1]);
	usleep(20000);
	close(fd);
}

/* module FILE ARGUMENTS */
static void do_module(struct step *s)
{
	do_have(s);
	int fd = open(s->words[1], O_RDONLY | O_CLOEXEC);
	if (syscall(SYS_finit_module, fd, s->count > 2 ? s->words[2] : "", 0) < 0)
		fail("load", s->words[1]);
	close(fd);
}

static void submit(int fd, const struct io_uring_params *p, const struct io_uring_sqe *request)
{
	char *ring = mmap(NULL, p->sq_off.array + p->sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQ_RING);
	struct io_uring_sqe *entries = mmap(NULL, p->sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQES);

	if (ring == MAP_FAILED || entries == MAP_FAILED) {
		fail("map", "a ring");
		return;
	}
	entries[0] = *request;
	*(unsigned *)(ring + p->sq_off.array) = 0;
	__atomic_store_n((unsigned *)(ring + p->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		fail("enter", "a ring");
}

/* uring OPCODE [FILE] */
static void do_uring(struct step *s)
{
	struct io_uring_params p = {0};
	struct io_uring_sqe request = {.opcode = (unsigned char)atoi(s->words[1]), .fd = AT_FDCWD};
	struct peer peer = peer_of("192.0.2.44", "4444");

	if (request.opcode == IORING_OP_CONNECT) {
		request.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		request.addr = (uintptr_t)&peer.address;
		request.off = peer.len;
	} else if (s->count > 2) {
		request.addr = (uintptr_t)s->words[2];
	}
	int fd = (int)syscall(SYS_io_uring_setup, 4, &p);
	if (fd < 0) {
		fail("make", "a ring");
		return;
	}
	submit(fd, &p, &request);
	close(fd);
}

/* ---- playing ---- */

static const struct {
	const char *name;
	int words;
	void (*run)(struct step *s);
} doings[] = {
	{"as", 2, do_as},
	{"suid", 3, do_suid},
	{"script", 3, do_script},
	{"gone", 3, do_gone},
	{"memfd", 3, do_memfd},
	{"fork", 1, do_fork},
	{"orphan", 1, do_orphan},
	{"box", 3, do_box},
	{"tmpfs", 2, do_tmpfs},
	{"victim", 3, do_victim},
	{"victim-of", 4, do_victim_of},
	{"wait", 1, do_wait},
	{"comm", 2, do_comm},
	{"prctl", 2, do_prctl},
	{"uid", 2, do_uid},
	{"clone", 2, do_clone},
	{"exit", 2, do_exit},
	{"sleep", 2, do_sleep},
	{"kill", 2, do_kill},
	{"ptrace", 1, do_ptrace},
	{"vmwrite", 1, do_vmwrite},
	{"mem", 1, do_mem},
	{"write", 2, do_write},
	{"read", 2, do_read},
	{"have", 2, do_have},
	{"unlink", 2, do_unlink},
	{"rename", 3, do_rename},
	{"mprotect", 2, do_mprotect},
	{"mmap", 2, do_mmap},
	{"mmap-gone", 2, do_mmap_gone},
	{"mmap-memfd", 2, do_mmap_memfd},
	{"connect", 3, do_connect},
	{"udp", 5, do_udp},
	{"icmp", 3, do_icmp},
	{"dns", 4, do_dns},
	{"dns-at", 5, do_dns_at},
	{"filter", 1, do_filter},
	{"bpf", 2, do_bpf},
	{"module", 2, do_module},
	{"uring", 2, do_uring},
};

static void play(char *block)
{
	struct step s;

	while (take(&block, &s)) {
		size_t i = 0, n = sizeof(doings) / sizeof(*doings);
		while (i < n && strcmp(doings[i].name, s.words[0]))
			i++;
		if (i < n && s.count >= doings[i].words)
			doings[i].run(&s);
		else
			fprintf(stderr, "play: what is '%s' with %d words?\n", s.words[0], s.count);
		free(s.block);
	}
}

static char *read_all(const char *path)
{
	static char text[1 << 20];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = 0;
	if (f)
		fclose(f);
	return text;
}

static void play_all(char *text, const char *marks)
{
	struct step s;

	/* orphans come to us: nothing of one scenario goes on in the next */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (take(&text, &s)) {
		char mark[PATH_MAX];
		snprintf(mark, sizeof(mark), "%s/%s", marks, s.words[0]);
		close(open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		pid_t pid = fork();
		if (pid == 0) {
			play(s.block);
			_exit(0);
		}
		while (wait(NULL) > 0 || errno == EINTR)
			continue;
		free(s.block);
	}
}

int main(int argc, char **argv)
{
	char *block = getenv(BLOCK);

	if (block) {
		block = strdup(block);
		unsetenv(BLOCK);
		play(block);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "prepare"))
		prepare(read_all(argv[2]));
	else if (argc == 3)
		play_all(read_all(argv[1]), argv[2]);
	return 0;
}
