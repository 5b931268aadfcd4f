/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "sink/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "sink/queue.h"
#include "sink/unix_socket.h"
#include "tests/support/process.h"
#include "tests/unit/tap.h"

enum { WAIT_MS = 10000 };

static char dir[] = "/tmp/kunai-outputs-XXXXXX";
static const char two[] = "{\"n\":1}\n{\"n\":2}\n";

static const char *in_dir(const char *name)
{
	static char paths[16][100];
	static unsigned int next;
	char *path = paths[next++ % 16];
	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static struct output_stats stats_of(const struct outputs *o, unsigned int i)
{
	struct output_stats stats;

	outputs_read_stats(o, i, &stats);
	return stats;
}

/* Until a sink has done for so many lines. */
static bool wait_done(const struct outputs *o, unsigned int i, uint64_t lines)
{
	for (int ms = 0; ms < WAIT_MS; ms++) {
		struct output_stats stats = stats_of(o, i);
		if (stats.written + stats.dropped >= lines)
			return true;
		usleep(1000);
	}
	return false;
}

/* A client that the sink, a thread of this process, has accepted: what is written from now on is for it, too. */
static int connect_client(void)
{
	int before = count_fds();
	int client = unix_socket_connect(in_dir("socket"), SOCK_STREAM);

	for (int ms = 0; client >= 0 && ms < WAIT_MS && count_fds() < before + 2; ms++)
		usleep(1000);
	return client;
}

static size_t read_file(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, ret, size - 1);

	close(fd);
	ret[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static int bind_datagrams(const char *path, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = WAIT_MS / 1000};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 1) < 0))
		abort();
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static bool receive(int fd, char *ret, size_t size)
{
	ssize_t n = recv(fd, ret, size - 1, 0);

	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void write_two(struct outputs *o)
{
	outputs_write(o, two, sizeof(two) - 1, NULL, 0);
}

/* RFC 5424: <PRI>1 TIMESTAMP HOST APP PROCID MSGID SD MSG */
static bool is_rfc5424(const char *text, const char *message)
{
	char stamp[64], host[256], app[32], id[32], data[8], rest[256];
	int pri, version, pid;

	if (sscanf(text, "<%d>%d %63s %255s %31s %d %31s %7s %255[^\n]", &pri, &version, stamp, host, app,
		   &pid, id, data, rest) != 9)
		return false;
	return pri == 30 && version == 1 && strlen(stamp) == 27 && stamp[10] == 'T' && stamp[26] == 'Z' &&
	       strcmp(app, "kunai") == 0 && pid == getpid() && strcmp(data, "-") == 0 &&
	       strcmp(rest, message) == 0;
}

static void test_several(void)
{
	char text[4096];
	struct outputs o;
	unsigned int failed;
	int syslog = bind_datagrams(in_dir("syslog"), SOCK_DGRAM);
	int journal = bind_datagrams(in_dir("journal"), SOCK_DGRAM);
	const struct output_spec specs[] = {
		{.kind = OUTPUT_FILE, .path = in_dir("events")},
		{.kind = OUTPUT_SOCKET, .path = in_dir("socket")},
		{.kind = OUTPUT_SYSLOG, .path = in_dir("syslog")},
		{.kind = OUTPUT_JOURNAL, .path = in_dir("journal")},
	};
	struct stat st = {0};

	ok(outputs_open(&o, specs, 4, &failed) == 0, "four sinks");
	stat(in_dir("socket"), &st);
	ok(S_ISSOCK(st.st_mode) && (st.st_mode & 07777) == 0600, "the socket has mode 0600");
	int reader = connect_client();
	ok(reader >= 0, "a reader of the socket");
	write_two(&o);
	size_t got = 0;
	while (got < sizeof(two) - 1 && receive(reader, text + got, sizeof(text) - got))
		got = strlen(text);
	is_str(text, two, "the socket has both lines");
	ok(receive(syslog, text, sizeof(text)) && is_rfc5424(text, "{\"n\":1}"), "syslog: the first: %s",
	   text);
	ok(receive(syslog, text, sizeof(text)) && is_rfc5424(text, "{\"n\":2}"), "syslog: the second");
	ok(receive(journal, text, sizeof(text)), "journal: a datagram");
	is_str(text, "SYSLOG_IDENTIFIER=kunai\nPRIORITY=6\nMESSAGE={\"n\":1}\n", "  the first line");
	receive(journal, text, sizeof(text));
	outputs_finish(&o);
	read_file(in_dir("events"), text, sizeof(text));
	is_str(text, two, "the file has both");
	for (unsigned int i = 0; i < 4; i++)
		is_u64(stats_of(&o, i).written, 2, stats_of(&o, i).name);
	is_u64(outputs_dropped(&o), 0, "nothing was dropped");
	outputs_close(&o);
	struct stat gone;
	ok(stat(in_dir("socket"), &gone) < 0, "the socket is removed");
	close(reader);
	close(syslog);
	close(journal);
	unlink(in_dir("syslog"));
	unlink(in_dir("journal"));
	unlink(in_dir("events"));
}

/* One line larger than any datagram: the journal gets a sealed file, syslog cannot take it. */
static void test_large(void)
{
	enum { SIZE = 16 << 20 };
	char *line = malloc(SIZE), *got = malloc(SIZE + 4096);
	struct outputs o;
	unsigned int failed;
	int syslog = bind_datagrams(in_dir("syslog"), SOCK_DGRAM);
	int journal = bind_datagrams(in_dir("journal"), SOCK_DGRAM);
	const struct output_spec specs[] = {
		{.kind = OUTPUT_JOURNAL, .path = in_dir("journal")},
		{.kind = OUTPUT_SYSLOG, .path = in_dir("syslog")},
	};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control)};
	int fd = -1;

	memset(line, 'x', SIZE);
	line[SIZE - 1] = '\n';
	ok(outputs_open(&o, specs, 2, &failed) == 0, "journal and syslog");
	outputs_write(&o, line, SIZE, NULL, 0);
	ok(recvmsg(journal, &message, 0) == 0 && CMSG_FIRSTHDR(&message),
	   "a datagram with a descriptor only");
	if (CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	ok(fcntl(fd, F_GET_SEALS) == (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), "sealed");
	ssize_t n = pread(fd, got, SIZE + 4096, 0);
	const char head[] = "SYSLOG_IDENTIFIER=kunai\nPRIORITY=6\nMESSAGE=";
	ok(n == (ssize_t)sizeof(head) - 1 + SIZE && memcmp(got, head, sizeof(head) - 1) == 0 &&
		   memcmp(got + sizeof(head) - 1, line, SIZE) == 0,
	   "with the whole line");
	close(fd);
	ok(wait_done(&o, 1, 1), "syslog is done with it");
	is_u64(stats_of(&o, 1).dropped, 1, "  and could not take it");
	is_u64((uint64_t)stats_of(&o, 1).drop_error, EMSGSIZE, "  for its size");
	write_two(&o);
	ok(receive(syslog, got, 4096) && is_rfc5424(got, "{\"n\":1}"), "  but goes on");
	outputs_close(&o);
	close(syslog);
	close(journal);
	unlink(in_dir("syslog"));
	unlink(in_dir("journal"));
	free(line);
	free(got);
}

