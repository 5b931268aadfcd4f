/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long an event takes from the kernel to the sensor's output, and how many of a burst arrive. Files are created whose
 * names tell when; the other end of the sensor's output compares.
 *
 *   flow DIRECTORY RATE COUNT WRITERS -- SENSOR ARGS...
 *
 * RATE is in files a second, of each writer; 0: as fast as they can. Prints "sent=N created_ns=N seen=N lost=N median_ns=N
 * p99_ns=N max_ns=N cpu_ns=N rss_kb=N own_kb=N start_ns=N"; own_kb is memory that no file and no ring is behind, at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define MARK   "/flow-" /* before the time in a file's name */

enum {
	QUIET_MS = 15000,
	SETTLE_S = 2,
	START_MS = 60000,
	END_MS = 30000,
	LINE_MAX_LEN = 1 << 16,
	WRITERS_MAX = 64
};

struct flow {
	const char *directory;
	uint64_t rate, count, writers;
	int out;        /* of the sensor */
	uint64_t *ends; /* of each writer, shared with them */
	uint64_t *latencies;
	uint64_t seen, lost;
	char line[LINE_MAX_LEN];
	size_t line_len;
};

static void fail(const char *what)
{
	fprintf(stderr, "flow: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* ---- the files ---- */

static void wait_until(uint64_t when)
{
	const struct timespec t = {(time_t)(when / SECOND), (long)(when % SECOND)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* Names are removed as soon as they are made: a directory of a hundred thousand files is not what is measured. */
static void write_files(const struct flow *f, unsigned writer)
{
	uint64_t begun = now();
	char path[512];

	for (uint64_t i = 0; i < f->count; i++) {
		if (f->rate)
			wait_until(begun + i * SECOND / f->rate);
		snprintf(path, sizeof(path), "%s" MARK "%020" PRIu64 "-%u", f->directory, now(), writer);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			fail(path);
		close(fd);
		unlink(path);
	}
	f->ends[writer] = now();
}

static void start_writers(const struct flow *f)
{
	for (unsigned i = 0; i < f->writers; i++) {
		if (fork() == 0) {
			write_files(f, i);
			_exit(0);
		}
	}
}

/* ---- what the sensor says ---- */

static void take_line(struct flow *f, uint64_t at)
{
	const char *mark = strstr(f->line, MARK), *lost = strstr(f->line, "\"lost\":");

	if (mark) {
		if (f->seen < f->count * f->writers)
			f->latencies[f->seen] = at - strtoull(mark + strlen(MARK), NULL, 10);
		f->seen++;
	} else if (lost) {
		f->lost = strtoull(lost + strlen("\"lost\":"), NULL, 10);
	}
}

static void take(struct flow *f, const char *text, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n') {
			f->line[f->line_len] = '\0';
			take_line(f, at);
			f->line_len = 0;
		} else if (f->line_len < LINE_MAX_LEN - 1) {
			f->line[f->line_len++] = text[i];
		}
	}
}

/* Returns false at the end of the output, or when there was none for so long. */
static bool read_output(struct flow *f, int wait_ms)
{
	static char text[1 << 20];
	struct pollfd p = {.fd = f->out, .events = POLLIN};

	if (poll(&p, 1, wait_ms) <= 0)
		return false;
	ssize_t n = read(f->out, text, sizeof(text));
	if (n > 0)
		take(f, text, (size_t)n, now());
	return n > 0;
}

static pid_t start_sensor(struct flow *f, char **command)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		fail("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execv(command[0], command);
		fail(command[0]);
	}
	close(ends[1]);
	f->out = ends[0];
	fcntl(f->out, F_SETPIPE_SZ, 1 << 20);
	return pid;
}

/* ---- the result ---- */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t quantile(const struct flow *f, uint64_t n, double q)
{
	return n ? f->latencies[(uint64_t)((double)(n - 1) * q)] : 0;
}

/* A line of /proc/PID/status, in KiB. */
static uint64_t status_kb(pid_t pid, const char *key)
{
	char path[64], line[256];
	uint64_t kb = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			kb = strtoull(line + strlen(key), NULL, 10);
	if (file)
		fclose(file);
	return kb;
}

/* What a process has used of processors so far. */
static uint64_t cpu_of(pid_t pid)
{
	struct timespec t = {0};
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t) < 0)
		fail("the sensor's clock");
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void print_latencies(struct flow *f)
{
	uint64_t sent = f->count * f->writers, n = f->seen < sent ? f->seen : sent;

	qsort(f->latencies, n, sizeof(*f->latencies), compare);
	printf(" seen=%" PRIu64 " lost=%" PRIu64 " median_ns=%" PRIu64 " p99_ns=%" PRIu64 " max_ns=%" PRIu64,
	       f->seen, f->lost, quantile(f, n, 0.5), quantile(f, n, 0.99), quantile(f, n, 1));
}

static void run(struct flow *f, pid_t sensor, uint64_t start_ns)
{
	uint64_t begun = now(), cpu = cpu_of(sensor), ended = 0;
	int status;

	start_writers(f);
	while (f->seen < f->count * f->writers && read_output(f, QUIET_MS))
		;
	sleep(SETTLE_S);
	cpu = cpu_of(sensor) - cpu;
	uint64_t rss = status_kb(sensor, "VmRSS:"), own = status_kb(sensor, "RssAnon:");
	kill(sensor, SIGTERM);
	while (read_output(f, END_MS))
		;
	if (waitpid(sensor, &status, 0) < 0 || status != 0)
		fail("the sensor's end");
	for (uint64_t i = 0; i < f->writers; i++) {
		if (!f->ends[i])
			fail("a writer's end");
		ended = f->ends[i] > ended ? f->ends[i] : ended;
	}
	printf("sent=%" PRIu64 " created_ns=%" PRIu64, f->count * f->writers, ended - begun);
	print_latencies(f);
	printf(" cpu_ns=%" PRIu64 " rss_kb=%" PRIu64 " own_kb=%" PRIu64 " start_ns=%" PRIu64 "\n", cpu, rss,
	       own, start_ns);
}

int main(int argc, char **argv)
{
	static struct flow f;

	if (argc < 7 || strcmp(argv[5], "--") != 0) {
		fprintf(stderr, "usage: flow DIRECTORY RATE COUNT WRITERS -- SENSOR ARGS...\n");
		return 2;
	}
	f.directory = argv[1];
	f.rate = strtoull(argv[2], NULL, 10);
	f.count = strtoull(argv[3], NULL, 10);
	f.writers = strtoull(argv[4], NULL, 10);
	f.latencies = f.writers <= WRITERS_MAX ? calloc(f.count * f.writers + 1, sizeof(*f.latencies)) : NULL;
	f.ends = mmap(NULL, WRITERS_MAX * sizeof(*f.ends), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (!f.latencies || f.ends == MAP_FAILED)
		fail("so many files");
	uint64_t begun = now();
	pid_t sensor = start_sensor(&f, argv + 6);
	if (!read_output(&f, START_MS))
		fail("the sensor's first line");
	run(&f, sensor, now() - begun);
	return 0;
}
