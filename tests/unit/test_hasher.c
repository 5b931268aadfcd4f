/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/hasher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enrich/hash_pool.h"
#include "tests/support/process.h"
#include "tests/support/tree.h"
#include "tests/unit/tap.h"

enum { HOST = 100, PID = 10, MIB = 1 << 20, WAIT_MS = 300000 };

#define SMALL_COUNT 100

static struct mount_ns_table *namespaces;
static struct hasher *h;

static void write_sparse(const char *path, off_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || ftruncate(fd, size) < 0)
		abort();
	close(fd);
}

/* The tree of a /proc with pid 1, whose root is the directory root. */
static void make_tree(void)
{
	tree_make();
	mkdir(at("root"), 0755);
	mkdir(at("proc"), 0755);
	add_process(1, HOST, "root");
	namespaces = mount_ns_new(at("proc"));
	if (!namespaces)
		abort();
}

static void start_hasher(uint32_t workers)
{
	h = hasher_new(workers);
	if (!h)
		abort();
}

static void settle(void)
{
	usleep(60000);
}

/* What the kernel would have told about a file. */
static struct file_id kernel_id(const char *path)
{
	struct file_id id = {0};
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || file_id_read(fd, &id, NULL) < 0)
		abort();
	close(fd);
	id.known = FILE_ID_INODE | FILE_ID_SIZE | FILE_ID_MTIME;
	id.ctime_ns = 0;
	return id;
}

static struct hash_request request_of(const char *path)
{
	return (struct hash_request){.mnt_ns = HOST, .path = str_of(path)};
}

static void collect_until(const struct hash_ticket *ticket)
{
	while (!hash_ticket_result(ticket)) {
		struct pollfd p = {.fd = hasher_event_fd(h), .events = POLLIN};
		if (poll(&p, 1, WAIT_MS) != 1) {
			printf("Bail out! no answer\n");
			exit(1);
		}
		hasher_collect(h);
	}
}

static const struct file_hashes *run(const struct hash_request *request)
{
	const struct file_hashes *hashes;
	struct hash_ticket *ticket;
	int ret = hasher_submit(h, namespaces, request, &hashes, &ticket);
	if (ret < 0)
		abort();
	if (ret == 1)
		return hashes;
	collect_until(ticket);
	hashes = file_hashes_share(hash_ticket_result(ticket));
	hash_ticket_drop(ticket);
	return hashes;
}

static void is_digest(const struct file_hashes *r, const char *sha256, const char *name)
{
	is_str(r->sha256, sha256, name);
	is_str(r->error, NULL, "  no error");
	file_hashes_release(r);
}

static void is_error(const struct file_hashes *r, const char *error, const char *digest, uint64_t size)
{
	bool same = !strcmp(r->md5, digest) && !strcmp(r->sha1, digest) && !strcmp(r->sha256, digest) &&
		    !strcmp(r->sha512, digest);
	is_str(r->error, error, "error");
	ok(same, "  all digests are \"%s\"", digest);
	is_u64(r->size, size, "  size");
	if (digest[0] == '\0')
		is_str(r->magic, "", "  no magic");
	file_hashes_release(r);
}

#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define XYZ_SHA256 "3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282"
/* FIPS 180-4 and RFC 1321 give these for "abc"; those of zeros are sha256sum's. */
#define ZERO_100M_SHA256 "20492a4d0d84f8beb1767f6616229f85d44c2827b64bdbfb260ee12fa1109e0e"

static void test_digests(void)
{
	write_file(at("root/abc"), "abc");
	struct hash_request request = request_of("/abc");
	const struct file_hashes *r = run(&request);
	is_str(r->md5, "900150983cd24fb0d6963f7d28e17f72", "md5");
	is_str(r->sha1, "a9993e364706816aba3e25717850c26c9cd0d89d", "sha1");
	is_str(r->sha256, ABC_SHA256, "sha256");
	is_str(r->sha512,
	       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	       "sha512");
	is_str(r->magic, "ASCII text, with no line terminators", "magic");
	is_u64(r->size, 3, "size");
	is_str(r->error, NULL, "error");
	file_hashes_release(r);

	write_file(at("root/empty"), "");
	request = request_of("/empty");
	r = run(&request);
	is_str(r->magic, "empty data", "magic of nothing");
	is_digest(r, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "sha256 of nothing");

	write_file(at("root/\xff\x80 name"), "abc");
	request = request_of("/\xff\x80 name");
	is_digest(run(&request), ABC_SHA256, "a path that is not UTF-8");
}

