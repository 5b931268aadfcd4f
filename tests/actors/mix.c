/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A long mix of operations that one number decides: run again it does the same, so that what two tiers make of it can be
 * compared (tests/live/differential.py). It states no facts. Operations may fail; what must not differ from run to run is how.
 */
#include "actor.h"
#include "mix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	NAMES = 24,   /* of files that the operations share */
	SLOTS = 6,    /* files that are open at once */
	LIFE = 101,   /* operations of one process: each access is told once for a process */
	BYTES = 6000, /* of a write, at most */
	PART = 100,   /* what is moved between files */
	PAGE = 4096,
};

/* An open file. What it is not opened for is not tried: the tiers differ in accesses that move nothing (docs/tiers.md). */
struct slot {
	int fd; /* -1: none */
	bool reads, writes, appends;
};

struct mix {
	uint64_t state;
	struct slot slots[SLOTS];
	int datagrams[2], streams[2]; /* connected to each other */
	int pipe[2];
	struct sockaddr_in datagram_address, closed_address;
};

/* xorshift64* (Vigna). */
static unsigned pick(struct mix *m, unsigned below)
{
	m->state ^= m->state >> 12;
	m->state ^= m->state << 25;
	m->state ^= m->state >> 27;
	return (unsigned)((m->state * 0x2545f4914f6cdd1dULL) >> 33) % below;
}

static const char *name_of(struct mix *m, char *buf)
{
	unsigned n = pick(m, NAMES);

	snprintf(buf, 32, n % 3 ? "f%u" : "d/f%u", n);
	return buf;
}

static struct slot *slot_of(struct mix *m)
{
	return &m->slots[pick(m, SLOTS)];
}

static struct slot *slot_to_read(struct mix *m)
{
	struct slot *slot = slot_of(m);

	return slot->fd >= 0 && slot->reads ? slot : NULL;
}

static struct slot *slot_to_write(struct mix *m)
{
	struct slot *slot = slot_of(m);

	return slot->fd >= 0 && slot->writes ? slot : NULL;
}

static const char *bytes(void)
{
	static char data[BYTES];

	if (!data[1])
		actor_fill(data, sizeof(data), 7);
	return data;
}

static void must_write(int fd, size_t len)
{
	actor_must(write(fd, bytes(), len) == (ssize_t)len, "write");
}

/* No file is ever empty. */
static void mix_open(struct mix *m)
{
	static const int flags[] = {O_RDONLY,
				    O_RDWR,
				    O_WRONLY,
				    O_RDWR | O_CREAT,
				    O_RDWR | O_CREAT | O_TRUNC,
				    O_WRONLY | O_CREAT | O_EXCL,
				    O_WRONLY | O_CREAT | O_APPEND};
	struct slot *slot = slot_of(m);
	int how = flags[pick(m, sizeof(flags) / sizeof(*flags))];
	char name[32];

	if (slot->fd >= 0)
		close(slot->fd);
	*slot = (struct slot){
		.fd = open(name_of(m, name), how | O_CLOEXEC, 0644),
		.reads = (how & O_ACCMODE) != O_WRONLY,
		.writes = (how & O_ACCMODE) != O_RDONLY,
		.appends = how & O_APPEND,
	};
	if (slot->fd >= 0 && how & O_CREAT)
		must_write(slot->fd, PART);
}

static void mix_close(struct mix *m)
{
	struct slot *slot = slot_of(m), *other = slot_of(m);

	if (slot == other || slot->fd < 0)
		return;
	if (pick(m, 4) == 0 && other->fd >= 0) {
		const int fd = slot->fd;
		dup3(other->fd, fd, O_CLOEXEC);
		*slot = *other;
		slot->fd = fd;
		return;
	}
	close(slot->fd);
	slot->fd = -1;
}

static void mix_write(struct mix *m)
{
	size_t len = 2 + pick(m, BYTES - 2);
	struct iovec parts[] = {{(void *)bytes(), len / 2}, {(void *)bytes(), len - len / 2}};
	struct slot *slot = slot_to_write(m);

	if (!slot)
		return;
	switch (pick(m, 5)) {
	case 0:
		must_write(slot->fd, len);
		break;
	case 1:
		(void)!pwrite(slot->fd, bytes(), len, pick(m, PAGE));
		break;
	case 2:
		(void)!writev(slot->fd, parts, 2);
		break;
	case 3:
		(void)!pwritev(slot->fd, parts, 2, 0);
		break;
	default:
		(void)!posix_fallocate(slot->fd, 0, (off_t)len);
	}
}

