/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Workloads whose cost is compared with and without a sensor. Each argument is NAME:N; for each one line:
 *   workload=NAME n=N elapsed_us=E cpu_us=C
 * cpu_us is what this process and its reaped children used. The operations are fixed: figures of other
 * sensors were measured with exactly these.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	FILE_SIZE = 512,
	MESSAGE_SIZE = 64,
	DATAGRAM_MAX = 512,
	DNS_HEADER_SIZE = 12,
	BACKLOG = 64,
};

extern char **environ;

/* Programs that workloads start lie beside this one. */
static char directory[512];

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(2);
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	return pid;
}

static void run_exec(long n)
{
	char path[600];
	char *argv[] = {path, "--bench", NULL};

	snprintf(path, sizeof(path), "%s/true", directory);
	for (long i = 0; i < n; i++) {
		int status;
		pid_t pid = start_child();
		if (pid == 0) {
			execve(path, argv, environ);
			_exit(127);
		}
		must(waitpid(pid, &status, 0) == pid && status == 0, path);
	}
}

static void run_fork(long n)
{
	for (long i = 0; i < n; i++) {
		pid_t pid = start_child();
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

/* Create, write, close, rename, unlink. */
static void run_file(long n)
{
	char dir[64], from[96], to[96], content[FILE_SIZE];

	snprintf(dir, sizeof(dir), "/tmp/bfile.%d", getpid());
	mkdir(dir, 0700);
	memset(content, 'x', sizeof(content));
	for (long i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "%s/f%ld", dir, i);
		snprintf(to, sizeof(to), "%s/g%ld", dir, i);
		int fd = open(from, O_CREAT | O_WRONLY | O_TRUNC, 0600);
		must(fd >= 0, from);
		must(write(fd, content, sizeof(content)) == sizeof(content), "write");
		close(fd);
		must(rename(from, to) == 0, from);
		must(unlink(to) == 0, to);
	}
	rmdir(dir);
}

/* Open, read and close of a file that exists. */
static void run_open(long n)
{
	char start[64];

	for (long i = 0; i < n; i++) {
		int fd = open("/proc/self/exe", O_RDONLY);
		must(fd >= 0, "open");
		must(read(fd, start, sizeof(start)) >= 0, "read");
		close(fd);
	}
}

static void serve_tcp(int listener, long n)
{
	char message[MESSAGE_SIZE];

	for (long i = 0; i < n; i++) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			_exit(1);
		if (recv(fd, message, sizeof(message), MSG_WAITALL) > 0)
			send(fd, message, sizeof(message), 0);
		recv(fd, message, 1, 0); /* the client closes first */
		close(fd);
	}
	_exit(0);
}

/* Connect, send 64, receive 64, close, against a server in a child. */
static void run_tcp(long n)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct linger reset = {1, 0}; /* RST at close: no heap of TIME_WAIT */
	socklen_t size = sizeof(address);
	char message[MESSAGE_SIZE];
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	must(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	must(listen(listener, BACKLOG) == 0, "listen");
	must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
	pid_t server = start_child();
	memset(message, 'y', sizeof(message));
	if (server == 0)
		serve_tcp(listener, n);

	for (long i = 0; i < n; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
		send(fd, message, sizeof(message), 0);
		must(recv(fd, message, sizeof(message), MSG_WAITALL) == sizeof(message), "recv");
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	waitpid(server, NULL, 0);
	close(listener);
}

/* Port 53 if it is free, so that a sensor may take it for DNS; else another one. */
static void bind_dns(int fd, struct sockaddr_in *address)
{
	static const uint16_t ports[] = {53, 5353, 0};
	socklen_t size = sizeof(*address);

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		address->sin_port = htons(ports[i]);
		if (bind(fd, (struct sockaddr *)address, sizeof(*address)) == 0) {
			getsockname(fd, (struct sockaddr *)address, &size);
			return;
		}
	}
	must(0, "bind");
}

static void serve_dns(int fd, long n)
{
	unsigned char message[DATAGRAM_MAX];

	for (long i = 0; i < n; i++) {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		ssize_t len = recvfrom(fd, message, sizeof(message), 0, (struct sockaddr *)&from, &size);
		if (len < DNS_HEADER_SIZE)
			_exit(1);
		message[2] |= 0x80; /* QR: this is an answer */
		sendto(fd, message, (size_t)len, 0, (struct sockaddr *)&from, size);
	}
	_exit(0);
}