static void test_sizes(void)
{
	write_sparse(at("root/limit"), 100 * MIB);
	struct hash_request request = request_of("/limit");
	request.id = kernel_id(at("root/limit"));
	is_digest(run(&request), ZERO_100M_SHA256, "a file of exactly 100 MiB");

	write_sparse(at("root/huge"), 100 * MIB + 1);
	int fd = open(at("root/huge"), O_WRONLY);
	if (pwrite(fd, "%PDF-1.4\n", 9, 0) != 9)
		abort();
	close(fd);
	request = request_of("/huge");
	const struct file_hashes *r = run(&request);
	ok(strstr(r->magic, "PDF document") == r->magic, "a larger one has a magic: %s", r->magic);
	is_error(r, "file size exceeds scan limit", "?", 100 * MIB + 1);

	static const int around[] = {FILE_READER_CHUNK - 1, FILE_READER_CHUNK, FILE_READER_CHUNK + 1};
	static const char *const digests[] = {
		"5e44317a2003e8c8ce0726c637bf61c8f4c861c01c276b3d70d0d866e72fa288",
		"8a39d2abd3999ab73c34db2476849cddf303ce389b35826850f9a700589b4a90",
		"b27a032984ea8a6bec700c3d6f63f8fcfbf8ff8ef87e972891feda4eea4aad0c",
	};
	for (int i = 0; i < 3; i++) {
		write_sparse(at("root/chunk"), around[i]);
		request = request_of("/chunk");
		is_digest(run(&request), digests[i], "around the size of a chunk");
	}
}

static void test_errors(void)
{
	struct hash_request request = request_of("/no-such-file");
	is_error(run(&request), "file not found", "", 0);
	request = request_of("/abc/x");
	is_error(run(&request), "file not found", "", 0);
	request = request_of("/abc");
	request.mnt_ns = 4026531999u;
	is_error(run(&request), "unknown namespace kind=mnt inum=4026531999", "", 0);
	request.mnt_ns = 0;
	is_error(run(&request), "unknown namespace", "", 0);
	request = request_of("");
	is_error(run(&request), "metadata is needed for ebpf path", "", 0);
	request.path = STR("/abc\0x");
	is_error(run(&request), "metadata is needed for ebpf path", "", 0);

	request = request_of("/abc");
	request.id = kernel_id(at("root/abc"));
	request.id.inode++;
	is_error(run(&request), "file changed since kernel event: inode changed", "", 0);
	request.id = kernel_id(at("root/abc"));
	request.id.size++;
	is_error(run(&request), "file changed since kernel event: size changed", "", 0);
	request.id = kernel_id(at("root/abc"));
	request.id.mtime_ns++;
	is_error(run(&request), "file changed since kernel event: mtime changed", "", 0);
	request.id.known = FILE_ID_INODE;
	is_digest(run(&request), ABC_SHA256, "what the kernel did not tell is not compared");

	mkfifo(at("root/fifo"), 0644);
	request = request_of("/fifo");
	is_error(run(&request), "failed to open file: not a regular file", "?", 0);
	symlink("loop", at("root/loop"));
	request = request_of("/loop");
	is_error(run(&request), "failed to get metadata: Too many levels of symbolic links (os error 40)",
		 "?", 0);

	char path[4097];
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	request.path = (struct str){path, 4095};
	is_error(run(&request), "failed to get metadata: File name too long (os error 36)", "?", 0);
	request.path.len = 4096;
	const struct file_hashes *r = run(&request);
	ok(r->error && r->md5[0] == '\0', "a path of 4096 bytes: %s", r->error);
	file_hashes_release(r);
}

