/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests through io_uring, taken by the process itself or by the ring's poller. */
#include "dns.h"
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	NOPS = 53,
	GARBAGE_ROUNDS = 101,
};

/* self->c of every case */
enum { BY_SELF, BY_POLLER };

static void nops(const struct actor_case *self)
{
	struct ring ring;

	ring_open(&ring, self->c);
	for (int i = 0; i < NOPS; i++)
		ring_add(&ring, IORING_OP_NOP, -1, NULL, 0, 0);
	ring_run(&ring);
	for (int i = 0; i < NOPS; i++)
		ring_fact_plain(&ring, RING_OP(NOP));
}

/* ---- names ---- */

enum { FROM_CWD, FROM_DIR, ABSOLUTE };

/* The name as it is passed, and what it means, in a directory "dir" below the case's own. */
struct name {
	int dir;
	char passed[PATH_MAX];
	char meant[PATH_MAX];
};

static struct name name_of(int start, const char *name)
{
	struct name n = {.dir = AT_FDCWD};
	char below[64];

	snprintf(below, sizeof(below), "dir/%s", name);
	actor_path(n.meant, below);
	if (start == ABSOLUTE) {
		strcpy(n.passed, n.meant);
	} else if (start == FROM_CWD) {
		snprintf(n.passed, sizeof(n.passed), "./dir/../dir/%s", name);
	} else {
		n.dir = open("dir", O_PATH | O_DIRECTORY | O_CLOEXEC);
		actor_must(n.dir >= 0, "open the directory");
		strcpy(n.passed, name);
	}
	return n;
}

static void start(struct ring *ring, const struct actor_case *self)
{
	actor_must(mkdir("dir", 0755) == 0, "mkdir");
	ring_open(ring, self->c);
}

static void opening(const struct actor_case *self)
{
	struct ring ring;

	start(&ring, self);
	struct name n = name_of(self->a, "file");
	ring_add(&ring, IORING_OP_OPENAT, n.dir, n.passed, 0644, 0)->open_flags =
		O_RDWR | O_CREAT | O_CLOEXEC;
	actor_must(ring_do(&ring) >= 0, "open");
	ring_fact_path(&ring, RING_OP(OPENAT), n.meant, NULL);
	ring_fact_done(&ring, "create", true, n.meant);
	/* and one that fails */
	struct name missing = name_of(self->a, "missing");
	ring_add(&ring, IORING_OP_OPENAT, missing.dir, missing.passed, 0, 0)->open_flags = O_RDONLY;
	actor_must(ring_do(&ring) == -ENOENT, "open what is not there");
	ring_fact_path(&ring, RING_OP(OPENAT), missing.meant, NULL);
}

static void opening2(const struct actor_case *self)
{
	const struct open_how how = {.flags = O_RDWR | O_CREAT | O_CLOEXEC, .mode = 0644};
	struct ring ring;

	start(&ring, self);
	struct name n = name_of(self->a, "file");
	ring_add(&ring, IORING_OP_OPENAT2, n.dir, n.passed, sizeof(how), (unsigned long)&how);
	actor_must(ring_do(&ring) >= 0, "open");
	ring_fact_path(&ring, RING_OP(OPENAT2), n.meant, NULL);
	ring_fact_done(&ring, "create", true, n.meant);
}

static void unlinking(const struct actor_case *self)
{
	struct ring ring;

	start(&ring, self);
	struct name n = name_of(self->a, "file");
	actor_must(mknod(n.meant, S_IFREG | 0600, 0) == 0, "mknod");
	ring_add(&ring, IORING_OP_UNLINKAT, n.dir, n.passed, 0, 0);
	actor_must(ring_do(&ring) == 0, "unlink");
	ring_fact_path(&ring, RING_OP(UNLINKAT), n.meant, NULL);
	ring_fact_unlinked(&ring, n.meant, false);
}

/* 5.10 has some numbers, and nothing behind them. */
static void do_or_skip(struct ring *ring)
{
	int result = ring_do(ring);

	if (result == -EINVAL)
		actor_skip("this kernel has no such request");
	errno = -result;
	actor_must(result == 0, "do what the request asks for");
}