/* One socket a query, as a resolver does: socket, connect, send, receive, close. */
static void run_udp(long n)
{
	static const unsigned char query[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
					     "\x05"
					     "bench\x07"
					     "example\x00\x00\x01\x00\x01";
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned char answer[DATAGRAM_MAX];
	int server_fd = socket(AF_INET, SOCK_DGRAM, 0);

	bind_dns(server_fd, &address);
	pid_t server = start_child();
	if (server == 0)
		serve_dns(server_fd, n);

	for (long i = 0; i < n; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);
		must(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
		must(send(fd, query, sizeof(query) - 1, 0) >= 0, "send");
		must(recv(fd, answer, sizeof(answer), 0) >= DNS_HEADER_SIZE, "recv");
		close(fd);
	}
	waitpid(server, NULL, 0);
	close(server_fd);
}

/* From here: many system calls that mean nothing to a sensor. */

static void run_getppid(long n)
{
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
}

static void read_often(const char *path, long n)
{
	char bytes[MESSAGE_SIZE];
	int fd = open(path, O_RDONLY);

	for (long i = 0; i < n; i++)
		must(read(fd, bytes, sizeof(bytes)) == sizeof(bytes), "read");
	close(fd);
}

static void write_often(const char *path, int flags, long n)
{
	char bytes[MESSAGE_SIZE] = {0};
	int fd = open(path, O_WRONLY | flags, 0600);

	for (long i = 0; i < n; i++)
		must(write(fd, bytes, sizeof(bytes)) == sizeof(bytes), "write");
	close(fd);
}

static void run_read(long n)
{
	read_often("/dev/zero", n);
}

static void run_write(long n)
{
	write_often("/dev/null", 0, n);
}

/* One regular file over and over: only the first time is an event. */
static void run_reread(long n)
{
	write_often("/tmp/reread", O_CREAT | O_TRUNC, n);
	read_often("/tmp/reread", n);
	unlink("/tmp/reread");
}

static void run_rewrite(long n)
{
	write_often("/tmp/rewrite", O_CREAT | O_TRUNC, n);
	unlink("/tmp/rewrite");
}

static void run_futex(long n)
{
	static int word;

	for (long i = 0; i < n; i++)
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* No system call at all: shows whether the sensor competes for the CPU. */
static void run_cpu(long n)
{
	volatile uint64_t x = 1;

	for (long i = 0; i < n * 1000; i++)
		x = x * 6364136223846793005U + 1;
}

static void run_mix(long n)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/mix.sh", directory);
	for (long i = 0; i < n; i++) {
		int status;
		pid_t pid = start_child();
		if (pid == 0) {
			execl("/bin/sh", "sh", path, directory, (char *)NULL);
			_exit(127);
		}
		must(waitpid(pid, &status, 0) == pid && status == 0, path);
	}
}

static const struct workload {
	const char *name;
	void (*run)(long n);
} workloads[] = {
	{"exec", run_exec},     {"fork", run_fork},       {"file", run_file},     {"open", run_open},
	{"tcp", run_tcp},       {"udp", run_udp},         {"read", run_read},     {"write", run_write},
	{"mix", run_mix},       {"getppid", run_getppid}, {"cpu", run_cpu},       {"futex", run_futex},
	{"reread", run_reread}, {"rewrite", run_rewrite}, {"mix_again", run_mix},
};

static const struct workload *find_workload(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++)
		if (strlen(workloads[i].name) == len && memcmp(workloads[i].name, name, len) == 0)
			return &workloads[i];
	return NULL;
}

static int64_t clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static int64_t cpu_us(void)
{
	int64_t sum = 0;

	for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
		struct rusage u;
		getrusage(who, &u);
		sum += (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec +
		       u.ru_stime.tv_usec;
	}
	return sum;
}

static void run_workload(const struct workload *w, long n)
{
	int64_t cpu = cpu_us(), started = clock_us();

	w->run(n);
	int64_t ended = clock_us();
	printf("workload=%s n=%ld elapsed_us=%lld cpu_us=%lld\n", w->name, n, (long long)(ended - started),
	       (long long)(cpu_us() - cpu));
	fflush(stdout);
}

static void find_directory(void)
{
	ssize_t len = readlink("/proc/self/exe", directory, sizeof(directory) - 1);

	must(len > 0, "/proc/self/exe");
	directory[len] = '\0';
	*strrchr(directory, '/') = '\0';
}

int main(int argc, char **argv)
{
	find_directory();
	signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < argc; i++) {
		const char *colon = strchr(argv[i], ':');
		const struct workload *w = colon ? find_workload(argv[i], (size_t)(colon - argv[i])) : NULL;
		if (!w || atol(colon + 1) <= 0) {
			fprintf(stderr, "workloads: %s is no NAME:N\n", argv[i]);
			return 1;
		}
		run_workload(w, atol(colon + 1));
	}
	return 0;
}