/* Without privileges, in a process of its own. */
static void test_unreadable(void)
{
	write_file(at("root/private"), "private");
	chmod(at("root/private"), 0);
	chmod(at("."), 0755);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		start_hasher(1);
		struct hash_request request = request_of("/private");
		const struct file_hashes *r = run(&request);
		bool good = r->error &&
			    !strcmp(r->error, "failed to open file: Permission denied (os error 13)") &&
			    !strcmp(r->md5, "?") && !strcmp(r->magic, "?") && r->size == 7;
		printf("# %s %s %s\n", r->error, r->md5, r->magic);
		fflush(stdout);
		file_hashes_release(r);
		hasher_free(h);
		_exit(good ? 0 : 1);
	}
	int status;
	waitpid(child, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "an unreadable file: ? and its size");
}

static struct hasher_stats stats_now(void)
{
	struct hasher_stats s;
	hasher_read_stats(h, &s);
	return s;
}

static void test_cache(void)
{
	write_file(at("root/cached"), "abc");
	settle();
	struct hash_request request = request_of("/cached");
	request.id = kernel_id(at("root/cached"));
	is_digest(run(&request), ABC_SHA256, "first");
	struct hasher_stats before = stats_now();
	is_digest(run(&request), ABC_SHA256, "again");
	is_u64(stats_now().files, before.files, "  without reading it");
	is_u64(stats_now().hits, before.hits + 1, "  as a hit");

	struct file_id id = request.id;
	int fd = open(at("root/cached"), O_PATH);
	file_id_read(fd, &request.id, NULL);
	close(fd);
	const struct file_hashes *r = NULL;
	struct hash_ticket *ticket = NULL;
	is_u64((uint64_t)hasher_submit(h, namespaces, &request, &r, &ticket), 1,
	       "at once when the kernel tells all");
	is_digest(r, ABC_SHA256, "  right");
	before = stats_now();
	request.id.ctime_ns++;
	is_digest(run(&request), ABC_SHA256, "with another ctime the file itself tells");
	is_u64(stats_now().files, before.files, "  without reading it");

	/* Changed in place, with the size and the time stamp of before. */
	struct timespec times[2] = {{0, UTIME_OMIT},
				    {(time_t)(id.mtime_ns / 1000000000), (long)(id.mtime_ns % 1000000000)}};
	write_file(at("root/cached"), "xyz");
	utimensat(AT_FDCWD, at("root/cached"), times, 0);
	request.id = kernel_id(at("root/cached"));
	ok(request.id.mtime_ns == id.mtime_ns && request.id.inode == id.inode, "(same size, time and inode)");
	is_digest(run(&request), XYZ_SHA256, "a disguised change is seen");

	unlink(at("root/cached"));
	is_error(run(&request), "file not found", "", 0);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Faster than the clock of the file system ticks, unless the machine is too busy. */
static void test_racy_changes(void)
{
	uint32_t wrong = 0, slow = 0;
	uint32_t cached = stats_now().cached;
	for (int i = 0; i < 301; i++) {
		uint64_t begun = now_ns();
		write_file(at("root/racy"), i % 2 ? "abc" : "xyz");
		struct hash_request request = request_of("/racy");
		request.id = kernel_id(at("root/racy"));
		const struct file_hashes *r = run(&request);
		wrong += strcmp(r->sha256, i % 2 ? ABC_SHA256 : XYZ_SHA256) != 0;
		file_hashes_release(r);
		slow += now_ns() - begun >= 10000000;
	}
	is_u64(wrong, 0, "301 changes in quick succession");
	/* Newer kernels have stamps fine enough that the above cannot go wrong; older ones need this. */
	ok(stats_now().cached == cached || slow, "  a file that just changed is not remembered");
	struct hash_request request = request_of("/racy");
	settle();
	file_hashes_release(run(&request));
	is_u64(stats_now().cached, cached + 1, "  later it is");
}

static void test_changing(void)
{
	uint32_t wrong = 0, changed = 0;
	for (int i = 0; i < 23; i++) {
		write_sparse(at("root/changing"), 100 * MIB);
		struct hash_request request = request_of("/changing");
		request.id = kernel_id(at("root/changing"));
		struct hash_ticket *ticket;
		const struct file_hashes *unused;
		hasher_submit(h, namespaces, &request, &unused, &ticket);
		usleep((useconds_t)i * 100);
		truncate(at("root/changing"), 5 * MIB);
		collect_until(ticket);
		const struct file_hashes *r = hash_ticket_result(ticket);
		if (!r->error)
			wrong++;
		else
			changed += !strncmp(r->error, "file changed since kernel event: ", 33) && !r->md5[0];
		hash_ticket_drop(ticket);
	}
	is_u64(wrong, 0, "no digest of a file that is cut while it is read");
	is_u64(changed, 23, "  but the reason");
}

static void test_unlink_while_reading(void)
{
	write_sparse(at("root/unlinked"), 100 * MIB);
	struct hash_request request = request_of("/unlinked");
	struct hash_ticket *ticket;
	const struct file_hashes *unused;
	struct hasher_stats before = stats_now();
	request.id = kernel_id(at("root/unlinked"));
	hasher_submit(h, namespaces, &request, &unused, &ticket);
	usleep(30000);
	unlink(at("root/unlinked"));
	collect_until(ticket);
	is_str(hash_ticket_result(ticket)->sha256, ZERO_100M_SHA256, "deleted while it is read");
	hash_ticket_drop(ticket);
	is_u64(stats_now().bytes - before.bytes, 100 * MIB, "  bytes are counted");
}

static void test_eviction(void)
{
	enum { FILES = HASHER_CACHE_MAX + 7 };
	char path[32];
	mkdir(at("root/many"), 0755);
	for (int i = 0; i < FILES; i++)
		write_file(at("root/many/%d", i), "abc");
	settle();
	uint32_t wrong = 0;
	for (int i = 0; i < FILES; i++) {
		sprintf(path, "/many/%d", i);
		struct hash_request request = request_of(path);
		const struct file_hashes *r = run(&request);
		wrong += strcmp(r->sha256, ABC_SHA256) != 0;
		file_hashes_release(r);
	}
	is_u64(wrong, 0, "more files than the cache holds");
	is_u64(stats_now().cached, HASHER_CACHE_MAX, "it holds no more than its bound");

	static const struct {
		int file;
		bool hit;
	} steps[] = {{FILES - 1, true}, {7, true}, {6, false}, {7, true}, {8, false}, {10, true}};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		sprintf(path, "/many/%d", steps[i].file);
		struct hash_request request = request_of(path);
		struct hasher_stats before = stats_now();
		file_hashes_release(run(&request));
		is_u64(stats_now().hits - before.hits, steps[i].hit, path);
	}
}