static void making(const struct actor_case *self)
{
	struct ring ring;

	start(&ring, self);
	struct name n = name_of(self->a, "new");
	ring_add(&ring, IORING_OP_MKDIRAT, n.dir, n.passed, 0755, 0);
	do_or_skip(&ring);
	ring_fact_path(&ring, RING_OP(MKDIRAT), n.meant, NULL);
}

/* len is the second directory's descriptor, off the second name */
static void renaming(const struct actor_case *self)
{
	struct ring ring;

	start(&ring, self);
	struct name from = name_of(self->a, "file"), to = name_of(self->a, "renamed");
	actor_must(mknod(from.meant, S_IFREG | 0600, 0) == 0, "mknod");
	ring_add(&ring, IORING_OP_RENAMEAT, from.dir, from.passed, (unsigned)to.dir,
		 (unsigned long)to.passed);
	actor_must(ring_do(&ring) == 0, "rename");
	ring_fact_path(&ring, RING_OP(RENAMEAT), from.meant, to.meant);
	ring_fact_renamed(&ring, from.meant, to.meant, false);
}

static void linking(const struct actor_case *self)
{
	struct ring ring;

	start(&ring, self);
	struct name from = name_of(self->a, "file"), to = name_of(self->a, "link");
	actor_must(mknod(from.meant, S_IFREG | 0600, 0) == 0, "mknod");
	ring_add(&ring, IORING_OP_LINKAT, from.dir, from.passed, (unsigned)to.dir, (unsigned long)to.passed);
	do_or_skip(&ring);
	ring_fact_path(&ring, RING_OP(LINKAT), from.meant, to.meant);
}

static void linking_by_name(const struct actor_case *self)
{
	static const char *const texts[] = {"../elsewhere", "file", "/etc/shadow"};
	struct ring ring;

	start(&ring, self);
	struct name to = name_of(self->a, "link");
	ring_add(&ring, IORING_OP_SYMLINKAT, to.dir, texts[self->a], 0, (unsigned long)to.passed);
	do_or_skip(&ring);
	ring_fact_path(&ring, RING_OP(SYMLINKAT), texts[self->a], to.meant);
}

/* ---- files ---- */

static void fact_sized(struct ring *ring, unsigned opcode, const char *name, const char *path, size_t size)
{
	char absolute[PATH_MAX];
	struct fact fact;

	ring_fact(&fact, ring, opcode, name);
	facts_string(&fact, "path", actor_path(absolute, path));
	if (size)
		facts_number(&fact, "size", (long long)size);
	facts_end(&fact);
}

static void register_file(const struct ring *ring, int fd)
{
	actor_must(syscall(__NR_io_uring_register, ring->fd, IORING_REGISTER_FILES, &fd, 1) == 0,
		   "register a file");
}

static void register_buffer(const struct ring *ring, void *data, size_t len)
{
	struct iovec buffer = {data, len};

	actor_must(syscall(__NR_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS, &buffer, 1) == 0,
		   "register a buffer");
}

/* Closed after the requests were done; a polling thread may still hold what it wrote, and be the last one. */
static void fact_closed(const struct ring *ring)
{
	char path[PATH_MAX];
	struct fact fact;

	facts_begin(&fact, "close");
	facts_bool(&fact, "uring", true);
	facts_bool(&fact, "by_helper", ring->polled);
	facts_string(&fact, "path", actor_path(path, "file"));
	facts_string(&fact, "written_by", "io_uring");
	facts_end(&fact);
}

/* The last reference goes in a thread of the kernel's own. */
static void fact_closed_with_ring(void)
{
	char path[PATH_MAX];
	struct fact fact;

	facts_begin(&fact, "close");
	facts_string(&fact, "path", actor_path(path, "file"));
	facts_string(&fact, "written_by", "io_uring");
	facts_bool(&fact, "subject", true);
	facts_end(&fact);
}

