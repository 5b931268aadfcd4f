/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "sink/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/process.h"
#include "tests/unit/tap.h"

static char dir[] = "/tmp/kunai-stream-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static size_t file_size(const char *path)
{
	struct stat st;
	return stat(path, &st) < 0 ? 0 : (size_t)st.st_size;
}

static void test_file(void)
{
	const char *path = in_dir("made/events.log");
	struct stream s;
	struct stat st = {0};
	char text[32] = "";

	umask(022);
	ok(stream_open(&s, -1, path) == 0, "a file in a directory that is not there yet");
	stream_write(&s, "one\ntwo\n", 8);
	stream_close(&s);
	ok(stream_open(&s, -1, path) == 0, "opened again");
	stream_write(&s, "three\n", 6);
	ok(fcntl(s.fd, F_GETFD) & FD_CLOEXEC, "not inherited");
	stream_close(&s);
	stream_close(&s);
	int fd = open(path, O_RDONLY);
	ok(read(fd, text, sizeof(text) - 1) == 14, "14 bytes");
	close(fd);
	is_str(text, "one\ntwo\nthree\n", "appended");
	stat(path, &st);
	ok((st.st_mode & 07777) == 0600, "mode 0600");
	stat(in_dir("made"), &st);
	ok((st.st_mode & 07777) == 0700, "its directory 0700");
	unlink(in_dir("made/events.log"));
	rmdir(in_dir("made"));
}

static void test_unopenable(void)
{
	struct stream s;

	ok(stream_open(&s, -1, in_dir("a/b/c")) == -ENOENT, "only the last directory is made");
	ok(s.fd < 0, "and there is no descriptor");
	stream_close(&s);
	ok(stream_open(&s, -1, dir) == -EISDIR, "a directory is no file");
	ok(stream_open(&s, -1, "/proc/nothing/x") < 0, "nothing in /proc");
}

static void test_full_device(void)
{
	struct stream s;

	ok(stream_open(&s, -1, "/dev/full") == 0, "/dev/full opens");
	stream_write(&s, "one\ntwo\n", 8);
	is_u64(s.dropped, 2, "two lines dropped");
	is_u64((uint64_t)s.last_error, ENOSPC, "the reason is kept");
	ok(!s.closed && !s.partial_line, "it may work again, and no line is cut");
	stream_write(&s, "three\n", 6);
	is_u64(s.dropped, 3, "three");
	stream_close(&s);
}

/* A file system of a few pages, then room again: no line is cut in the middle, and every lost one is counted. */
static void test_full_file_system(void)
{
	enum { LINES = 1000 };
	const char *mount_point = in_dir("small");
	char line[] = "a line of 64 bytes, number 000000, padded to its length........\n";
	struct stream s;

	if (!mount_small(mount_point, "size=16384")) {
		ok(true, "a full file system # skip cannot mount: %s", strerror(errno));
		rmdir(mount_point);
		return;
	}
	char path[160], ballast[160];
	snprintf(path, sizeof(path), "%s/events", mount_point);
	snprintf(ballast, sizeof(ballast), "%s/ballast", mount_point);
	int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
	ok(ftruncate(fd, 0) == 0 && write(fd, path, 1) == 1, "a page is taken");
	close(fd);

	/* odd first bytes, so that the last page ends within a line */
	ok(stream_open(&s, -1, path) == 0, "opened");
	stream_write(&s, "odd\n", 4);
	for (unsigned i = 0; i < LINES; i++) {
		snprintf(line + 27, 7, "%06u", i);
		line[33] = ',';
		stream_write(&s, line, sizeof(line) - 1);
	}
	ok(s.dropped > 0 && s.last_error == ENOSPC && s.partial_line, "full within a line");
	unlink(ballast);
	stream_write(&s, "again\n", 6);
	ok(!s.partial_line, "the cut line was ended");

	FILE *f = fopen(path, "r");
	char got[128];
	unsigned whole = 0, cut = 0, again = 0;
	while (fgets(got, sizeof(got), f)) {
		if (strcmp(got, "again\n") == 0)
			again++;
		else if (strlen(got) == sizeof(line) - 1)
			whole++;
		else if (strcmp(got, "odd\n") != 0)
			cut++;
	}
	fclose(f);
	ok(again == 1 && cut == 1, "one line was cut, the next stands alone");
	is_u64(whole + s.dropped, LINES, "written and dropped are all");
	stream_close(&s);
	umount(mount_point);
	rmdir(mount_point);
}

static void test_closed_pipe(void)
{
	int ends[2];
	struct stream s = {0};

	signal(SIGPIPE, SIG_IGN);
	if (pipe(ends) < 0)
		abort();
	s.fd = ends[1];
	stream_write(&s, "one\n", 4);
	close(ends[0]);
	ok(!s.closed && s.dropped == 0, "a pipe takes a line");
	stream_write(&s, "two\nthree\n", 10);
	ok(s.closed && s.last_error == EPIPE, "its reader has gone");
	stream_write(&s, "four\n", 5);
	is_u64(s.dropped, 3, "three lines dropped");
	stream_close(&s);
	ok(write(ends[1], "", 0) == 0 || errno == EPIPE, "a standard stream stays open");
	close(ends[1]);
}

static void *read_slowly(void *context)
{
	const int *fd = context;
	char bytes[777];
	size_t total = 0;
	ssize_t n;

	while ((n = read(*fd, bytes, sizeof(bytes))) > 0) {
		total += (size_t)n;
		if (total % 5 == 0)
			usleep(100);
	}
	return (void *)total;
}

/* A pipe that does not block is waited for, or lines would be cut. */
static void test_slow_reader(void)
{
	enum { LINES = 20000 };
	int ends[2];
	pthread_t thread;
	struct stream s = {0};
	void *total;

	if (pipe2(ends, O_NONBLOCK) < 0)
		abort();
	fcntl(ends[0], F_SETFL, 0);
	s.fd = ends[1];
	pthread_create(&thread, NULL, read_slowly, &ends[0]);
	for (int i = 0; i < LINES; i++)
		stream_write(&s, "a line for a slow reader\n", 25);
	close(ends[1]);
	pthread_join(thread, &total);
	close(ends[0]);
	is_u64((size_t)total, LINES * 25, "every byte arrived");
	is_u64(s.dropped, 0, "nothing was dropped");
}

int main(void)
{
	if (!mkdtemp(dir))
		abort();
	test_file();
	test_unopenable();
	test_full_device();
	test_closed_pipe();
	test_slow_reader();
	test_full_file_system();
	ok(file_size(dir) > 0 && rmdir(dir) == 0, "nothing is left behind");
	return done_testing();
}
