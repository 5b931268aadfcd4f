/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * observe PID FILE COMMAND...: runs the command, waits until FILE, the sensor's output, is quiet, and prints
 * what the sensor used meanwhile: sensor_us=CPU lines=EVENTS
 *
 * The CPU time is the sum of /proc/PID/task/.../schedstat: what utime+stime is scaled to, in nanoseconds
 * instead of clock ticks of 10 ms, which are longer than some of these workloads.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	POLL_MS = 20,
	QUIET_POLLS = 15,    /* 300 ms, well beyond the sensor's slowest timer */
	POLLS_MAX = 60 * 50, /* a sensor that never is quiet is measured for a minute */
};

static uint64_t thread_cpu_ns(const char *pid, const char *tid)
{
	char path[300];
	unsigned long long ns = 0;

	snprintf(path, sizeof(path), "/proc/%s/task/%s/schedstat", pid, tid);
	FILE *f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return ns;
}

static uint64_t sensor_cpu_ns(const char *pid)
{
	char path[64];
	uint64_t sum = 0;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	DIR *d = opendir(path);
	if (!d)
		return 0;
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		if (e->d_name[0] != '.')
			sum += thread_cpu_ns(pid, e->d_name);
	closedir(d);
	return sum;
}

static off_t file_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_size : 0;
}

static void wait_quiet(int fd)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	off_t size = file_size(fd);
	int quiet = 0;

	for (int i = 0; i < POLLS_MAX && quiet < QUIET_POLLS; i++) {
		nanosleep(&pause, NULL);
		off_t now = file_size(fd);
		quiet = now == size ? quiet + 1 : 0;
		size = now;
	}
}

static uint64_t count_lines(int fd, off_t from)
{
	char bytes[65536];
	uint64_t lines = 0;

	for (;;) {
		ssize_t n = pread(fd, bytes, sizeof(bytes), from);
		if (n <= 0)
			return lines;
		for (const char *p = bytes; (p = memchr(p, '\n', (size_t)(bytes + n - p))); p++)
			lines++;
		from += n;
	}
}

static int run_command(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	return pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	int fd = argc > 3 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0) {
		fprintf(stderr, "usage: observe PID FILE COMMAND...\n");
		return 1;
	}
	wait_quiet(fd);
	off_t before = file_size(fd);
	uint64_t ns = sensor_cpu_ns(argv[1]);
	if (run_command(argv + 3)) {
		fprintf(stderr, "observe: %s failed\n", argv[3]);
		return 1;
	}
	wait_quiet(fd);
	ns = sensor_cpu_ns(argv[1]) - ns;
	printf("sensor_us=%.3f lines=%llu\n", (double)ns / 1e3, (unsigned long long)count_lines(fd, before));
	close(fd);
	return 0;
}