static void test_merge(void)
{
	enum { FILES = 307, SAME = 11 };
	struct hash_ticket *tickets[FILES + SAME];
	const struct file_hashes *unused;
	struct hasher_stats before = stats_now();
	char path[32];
	for (int i = 0; i < FILES + SAME; i++) {
		sprintf(path, "/many/%d", i < FILES ? i : FILES);
		struct hash_request request = request_of(path);
		hasher_submit(h, namespaces, &request, &unused, &tickets[i]);
	}
	is_u64(stats_now().merged - before.merged, SAME - 1, "equal requests that wait are one");
	uint32_t wrong = 0;
	for (int i = 0; i < FILES + SAME; i++) {
		collect_until(tickets[i]);
		wrong += strcmp(hash_ticket_result(tickets[i])->sha256, ABC_SHA256) != 0;
		hash_ticket_drop(tickets[i]);
	}
	is_u64(wrong, 0, "  and all are answered");
	is_u64(stats_now().pending, 0, "  none is pending");
}

static void test_fairness(void)
{
	enum { LARGE = HASH_POOL_LARGE_MAX + 1 };
	struct hash_ticket *large[LARGE], *small[SMALL_COUNT];
	const struct file_hashes *unused;
	char path[32];
	for (int i = 0; i < LARGE; i++) {
		write_sparse(at("root/large%d", i), 20 * MIB);
		sprintf(path, "/large%d", i);
		struct hash_request request = request_of(path);
		hasher_submit(h, namespaces, &request, &unused, &large[i]);
	}
	for (int i = 0; i < SMALL_COUNT; i++) {
		write_file(at("root/small%d", i), "abc");
		sprintf(path, "/small%d", i);
		struct hash_request request = request_of(path);
		hasher_submit(h, namespaces, &request, &unused, &small[i]);
	}
	for (int i = 0; i < SMALL_COUNT; i++)
		collect_until(small[i]);
	uint32_t large_done = 0;
	for (int i = 0; i < LARGE; i++)
		large_done += hash_ticket_result(large[i]) != NULL;
	is_u64(large_done, 0, "small files do not wait for large ones");

	uint32_t equal = 0;
	for (int i = 0; i < LARGE; i++) {
		collect_until(large[i]);
		equal += !strcmp(hash_ticket_result(large[i])->sha256, hash_ticket_result(large[0])->sha256);
	}
	for (int i = 0; i < LARGE; i++)
		hash_ticket_drop(large[i]);
	is_u64(equal, LARGE, "  which are read all the same");
	for (int i = 0; i < SMALL_COUNT; i++)
		hash_ticket_drop(small[i]);
}

