/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a request for a scan to the event: what is read, when, in which order, and what is told when it is not. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "enrich/file_scans.h"
#include "tests/support/tree.h"
#include "tests/unit/tap.h"

enum { HOST = 100, PID = 10, WAIT_MS = 60000, MIB = 1 << 20 };

/* ---- an engine whose rules are a text: files that begin with it match ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static size_t matched_bytes;
static char matcher_caps[32];

static void *share(void *rules)
{
	return rules;
}

static void release(void *rules)
{
	(void)rules;
}

static void *matcher_new(void *rules)
{
	return rules;
}

static void matcher_free(void *matcher)
{
	(void)matcher;
}

static void read_caps(void)
{
	char line[128];
	FILE *f = fopen("/proc/thread-self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "CapEff: %31s", matcher_caps);
	if (f)
		fclose(f);
}

static void match(void *matcher, const struct content *content, struct findings *ret)
{
	const char *rules = matcher;

	pthread_mutex_lock(&gate);
	matched_bytes = content->len;
	read_caps();
	pthread_mutex_unlock(&gate);
	if (content->len >= strlen(rules) && memcmp(content->bytes, rules, strlen(rules)) == 0) {
		ret->names = malloc(sizeof("first\0second"));
		memcpy(ret->names, "first\0second", sizeof("first\0second"));
		ret->size = sizeof("first\0second");
		ret->count = 2;
	}
}

static const struct content_engine engine = {share, release, matcher_new, matcher_free, match};

/* ---- requests ---- */

static struct mount_ns_table *namespaces;
static struct file_scans *scans;
static struct arena arena, request_arena;
static char attack[] = "attack", other[] = "other";

static void make_event(struct event *ret, uint64_t time)
{
	static struct wire_header wire;

	event_make(ret, EVENT_write_close, &request_arena);
	wire.task.tgid = PID;
	wire.task.mnt_ns = HOST;
	wire.time = time;
	ret->wire = &wire;
	ret->info.utc_time = time;
	ret->info.host.name = arena_printf(&request_arena, "host%d", (int)time);
	memset(ret->info.event.uuid.bytes, (int)time, 16);
}

static struct scan_target target(const char *path)
{
	return (struct scan_target){.shown = str_of(path), .raw = str_of(path), .fd = -1};
}

static void request(const struct scan_target *targets, uint32_t count, uint64_t time, void *rules)
{
	struct event e;

	make_event(&e, time);
	file_scans_request(scans, namespaces, &e, targets, count, rules);
	arena_reset(&request_arena);
}

static bool await_next(struct event *ret)
{
	struct pollfd fd = {.fd = file_scans_fd(scans), .events = POLLIN};

	arena_reset(&arena);
	while (!file_scans_next(scans, &arena, ret))
		if (poll(&fd, 1, WAIT_MS) != 1)
			return false;
	return true;
}

static const struct data_file_scan *scan_one(struct scan_target t, void *rules)
{
	static struct event e;

	request(&t, 1, 1, rules);
	if (!await_next(&e))
		abort();
	return &e.data.file_scan;
}

/* Time stamps tell nothing for a while after a change. */
static void settle(void)
{
	usleep(60000);
}

static bool is(struct str got, const char *want)
{
	if (!str_eq(got, str_of(want)))
		printf("# got %.*s\n", STR_ARG(got));
	return str_eq(got, str_of(want));
}

static void test_content(void)
{
	struct event e;
	struct scan_target targets[] = {target("/a"), target("/b")};

	write_file(at("root/a"), "attack!\n");
	write_file(at("root/b"), "nothing");
	request(targets, 2, 7, attack);
	ok(await_next(&e), "a file is scanned");
	const struct data_file_scan *d = &e.data.file_scan;
	ok(e.type == EVENT_file_scan && e.info.event.id == 500 && is(e.info.event.name, "file_scan"),
	   "its event");
	ok(is(e.info.host.name, "host7") && e.info.utc_time == 7, "has the info of its source");
	ok(d->source_event.bytes[0] == 7 && d->source_event.bytes[15] == 7, "and the source's uuid");
	ok(e.wire && e.wire->task.tgid == PID, "and its task, for what a rule may do");
	ok(is(d->path, "/a") && d->meta.size == 8, "path and size");
	ok(is(d->meta.sha256, "1c68bd81acf8cec18c8bdf2f1e1236ceed60239c9aec59131cdb51914c04efd6"), "digests");
	ok(is(d->meta.magic, "ASCII text") && !d->meta.error.p && !d->scan_error.p, "type, and no errors");
	ok(d->positives == 2 && d->signatures.n == 2 && is(d->signatures.v[0], "first") &&
		   is(d->signatures.v[1], "second"),
	   "what matched");
	ok(await_next(&e) && is(e.data.file_scan.path, "/b"), "then the second file");
	ok(e.data.file_scan.positives == 0 && e.data.file_scan.signatures.n == 0, "nothing matched");
	ok(strspn(matcher_caps, "0") == strlen(matcher_caps) && matcher_caps[0],
	   "by a thread without capabilities");
	d = scan_one(target("/a"), NULL);
	ok(d->positives == 0 && d->meta.sha256.len == 64 && !d->scan_error.p,
	   "without rules there are digests only");
}