static void test_syslog_comes_and_goes(void)
{
	char text[512];
	struct outputs o;
	unsigned int failed;
	const struct output_spec spec = {.kind = OUTPUT_SYSLOG, .path = in_dir("syslog")};

	ok(outputs_open(&o, &spec, 1, &failed) == 0, "a logger that is not there yet");
	write_two(&o);
	for (int i = 0; i < WAIT_MS && !stats_of(&o, 0).error; i++)
		usleep(1000);
	is_u64((uint64_t)stats_of(&o, 0).error, ENOENT, "is told");
	int syslog = bind_datagrams(in_dir("syslog"), SOCK_DGRAM);
	ok(receive(syslog, text, sizeof(text)) && is_rfc5424(text, "{\"n\":1}"),
	   "when it is there it gets what waits");
	receive(syslog, text, sizeof(text));
	close(syslog);
	unlink(in_dir("syslog"));
	write_two(&o);
	usleep(20000);
	int listener = bind_datagrams(in_dir("syslog"), SOCK_STREAM);
	int peer = accept(listener, NULL, NULL);
	size_t got = 0;
	memset(text, 0, sizeof(text));
	for (ssize_t n; got < 100 && (n = recv(peer, text + got, sizeof(text) - 1 - got, 0)) > 0;)
		got += (size_t)n;
	ok(is_rfc5424(text, "{\"n\":1}") && strchr(text, '\n'), "one that wants a stream: a line each");
	is_u64(outputs_dropped(&o), 0, "nothing was dropped");
	outputs_close(&o);
	close(peer);
	close(listener);
	unlink(in_dir("syslog"));
}