static void test_queue_bound(void)
{
	char path[32];
	struct hasher_stats before = stats_now();
	for (int i = 0; i < HASHER_PENDING_MAX; i++) {
		sprintf(path, "/none/%d", i);
		struct hash_request request = request_of(path);
		hasher_submit(h, namespaces, &request, NULL, NULL);
	}
	is_u64(stats_now().refused, before.refused, "requests up to the bound");
	struct hash_request request = request_of("/none/more");
	is_error(run(&request), "failed to create lazy cache: too many files are waiting", "", 0);
	is_u64(stats_now().refused, before.refused + 1, "one past it is counted");
	while (stats_now().pending > 0) {
		usleep(1000);
		hasher_collect(h);
	}
	is_u64(stats_now().not_found - before.not_found, HASHER_PENDING_MAX, "all were looked for");
	struct pollfd p = {.fd = hasher_event_fd(h), .events = POLLIN};
	is_u64((uint64_t)poll(&p, 1, 0), 0, "nothing left to collect");
}

static void copy_file(const char *from, const char *to)
{
	char bytes[65536];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t len;
	if (in < 0 || out < 0)
		abort();
	while ((len = read(in, bytes, sizeof(bytes))) > 0) {
		if (write(out, bytes, (size_t)len) != len)
			abort();
	}
	close(in);
	close(out);
}

/* exec, then unlink: by the process's exe link of the real /proc. */
static void test_exe(void)
{
	struct mount_ns_table *real = mount_ns_new("/proc");
	struct mount_ns_table *fake = namespaces;
	copy_file("/bin/sleep", at("root/sleep"));
	struct file_id id = kernel_id(at("root/sleep"));
	int fd = open(at("root/sleep"), O_RDONLY);
	const struct file_hashes *want = hasher_file_now(fd);
	close(fd);

	int ends[2];
	char byte;
	if (pipe2(ends, O_CLOEXEC) < 0)
		abort();
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		execl(at("root/sleep"), "sleep", "100", NULL);
		_exit(1);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) < 0) /* the end of file tells that exec is done */
		abort();
	close(ends[0]);
	unlink(at("root/sleep"));

	namespaces = real;
	struct hash_request request = request_of("/somewhere/sleep");
	request.exe_of = (uint32_t)child;
	request.id = id;
	/* what the kernel told was before the link went */
	request.id.known |= FILE_ID_CTIME;
	request.id.ctime_ns = id.mtime_ns;
	is_digest(run(&request), want->sha256, "a program that deleted itself");
	settle();
	is_digest(run(&request), want->sha256, "  again");
	struct hasher_stats before = stats_now();
	const struct file_hashes *r = NULL;
	struct hash_ticket *ticket = NULL;
	is_u64((uint64_t)hasher_submit(h, real, &request, &r, &ticket), 1, "  now at once");
	is_digest(r, want->sha256, "  and right");
	is_u64(stats_now().files, before.files, "  and not read");

	request.id.mtime_ns++;
	r = run(&request);
	ok(r->md5[0] == '\0' && r->error, "another program's exe link is not believed: %s", r->error);
	file_hashes_release(r);

	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	request.id = id;
	r = run(&request);
	ok(r->md5[0] == '\0' && r->error, "after its end there is nothing: %s", r->error);
	file_hashes_release(r);
	file_hashes_release(want);
	mount_ns_free(real);
	namespaces = fake;
}