static void mix_read(struct mix *m)
{
	static char data[BYTES];
	struct iovec parts[] = {{data, 50}, {data + 50, 400}};
	struct slot *slot = slot_to_read(m);

	if (!slot)
		return;
	lseek(slot->fd, 0, SEEK_SET);
	switch (pick(m, 4)) {
	case 0:
		(void)!read(slot->fd, data, sizeof(data));
		break;
	case 1:
		(void)!pread(slot->fd, data, sizeof(data), 0);
		break;
	case 2:
		(void)!readv(slot->fd, parts, 2);
		break;
	default:
		(void)!preadv(slot->fd, parts, 2, 0);
	}
}

/* From the beginning of a file to behind it, should both be the same. */
static void mix_move(struct mix *m)
{
	struct slot *from = slot_to_read(m), *to = slot_to_write(m);
	off_t offset = 0, other = PART;

	if (!from || !to || to->appends)
		return;
	switch (pick(m, 3)) {
	case 0:
		lseek(to->fd, PART, SEEK_SET);
		(void)!sendfile(to->fd, from->fd, &offset, PART);
		break;
	case 1:
		(void)!copy_file_range(from->fd, &offset, to->fd, &other, PART, 0);
		break;
	default:
		actor_must(splice(from->fd, &offset, m->pipe[1], NULL, 1, 0) == 1, "splice out");
		actor_must(splice(m->pipe[0], NULL, to->fd, &other, 1, 0) == 1, "splice in");
	}
}

static void mix_truncate(struct mix *m)
{
	struct slot *slot = slot_to_write(m);
	char name[32];

	if (pick(m, 2) && slot)
		(void)!ftruncate(slot->fd, PART + pick(m, PAGE));
	else
		(void)!truncate(name_of(m, name), PART + pick(m, PAGE));
}

static void mix_names(struct mix *m)
{
	char one[32], two[32];

	name_of(m, one);
	name_of(m, two);
	switch (pick(m, 4)) {
	case 0:
		(void)!link(one, two);
		break;
	case 1:
		rename(one, two);
		break;
	case 2:
		renameat2(AT_FDCWD, one, AT_FDCWD, two, 1 + pick(m, 2)); /* NOREPLACE, EXCHANGE */
		break;
	default:
		unlink(one);
	}
}

static void mix_map(struct mix *m)
{
	struct slot *slot = pick(m, 4) ? slot_to_read(m) : NULL;
	int more = slot ? (int)pick(m, 3) : 2;
	int protection = PROT_READ | (more == 1 && slot->writes ? PROT_WRITE : more == 2 ? PROT_EXEC : 0);
	/* whether a file was written through a shared mapping is told by the file system's clock */
	bool shared = pick(m, 2) && !(slot && slot->writes);
	int flags = (shared ? MAP_SHARED : MAP_PRIVATE) | (slot ? 0 : MAP_ANONYMOUS);
	void *map = mmap(NULL, PAGE, protection, flags, slot ? slot->fd : -1, 0);

	if (map == MAP_FAILED)
		return;
	if (pick(m, 3) == 0)
		mprotect(map, PAGE, PROT_READ | PROT_EXEC);
	munmap(map, PAGE);
}