/* Every call that writes or reads, on a descriptor or on the ring's own. */
static void moving(const struct actor_case *self)
{
	bool registered = self->a;
	unsigned char flag = registered ? IOSQE_FIXED_FILE : 0;
	char data[257], back[257];
	struct iovec out = {data, sizeof(data)}, in = {back, sizeof(back)};
	struct ring ring;
	int fd = actor_file_open("file"), at = registered ? 0 : fd;

	actor_fill(data, sizeof(data), 3);
	ring_open(&ring, self->c);
	register_buffer(&ring, data, sizeof(data));
	if (registered)
		register_file(&ring, fd);

	ring_add(&ring, IORING_OP_WRITE, at, data, sizeof(data), 0)->flags = flag;
	actor_must(ring_do(&ring) == sizeof(data), "write");
	fact_sized(&ring, RING_OP(WRITE), "file", sizeof(data));
	ring_add(&ring, IORING_OP_WRITEV, at, &out, 1, 0)->flags = flag;
	actor_must(ring_do(&ring) == sizeof(data), "writev");
	fact_sized(&ring, RING_OP(WRITEV), "file", 0);
	ring_add(&ring, IORING_OP_WRITE_FIXED, at, data, sizeof(data), 0)->flags = flag;
	actor_must(ring_do(&ring) == sizeof(data), "write from a registered buffer");
	fact_sized(&ring, RING_OP(WRITE_FIXED), "file", sizeof(data));
	ring_add(&ring, IORING_OP_READ, at, back, sizeof(back), 0)->flags = flag;
	actor_must(ring_do(&ring) == sizeof(back) && memcmp(data, back, sizeof(back)) == 0, "read");
	fact_sized(&ring, RING_OP(READ), "file", sizeof(back));
	ring_add(&ring, IORING_OP_READV, at, &in, 1, 0)->flags = flag;
	actor_must(ring_do(&ring) == sizeof(back), "readv");
	fact_sized(&ring, RING_OP(READV), "file", 0);
	ring_add(&ring, IORING_OP_READ_FIXED, at, data, sizeof(data), 0)->flags = flag;
	actor_must(ring_do(&ring) == sizeof(data), "read into a registered buffer");
	fact_sized(&ring, RING_OP(READ_FIXED), "file", sizeof(data));
	ring_add(&ring, IORING_OP_FSYNC, at, NULL, 0, 0)->flags = flag;
	actor_must(ring_do(&ring) == 0, "fsync");
	fact_sized(&ring, RING_OP(FSYNC), "file", 0);
	close(fd);
	if (!registered)
		fact_closed(&ring);
	else
		fact_closed_with_ring();
	close(ring.fd);
}

/* One request waits for the other. */
static void linked(const struct actor_case *self)
{
	char data[] = "linked", back[sizeof(data)] = "";
	struct ring ring;
	int fd = actor_file_open("file");

	ring_open(&ring, self->c);
	ring_add(&ring, IORING_OP_WRITE, fd, data, sizeof(data), 0)->flags = IOSQE_IO_LINK;
	ring_add(&ring, IORING_OP_READ, fd, back, sizeof(back), 0)->flags = IOSQE_IO_LINK;
	ring_add(&ring, IORING_OP_NOP, -1, NULL, 0, 0);
	ring_run(&ring);
	actor_must(strcmp(data, back) == 0 && ring.results[1] == sizeof(back), "a chain of requests");
	fact_sized(&ring, RING_OP(WRITE), "file", sizeof(data));
	fact_sized(&ring, RING_OP(READ), "file", sizeof(back));
	ring_fact_plain(&ring, RING_OP(NOP));
	close(fd);
	fact_closed(&ring);
}

/* a: the file was written by write(2), by a request, by one that the closing one waits for, or opened to be emptied */
enum { CLOSES_WRITTEN, CLOSES_URING, CLOSES_LINKED, CLOSES_EMPTIED };