static void test_exe_flood(void)
{
	enum { REQUESTS = 3 * HASH_POOL_FDS_MAX + 1 };
	struct mount_ns_table *real = mount_ns_new("/proc");
	struct mount_ns_table *fake = namespaces;
	char path[32];
	namespaces = real;
	struct hash_request request = {.mnt_ns = HOST, .exe_of = (uint32_t)getpid()};
	request.id = kernel_id("/proc/self/exe");
	int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (fd < 0 || file_id_read(fd, &request.id, NULL) < 0)
		abort();
	close(fd);
	request.id.known = FILE_ID_INODE | FILE_ID_SIZE | FILE_ID_MTIME;
	int before = count_fds(), most = 0;
	for (int i = 0; i < REQUESTS; i++) {
		sprintf(path, "/exe%d", i);
		request.path = str_of(path);
		hasher_submit(h, namespaces, &request, NULL, NULL);
		int now = count_fds();
		most = now > most ? now : most;
	}
	/* Those being read have one more each. */
	ok(most - before <= HASH_POOL_FDS_MAX + 2 * HASH_POOL_LARGE_MAX + 4, "descriptors are bounded: %d",
	   most - before);
	while (stats_now().pending > 0) {
		usleep(1000);
		hasher_collect(h);
	}
	is_u64((uint64_t)count_fds(), (uint64_t)before, "  and all are closed");
	namespaces = fake;
	mount_ns_free(real);
}

static void test_now(void)
{
	int fd = open("/bin/sleep", O_RDONLY | O_CLOEXEC);
	const struct file_hashes *r = hasher_file_now(fd);
	ok(!r->error && strlen(r->sha512) == 128 && r->size > 1000, "a file read now: %s", r->sha256);
	ok(!strncmp(r->magic, "ELF ", 4) && strstr(r->magic, " pie executable, ") &&
		   !strstr(r->magic, "dynamically"),
	   "  %s", r->magic);
	file_hashes_release(r);
	close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	is_error(hasher_file_now(fd), "failed to open file: not a regular file", "?", 0);
	close(fd);
	is_error(hasher_file_now(-1), "failed to get metadata: Bad file descriptor (os error 9)", "?", 0);
}

static void test_free_while_busy(void)
{
	struct hash_ticket *tickets[20];
	const struct file_hashes *unused;
	char path[32];
	for (int i = 0; i < 20; i++) {
		sprintf(path, i < 9 ? "/large%d" : "/small%d", i % 6);
		struct hash_request request = request_of(path);
		request.pid = PID;
		hasher_submit(h, namespaces, &request, &unused, &tickets[i]);
		if (i % 3 == 0)
			hash_ticket_drop(tickets[i]);
	}
	usleep(20000);
	hasher_free(h);
	for (int i = 0; i < 20; i++) {
		if (i % 3 != 0)
			hash_ticket_drop(tickets[i]);
	}
	ok(true, "freed while busy");
}

int main(void)
{
	make_tree();
	int before = count_fds();
	test_unreadable();
	test_now();
	ok(!hasher_new(0) && errno == EINVAL, "no worker");
	ok(!hasher_new(HASH_POOL_WORKERS_MAX + 1) && errno == EINVAL, "too many workers");

	for (uint32_t workers = 1; workers <= 3; workers += 2) {
		printf("# %u workers\n", workers);
		start_hasher(workers);
		test_digests();
		test_errors();
		test_cache();
		test_racy_changes();
		test_changing();
		if (workers == 1) {
			test_sizes();
			test_unlink_while_reading();
			test_eviction();
			test_merge();
			test_fairness();
			test_queue_bound();
		}
		test_exe();
		test_exe_flood();
		test_free_while_busy();
		is_u64((uint64_t)count_fds(), (uint64_t)before, "no descriptor is left");
	}
	mount_ns_free(namespaces);
	tree_remove();
	return done_testing();
}