static void mix_socket(struct mix *m)
{
	char data[2000];
	size_t len = 2 + pick(m, 1500);
	struct iovec parts[] = {{(void *)bytes(), len / 2}, {(void *)bytes(), len - len / 2}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	bool datagram = pick(m, 2);
	int way = (int)pick(m, 4), fd = datagram ? m->datagrams[0] : m->streams[0];
	ssize_t got = 0;

	if (way == 0)
		(void)!send(fd, bytes(), len, 0);
	else if (way == 1)
		(void)!write(fd, bytes(), len);
	else if (way == 2)
		(void)!sendmsg(fd, &message, 0);
	else
		(void)!writev(fd, parts, 2);
	if (datagram)
		(void)!recv(m->datagrams[1], data, sizeof(data), 0);
	for (ssize_t n; !datagram && got < (ssize_t)len; got += n) {
		n = recv(m->streams[1], data, len - (size_t)got, 0);
		actor_must(n > 0, "receive");
	}
}

static void mix_send_file(struct mix *m)
{
	struct slot *slot = slot_to_read(m);
	char data[PART];
	off_t offset = 0;
	ssize_t sent = slot ? sendfile(m->streams[0], slot->fd, &offset, PART) : 0;

	while (sent > 0) {
		ssize_t got = recv(m->streams[1], data, (size_t)sent, 0);
		actor_must(got > 0, "receive a file");
		sent -= got;
	}
}

static void mix_connect(struct mix *m)
{
	const struct sockaddr *open_port = (void *)&m->datagram_address, *closed = (void *)&m->closed_address;
	int datagram = (int)pick(m, 2);
	int fd = socket(AF_INET, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	connect(fd, datagram ? open_port : closed, sizeof(m->closed_address));
	close(fd);
}

static void mix_control(struct mix *m)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	const struct sock_fprog program = {1, &all};

	switch (pick(m, 6)) {
	case 0:
		/* five arguments: what is not given would be shown as it lies in the registers */
		prctl(PR_SET_NAME, "mix", 0L, 0L, 0L);
		break;
	case 1:
		prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L);
		break;
	case 2:
		kill(getpid(), 0);
		break;
	case 3:
		kill(getppid(), SIGCHLD);
		break;
	case 4:
		setsockopt(m->datagrams[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
		break;
	default:
		ptrace(PTRACE_PEEKDATA, getppid(), NULL, NULL);
	}
}

static void mix_fork(struct mix *m)
{
	struct slot *slot = slot_to_write(m);
	pid_t pid = slot ? fork() : -1;

	if (pid == 0) {
		must_write(slot->fd, PART);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static const struct {
	void (*run)(struct mix *m);
	unsigned weight;
} operations[] = {
	{mix_open, 20},    {mix_close, 12},  {mix_write, 16}, {mix_read, 12},  {mix_move, 6},
	{mix_truncate, 5}, {mix_names, 12},  {mix_map, 5},    {mix_socket, 6}, {mix_send_file, 2},
	{mix_connect, 2},  {mix_control, 4}, {mix_fork, 1},
};

static void operate(struct mix *m)
{
	unsigned sum = 0, at;

	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		sum += operations[i].weight;
	at = pick(m, sum);
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		if (at < operations[i].weight) {
			operations[i].run(m);
			return;
		}
		at -= operations[i].weight;
	}
}

/* One process of the mix, in a directory that the ones before it have filled. */
static void live(struct mix *m, unsigned count)
{
	for (int i = 0; i < SLOTS; i++)
		m->slots[i].fd = -1;
	actor_must(pipe2(m->pipe, O_CLOEXEC) == 0, "pipe");
	for (unsigned i = 0; i < count; i++)
		operate(m);
	_exit(0);
}

static int bound_socket(int type, struct sockaddr_in *ret_address)
{
	socklen_t len = sizeof(*ret_address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	*ret_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (void *)ret_address, len) < 0 ||
	    getsockname(fd, (void *)ret_address, &len) < 0)
		return -1;
	return fd;
}

/* Neither end may wait for ever, and what comes of a socket must not depend on time. */
static int make_sockets(struct mix *m)
{
	const struct timeval second = {.tv_sec = 1};
	struct sockaddr_in address;
	int listener = bound_socket(SOCK_STREAM, &address);

	m->datagrams[1] = bound_socket(SOCK_DGRAM, &m->datagram_address);
	m->datagrams[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	m->streams[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || listen(listener, 1) < 0 ||
	    connect(m->datagrams[0], (void *)&m->datagram_address, sizeof(address)) < 0 ||
	    connect(m->streams[0], (void *)&address, sizeof(address)) < 0)
		return -1;
	m->streams[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener); /* its port is a closed one from now on */
	m->closed_address = address;
	setsockopt(m->datagrams[1], SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	return setsockopt(m->streams[1], SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
}

int mix_run(const char *work, uint64_t seed, unsigned count)
{
	struct mix m = {.state = seed | 1};
	int status;

	if (chdir(work) < 0 || (mkdir("d", 0755) < 0 && errno != EEXIST) || make_sockets(&m) < 0)
		return -1;
	prctl(PR_SET_NAME, "mixture", 0L, 0L, 0L); /* so that what it does can be told from all else */
	for (unsigned done = 0; done < count; done += LIFE) {
		pid_t pid = fork();
		if (pid < 0)
			return -1;
		if (pid == 0)
			live(&m, count - done < LIFE ? count - done : LIFE);
		if (waitpid(pid, &status, 0) != pid || status != 0)
			return -1;
		pick(&m, 2); /* the next one does something else */
		m.state += done;
	}
	return 0;
}