struct late_reader {
	int fds[2];
	unsigned int want, got[2];
};

/* When the end has been asked for, most likely: nothing depends on it. */
static void *read_late(void *context)
{
	struct late_reader *r = context;
	char byte;

	usleep(100000);
	for (int i = 0; i < 2; i++)
		while (r->got[i] < r->want && recv(r->fds[i], &byte, 1, 0) == 1)
			r->got[i]++;
	return NULL;
}

/* More than a socket takes waits at the end. */
static void test_late_readers(void)
{
	enum { LINES = 61, SIZE = 60000 };
	static char line[SIZE];
	const struct timeval patience = {.tv_sec = 10};
	struct late_reader r = {.want = LINES};
	pthread_t thread;
	struct outputs o;
	unsigned int failed;
	const struct output_spec specs[] = {
		{.kind = OUTPUT_SYSLOG, .path = in_dir("syslog")},
		{.kind = OUTPUT_JOURNAL, .path = in_dir("journal")},
	};

	memset(line, 'x', SIZE);
	line[SIZE - 1] = '\n';
	for (int i = 0; i < 2; i++) {
		r.fds[i] = bind_datagrams(specs[i].path, SOCK_DGRAM);
		setsockopt(r.fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	}
	ok(outputs_open(&o, specs, 2, &failed) == 0, "journal and syslog that are behind");
	for (int i = 0; i < LINES; i++)
		outputs_write(&o, line, SIZE, NULL, 0);
	pthread_create(&thread, NULL, read_late, &r);
	outputs_finish(&o);
	for (unsigned int i = 0; i < 2; i++)
		is_u64(stats_of(&o, i).written, LINES, "what waits is sent at the end");
	outputs_close(&o);
	pthread_join(thread, NULL);
	for (int i = 0; i < 2; i++) {
		is_u64(r.got[i], LINES, "  and received");
		close(r.fds[i]);
		unlink(specs[i].path);
	}
}

/* A reader of the socket that reads nothing, a pipe and a syslog nobody reads: none holds up the file. */
static void test_stuck(void)
{
	enum { CHUNKS = 400, LINES = 100 };
	static char lines[LINES * 1000];
	int ends[2];
	struct outputs o;
	unsigned int failed;
	const struct output_spec specs[] = {
		{.kind = OUTPUT_FILE, .path = in_dir("events")},
		{.kind = OUTPUT_SOCKET, .path = in_dir("socket")},
		{.kind = OUTPUT_FILE, .path = in_dir("fifo")},
		{.kind = OUTPUT_SYSLOG, .path = in_dir("syslog")},
	};
	struct timespec began, ended;

	memset(lines, 'x', sizeof(lines));
	for (size_t i = 999; i < sizeof(lines); i += 1000)
		lines[i] = '\n';
	mkfifo(in_dir("fifo"), 0600);
	ends[0] = open(in_dir("fifo"), O_RDWR);
	int syslog = bind_datagrams(in_dir("syslog"), SOCK_DGRAM);
	ok(outputs_open(&o, specs, 4, &failed) == 0, "a file, a socket, a pipe and syslog");
	int reader = connect_client();
	for (int i = 0; i < CHUNKS; i++) {
		outputs_write(&o, lines, sizeof(lines), NULL, 0);
		if (i % 50 == 49)
			wait_done(&o, 0, (uint64_t)(i + 1) * LINES);
	}
	ok(wait_done(&o, 0, CHUNKS * LINES) && stats_of(&o, 0).dropped == 0, "the file has every line");
	ok(wait_done(&o, 1, CHUNKS * LINES) && stats_of(&o, 1).dropped > 0,
	   "the socket's reader missed some");
	ok(stats_of(&o, 2).dropped > 0 && stats_of(&o, 2).waiting > 0, "the pipe's reader, too; some wait");
	is_u64((uint64_t)stats_of(&o, 2).drop_error, EAGAIN, "  because it is too slow");
	ok(!outputs_are_closed(&o), "none has closed");
	clock_gettime(CLOCK_MONOTONIC, &began);
	outputs_finish(&o);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	ok(ended.tv_sec - began.tv_sec < (getenv("KUNAI_TEST_SLOW") ? 120 : 20), "and the end comes in time");
	struct output_stats stats = stats_of(&o, 2);
	is_u64(stats.written + stats.dropped, CHUNKS * LINES, "written and dropped are all");
	stats = stats_of(&o, 3);
	is_u64(stats.written + stats.dropped, CHUNKS * LINES, "of syslog, too");
	ok(stats.dropped > 0, "  which dropped some");
	stats = stats_of(&o, 1);
	is_u64(stats.written + stats.dropped, CHUNKS * LINES, "and of the socket");
	outputs_close(&o);
	close(syslog);
	unlink(in_dir("syslog"));
	size_t got = 0;
	for (ssize_t n; (n = read(reader, lines, sizeof(lines))) > 0;)
		got += (size_t)n;
	is_u64(got / 1000, stats.written, "  and its reader has what was written to it");
	close(reader);
	close(ends[0]);
	unlink(in_dir("events"));
	unlink(in_dir("fifo"));
}

static void test_closed_pipe(void)
{
	int ends[2], kept = dup(1);
	struct outputs o;
	unsigned int failed;
	const struct output_spec specs[] = {
		{.kind = OUTPUT_STANDARD, .standard = 1, .path = "/dev/stdout"},
		{.kind = OUTPUT_SOCKET, .path = in_dir("socket")},
	};

	fflush(stdout);
	if (pipe2(ends, O_CLOEXEC) < 0 || dup2(ends[1], 1) < 0)
		abort();
	close(ends[1]);
	int two_err = outputs_open(&o, specs, 2, &failed);
	close(ends[0]);
	struct pollfd fd = outputs_pollfd(&o);
	int woken = poll(&fd, 1, WAIT_MS);
	bool closed = outputs_are_closed(&o), first = stats_of(&o, 0).closed;
	write_two(&o);
	uint64_t dropped = stats_of(&o, 0).dropped;
	outputs_close(&o);

	/* alone */
	if (pipe2(ends, O_CLOEXEC) < 0 || dup2(ends[1], 1) < 0)
		abort();
	close(ends[1]);
	int one_err = outputs_open(&o, specs, 1, &failed);
	close(ends[0]);
	fd = outputs_pollfd(&o);
	int woken_alone = poll(&fd, 1, WAIT_MS);
	outputs_check(&o, fd.revents);
	bool closed_alone = outputs_are_closed(&o);
	outputs_close(&o);
	dup2(kept, 1);
	close(kept);

	ok(two_err == 0 && one_err == 0, "opened");
	ok(woken == 1 && first && !closed, "a closed pipe beside another sink is told, and not the end");
	is_u64(dropped, 2, "its lines are counted");
	ok(woken_alone == 1 && closed_alone, "as the only sink it is");
}

static void test_text(void)
{
	char text[256];
	struct outputs o;
	unsigned int failed;
	const struct output_spec specs[] = {
		{.kind = OUTPUT_FILE, .path = in_dir("json")},
		{.kind = OUTPUT_FILE, .path = in_dir("text"), .text = true},
	};

	ok(outputs_open(&o, specs, 2, &failed) == 0, "two files");
	outputs_write(&o, "{}\n", 3, "for people\n", 11);
	outputs_finish(&o);
	outputs_close(&o);
	read_file(in_dir("json"), text, sizeof(text));
	is_str(text, "{}\n", "one gets JSON");
	read_file(in_dir("text"), text, sizeof(text));
	is_str(text, "for people\n", "the other one what people read");
	unlink(in_dir("json"));
	unlink(in_dir("text"));
}

static void test_refused(void)
{
	struct outputs o;
	unsigned int failed;
	struct output_spec specs[] = {
		{.kind = OUTPUT_FILE, .path = in_dir("events")},
		{.kind = OUTPUT_SOCKET, .path = in_dir("events")},
	};

	ok(outputs_open(&o, specs, 2, &failed) == -EADDRINUSE && failed == 1,
	   "a file is not replaced by a socket");
	int stale = bind_datagrams(in_dir("socket"), SOCK_STREAM);
	close(stale);
	specs[1].path = in_dir("socket");
	ok(outputs_open(&o, specs, 2, &failed) == 0, "a socket that nobody listens at is");
	struct outputs other;
	ok(outputs_open(&other, &specs[1], 1, &failed) == -EADDRINUSE, "one that is listened at is not");
	outputs_close(&o);
	unlink(in_dir("events"));
}

/* Full, and room again: what waited is written. */
static void test_recovery(void)
{
	const char *mount_point = in_dir("small");
	static char lines[60 * 1000];
	struct outputs o;
	unsigned int failed;

	if (!mount_small(mount_point, "size=65536")) {
		ok(true, "a full file system # skip cannot mount: %s", strerror(errno));
		rmdir(mount_point);
		return;
	}
	memset(lines, 'x', sizeof(lines));
	for (size_t i = 999; i < sizeof(lines); i += 1000)
		lines[i] = '\n';
	const struct output_spec spec = {.kind = OUTPUT_FILE, .path = in_dir("small/events")};
	ok(outputs_open(&o, &spec, 1, &failed) == 0, "opened");
	outputs_write(&o, lines, sizeof(lines), NULL, 0);
	outputs_write(&o, lines, sizeof(lines), NULL, 0);
	for (int i = 0; i < WAIT_MS && !stats_of(&o, 0).error; i++)
		usleep(1000);
	is_u64((uint64_t)stats_of(&o, 0).error, ENOSPC, "full, which is told");
	is_u64(outputs_dropped(&o), 0, "nothing is lost yet");
	ok(mount("kunai-test", mount_point, "tmpfs", MS_REMOUNT, "size=1048576") == 0, "there is room again");
	ok(wait_done(&o, 0, 120), "and all is written");
	is_u64((uint64_t)stats_of(&o, 0).error, 0, "it works again");
	for (int i = 0; i < 1200; i++)
		outputs_write(&o, lines, sizeof(lines), NULL, 0);
	ok(outputs_dropped(&o) > 0, "full for long: what the queue does not hold is dropped");
	outputs_finish(&o);
	struct output_stats stats = stats_of(&o, 0);
	is_u64(stats.written + stats.dropped, 120 + 1200 * 60, "written and dropped are all");
	outputs_close(&o);
	struct stat st;
	stat(in_dir("small/events"), &st);
	is_u64((uint64_t)st.st_size, stats.written * 1000, "and what is written is there, in whole lines");
	umount(mount_point);
	rmdir(mount_point);
}

int main(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGPIPE);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	if (!mkdtemp(dir))
		abort();
	test_several();
	test_large();
	test_syslog_comes_and_goes();
	test_late_readers();
	test_stuck();
	test_closed_pipe();
	test_text();
	test_refused();
	test_recovery();
	ok(rmdir(dir) == 0, "nothing is left behind");
	return done_testing();
}