static void test_failures(void)
{
	const struct data_file_scan *d = scan_one(target("/none"), attack);
	struct scan_target t = target("/a");

	ok(is(d->meta.error, "file not found") && is(d->meta.md5, "") && is(d->scan_error, "file not found"),
	   "a file that is not there");
	t.wanted = (struct file_id){.inode = 1, .known = FILE_ID_INODE};
	d = scan_one(t, attack);
	ok(is(d->scan_error, "file changed since kernel event: inode changed") && d->positives == 0,
	   "another file of that name is not scanned for it");
	if (mkfifo(at("root/fifo"), 0600) < 0)
		abort();
	d = scan_one(target("/fifo"), attack);
	ok(is(d->scan_error, "failed to open file: not a regular file"), "a FIFO is not waited for");
	d = scan_one(target("relative"), attack);
	ok(is(d->scan_error, "metadata is needed for ebpf path"), "what is no path is not looked for");
}

static void test_deleted(void)
{
	struct scan_target t = target("/gone");

	write_file(at("root/gone"), "attack of the deleted");
	t.fd = open(at("root/gone"), O_PATH | O_CLOEXEC);
	unlink(at("root/gone"));
	const struct data_file_scan *d = scan_one(t, attack);
	ok(d->positives == 2 && d->meta.size == 21, "a deleted file that is held is scanned");
	ok(fcntl(t.fd, F_GETFD) < 0, "and let go");
}

static void test_cache(void)
{
	struct file_scan_stats before, after;

	write_file(at("root/c"), "attack");
	settle();
	scan_one(target("/c"), attack);
	file_scans_read_stats(scans, &before);
	const struct data_file_scan *d = scan_one(target("/c"), attack);
	file_scans_read_stats(scans, &after);
	ok(d->positives == 2 && after.hits == before.hits + 1 && after.scanned == before.scanned,
	   "an unchanged file is not read again");
	d = scan_one(target("/c"), other);
	file_scans_read_stats(scans, &after);
	ok(d->positives == 0 && after.scanned == before.scanned + 1, "but with other rules");
	write_file(at("root/c"), "other");
	d = scan_one(target("/c"), other);
	ok(d->positives == 2, "and when it was changed");
}

static void test_large(void)
{
	int fd = open(at("root/large"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, "attack", 6) != 6 || ftruncate(fd, 101 * (off_t)MIB) < 0)
		abort();
	close(fd);
	const struct data_file_scan *d = scan_one(target("/large"), attack);
	ok(d->positives == 2 && matched_bytes == 100 * (size_t)MIB,
	   "of a large file the first 100 MiB are matched");
	ok(is(d->scan_error, "partial scan, file size exceeds scan limit"), "which is told");
	ok(is(d->meta.error, "file size exceeds scan limit") && is(d->meta.md5, "?"), "it has no digests");
	unlink(at("root/large"));
}

/* The engine waits at the gate meanwhile. */
static void test_bound(void)
{
	struct scan_target t = target("/a");
	struct file_scan_stats stats;
	struct event e;
	uint32_t scanned = 0, refused = 0;

	pthread_mutex_lock(&gate);
	for (uint32_t i = 0; i < FILE_SCANS_PENDING_MAX + 3; i++)
		request(&t, 1, i & 0x7f, attack);
	file_scans_read_stats(scans, &stats);
	ok(stats.pending == FILE_SCANS_PENDING_MAX && stats.refused >= 3,
	   "no more than a number of files wait");
	pthread_mutex_unlock(&gate);
	for (uint32_t i = 0; i < FILE_SCANS_PENDING_MAX + 3 && await_next(&e); i++) {
		refused += str_eq(e.data.file_scan.scan_error, STR("too many files are waiting"));
		scanned += !e.data.file_scan.scan_error.p;
	}
	ok(refused == 3 && scanned == FILE_SCANS_PENDING_MAX, "each of the others is told");
	ok(!file_scans_next(scans, &arena, &e), "then there are no more");
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* At the end, with files that wait. */
static void test_end(void)
{
	struct scan_target t = target("/a");

	for (int i = 0; i < 17; i++) {
		t.fd = open(at("root/a"), O_PATH | O_CLOEXEC);
		request(&t, 1, 1, attack);
	}
	file_scans_free(scans);
	ok(true, "it ends while files wait");
}

int main(void)
{
	tree_make();
	mkdir(at("root"), 0755);
	mkdir(at("proc"), 0755);
	add_process(1, HOST, "root");
	namespaces = mount_ns_new(at("proc"));
	int fds = count_fds();
	scans = file_scans_new(&engine, 2, 10);
	if (!namespaces || !scans)
		abort();
	test_content();
	test_failures();
	test_deleted();
	test_cache();
	test_large();
	test_bound();
	test_end();
	ok(count_fds() == fds, "no descriptor is left");
	mount_ns_free(namespaces);
	arena_fini(&arena);
	arena_fini(&request_arena);
	tree_remove();
	return done_testing();
}