static void closing(const struct actor_case *self)
{
	static const char *const ways[] = {"write", "io_uring", "io_uring", "io_uring"};
	char data[] = "12345";
	struct ring ring;
	struct fact fact;
	char path[PATH_MAX];
	int fd;

	actor_path(path, "file");
	if (self->a == CLOSES_EMPTIED)
		actor_file_make("file", data, sizeof(data), 0600);
	ring_open(&ring, self->c);
	if (self->a == CLOSES_EMPTIED) {
		ring_add(&ring, IORING_OP_OPENAT, AT_FDCWD, path, 0, 0)->open_flags = O_RDWR | O_TRUNC;
		fd = ring_do(&ring);
		actor_must(fd >= 0, "open");
		ring_fact_path(&ring, RING_OP(OPENAT), path, NULL);
	} else {
		fd = actor_file_open("file");
	}
	if (self->a == CLOSES_WRITTEN) {
		actor_must(write(fd, data, sizeof(data)) == sizeof(data), "write");
	} else if (self->a != CLOSES_EMPTIED) {
		ring_add(&ring, IORING_OP_WRITE, fd, data, sizeof(data), 0)->flags =
			self->a == CLOSES_LINKED ? IOSQE_IO_LINK : 0;
	}
	if (self->a == CLOSES_URING) {
		actor_must(ring_do(&ring) == sizeof(data), "write");
		fact_sized(&ring, RING_OP(WRITE), "file", sizeof(data));
	}
	ring_add(&ring, IORING_OP_CLOSE, fd, NULL, 0, 0);
	ring_run(&ring);
	if (self->a == CLOSES_LINKED)
		fact_sized(&ring, RING_OP(WRITE), "file", sizeof(data));
	fact_sized(&ring, RING_OP(CLOSE), "file", 0);
	ring_fact_of(&fact, &ring, "close", true);
	facts_string(&fact, "path", path);
	facts_string(&fact, "written_by", ways[self->a]);
	facts_bool(&fact, "untold_unseen", self->a == CLOSES_EMPTIED);
	facts_end(&fact);
}

/* First accesses: told for the thread that wants them, once. */
static void accessing(const struct actor_case *self)
{
	char data[11] = "1234567890", path[PATH_MAX];
	struct ring ring;
	pid_t pid = actor_fork();
	int fd;

	actor_path(path, "file");
	if (pid == 0) { /* another process makes the file */
		struct fact fact;

		actor_file_make("file", data, 10, 0600);
		facts_begin(&fact, "write");
		facts_string(&fact, "path", path);
		facts_end(&fact);
		actor_exit(0);
	}
	actor_wait(pid);
	fd = open("file", O_RDWR | O_CLOEXEC);
	ring_open(&ring, self->c);
	for (int i = 0; i < 3; i++) {
		unsigned char flag = i == 2 ? IOSQE_ASYNC : 0;

		ring_add(&ring, IORING_OP_READ, fd, data, 5, 0)->flags = flag;
		actor_must(ring_do(&ring) == 5, "read");
		fact_sized(&ring, RING_OP(READ), "file", 5);
		ring_add(&ring, IORING_OP_WRITE, fd, data, 5, 0)->flags = flag;
		actor_must(ring_do(&ring) == 5, "write");
		fact_sized(&ring, RING_OP(WRITE), "file", 5);
	}
	ring_fact_done(&ring, "read", false, path);
	ring_fact_done(&ring, "write", false, path);
	close(fd);
	fact_closed(&ring);
	/* and one that has nothing to read */
	fd = actor_file_open("empty");
	ring_add(&ring, IORING_OP_READ, fd, data, 5, 0);
	actor_must(ring_do(&ring) == 0, "read nothing");
	fact_sized(&ring, RING_OP(READ), "empty", 5);
	close(fd);
}

/* ---- the network ---- */

static void connecting(const struct actor_case *self)
{
	const char *ip = self->b ? "::1" : "127.0.0.1";
	union address address;
	struct ring ring;
	int client;

	sock_isolate();
	sock_listen(ip, self->a, 0, &address);
	client = sock_open(ip, self->a);
	ring_open(&ring, self->c);
	ring_add(&ring, IORING_OP_CONNECT, client, &address, 0, sock_length(&address));
	actor_must(ring_do(&ring) == 0, "connect");
	ring_fact_peer(&ring, RING_OP(CONNECT), client, &address, 0);
	ring_fact_connected(&ring, client, &address, true, false);
}

static void refused(const struct actor_case *self)
{
	const char *ip = self->b ? "::1" : "127.0.0.1";
	union address address;
	struct ring ring;
	int client;

	sock_isolate();
	address = sock_address(ip, 4711);
	client = sock_open(ip, SOCK_STREAM);
	ring_open(&ring, self->c);
	ring_add(&ring, IORING_OP_CONNECT, client, &address, 0, sock_length(&address));
	actor_must(ring_do(&ring) == -ECONNREFUSED, "be refused");
	ring_fact_peer(&ring, RING_OP(CONNECT), client, &address, 0);
	ring_fact_connected(&ring, client, &address, false, false);
}

static void sending(const struct actor_case *self)
{
	const char *ip = self->b ? "::1" : "127.0.0.1";
	union address address;
	char data[257];
	struct iovec part = {data, sizeof(data)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct ring ring;
	int client;

	sock_isolate();
	sock_listen(ip, self->a, 0, &address);
	client = sock_open(ip, self->a);
	actor_fill(data, sizeof(data), 5);
	ring_open(&ring, self->c);
	if (self->a == SOCK_STREAM) {
		actor_must(sock_connect(client, &address, NULL) == 0, "connect");
	} else {
		message.msg_name = &address;
		message.msg_namelen = sock_length(&address);
	}
	ring_add(&ring, IORING_OP_SENDMSG, client, &message, 1, 0);
	actor_must(ring_do(&ring) == sizeof(data), "sendmsg");
	ring_fact_peer(&ring, RING_OP(SENDMSG), client, &address, 0);
	ring_fact_sent(&ring, client, &address, data, sizeof(data), false);
	if (self->a != SOCK_STREAM)
		actor_must(sock_connect(client, &address, NULL) == 0, "connect");
	ring_add(&ring, IORING_OP_SEND, client, data, sizeof(data), 0);
	actor_must(ring_do(&ring) == sizeof(data), "send");
	ring_fact_peer(&ring, RING_OP(SEND), client, &address, sizeof(data));
	ring_fact_sent(&ring, client, &address, data, sizeof(data), false);
}

enum { ANSWERED_US = 100000 };

/* An answer of a DNS server. a: it comes while the process is in another call, where the request then ends. */
static void resolving(const struct actor_case *self)
{
	const char *name = "a.kunai.test";
	union address server = sock_address("127.0.0.1", 53);
	unsigned char question[512], answer[512];
	struct ring ring;
	struct fact fact;
	pid_t pid;
	int client;

	sock_isolate();
	pid = dns_server_start();
	client = sock_open("127.0.0.1", SOCK_DGRAM);
	actor_must(sock_connect(client, &server, NULL) == 0, "connect to the server");
	size_t len = dns_put_question(question, 0x4b55, name, DNS_A);
	ring_open(&ring, self->c);
	ring_add(&ring, IORING_OP_RECV, client, answer, sizeof(answer), 0);
	if (self->a)
		ring_submit(&ring);
	actor_must(send(client, question, len, 0) == (ssize_t)len, "send a question");
	sock_fact_sent(client, NULL, question, len, NULL);
	if (self->a) {
		usleep(ANSWERED_US);
		ring_collect(&ring, 1);
	} else {
		ring_run(&ring);
	}
	actor_must(ring.results[0] > 0, "receive an answer");
	ring_fact_peer(&ring, RING_OP(RECV), client, &server, sizeof(answer));
	ring_fact_of(&fact, &ring, "dns", true);
	sock_describe(&fact, client, &server);
	facts_string(&fact, "query", name);
	facts_number(&fact, "query_type", DNS_A);
	facts_string(&fact, "response", "10.99.1.1");
	facts_string(&fact, "asked", "");
	facts_bool(&fact, "truncated", false);
	facts_bool(&fact, "malformed", false);
	facts_bool(&fact, "partial", false);
	facts_bool(&fact, "unasked", false);
	facts_bool(&fact, "untold_unseen", true);
	facts_end(&fact);
	dns_server_stop(pid);
}

/* ---- many, and nonsense ---- */

static void storm(const struct actor_case *self)
{
	unsigned left = actor_env.storm;
	struct ring ring;
	struct fact fact;

	if (!left)
		actor_skip("storms are switched off");
	ring_open(&ring, self->c);
	while (left) {
		unsigned n = left < RING_ENTRIES ? left : RING_ENTRIES;

		for (unsigned i = 0; i < n; i++)
			ring_add(&ring, IORING_OP_NOP, -1, NULL, 0, 0);
		ring_run(&ring);
		left -= n;
	}
	ring_fact(&fact, &ring, RING_OP(NOP));
	facts_number(&fact, "count", actor_env.storm);
	facts_end(&fact);
}

/* Every operation that exists or not, with random bytes in all else; a child whose events nobody counts. */
static void garbage(const struct actor_case *self)
{
	pid_t child = actor_fork();

	if (child == 0) {
		struct fact fact;
		struct ring ring;
		unsigned seed = 11;

		facts_begin(&fact, "ignore");
		facts_end(&fact);
		ring_states_helpers = false;
		ring_open(&ring, self->c);
		for (int round = 0; round < GARBAGE_ROUNDS; round++) {
			for (unsigned i = 0; i < RING_ENTRIES; i++) {
				struct io_uring_sqe *sqe = ring_add(&ring, 0, -1, NULL, 0, 0);
				unsigned char *bytes = (unsigned char *)sqe;

				for (size_t at = 0; at < sizeof(*sqe); at++)
					bytes[at] = rand_r(&seed) % 3 ? 0 : (unsigned char)rand_r(&seed);
				sqe->opcode = (unsigned char)(round * RING_ENTRIES + (int)i);
				sqe->fd = 4 + rand_r(&seed) % 100; /* never one that is open */
				sqe->flags &= IOSQE_IO_LINK | IOSQE_ASYNC;
				sqe->personality = 0;
			}
			ring_submit(&ring);
		}
		_exit(0);
	}
	actor_wait(child);
	nops(self); /* and all works as before */
}

static const struct {
	const char *name;
	void (*run)(const struct actor_case *self);
} by_name[] = {
	{"openat", opening},    {"openat2", opening2},          {"unlinkat", unlinking}, {"mkdirat", making},
	{"renameat", renaming}, {"symlinkat", linking_by_name}, {"linkat", linking},
};

void actor_add_uring(void)
{
	static const char *const starts[] = {"cwd", "dir", "absolute"};
	static const char *const takers[] = {"", ".polled"};
	static const char *const closings[] = {"written", "written_by_request", "linked", "emptied"};

	for (int by = BY_SELF; by <= BY_POLLER; by++) {
		const char *taker = takers[by];

		actor_add(nops, 0, 0, by, "io_uring.nop%s", taker);
		for (size_t i = 0; i < sizeof(by_name) / sizeof(*by_name); i++)
			for (int from = FROM_CWD; from <= ABSOLUTE; from++)
				actor_add(by_name[i].run, from, 0, by, "io_uring.%s.%s%s", by_name[i].name,
					  starts[from], taker);
		actor_add(moving, 0, 0, by, "io_uring.files%s", taker);
		actor_add(moving, 1, 0, by, "io_uring.registered_files%s", taker);
		actor_add(linked, 0, 0, by, "io_uring.linked%s", taker);
		for (int a = CLOSES_WRITTEN; a <= CLOSES_EMPTIED; a++)
			actor_add(closing, a, 0, by, "io_uring.close.%s%s", closings[a], taker);
		actor_add(accessing, 0, 0, by, "access.io_uring%s", taker);
		actor_add(resolving, 0, 0, by, "io_uring.dns%s", taker);
		actor_add(resolving, 1, 0, by, "io_uring.dns.asleep%s", taker);
		for (int v6 = 0; v6 < 2; v6++) {
			actor_add(connecting, SOCK_STREAM, v6, by, "io_uring.connect.tcp%d%s", v6 ? 6 : 4,
				  taker);
			actor_add(connecting, SOCK_DGRAM, v6, by, "io_uring.connect.udp%d%s", v6 ? 6 : 4,
				  taker);
			actor_add(refused, 0, v6, by, "io_uring.refused.tcp%d%s", v6 ? 6 : 4, taker);
			actor_add(sending, SOCK_STREAM, v6, by, "io_uring.send.tcp%d%s", v6 ? 6 : 4, taker);
			actor_add(sending, SOCK_DGRAM, v6, by, "io_uring.send.udp%d%s", v6 ? 6 : 4, taker);
		}
		actor_add(garbage, 0, 0, by, "io_uring.garbage%s", taker);
		actor_add(storm, 0, 0, by, "io_uring.storm%s", taker);
	}
}
