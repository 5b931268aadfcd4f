/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that do not answer, as those of a server that hangs. What is left behind lives as long as the process: one a test. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/utc_clock.h"
#include "enrich/file_peek.h"
#include "enrich/hasher.h"
#include "enrich/users.h"
#include "enrich/worker_pool.h"
#include "tests/support/process.h"
#include "tests/support/tree.h"
#include "tests/unit/tap.h"

enum { HOST = 100, BOX = 200, PID_BOX = 200, WAIT_MS = 20000, SKIPPED = 77 };

static struct mount_ns_table *namespaces;

static void make_machine(void)
{
	static const char *const dirs[] = {"proc", "host", "host/etc", "box", "box/etc"};

	tree_make();
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		mkdir(at("%s", dirs[i]), 0755);
	write_file(at("host/etc/passwd"), "root:x:0:0::/:/bin/sh\n");
	write_file(at("host/file"), "abc");
	add_process(1, HOST, "host");
	add_process(PID_BOX, BOX, "box");
	namespaces = mount_ns_new(at("proc"));
	if (!namespaces)
		abort();
}

static void test_peeks(void)
{
	struct file_peeker *peeker = file_peeker_new(namespaces);
	struct file_peek_request silent = {.mnt_ns = BOX, .pid = PID_BOX, .path = "/etc/passwd", .max = 100};
	struct file_peek_request other = {.mnt_ns = HOST, .path = "/file", .max = 100};
	struct file_peek_result r;

	uint64_t begun = boot_time_now();
	is_u64((uint64_t)-file_peek(peeker, &silent, &r), ETIMEDOUT, "no answer in time");
	ok(boot_time_now() - begun >= FILE_PEEK_PATIENCE_NS, "  which was waited for");
	is_u64((uint64_t)-file_peek(peeker, &silent, &r), EBUSY, "not asked again");
	is_u64((uint64_t)-file_peek(peeker, &other, &r), 0, "others are");
	free(r.text);
	is_u64(file_peek_stuck(peeker), 1, "one thread is left behind");
	is_u64(file_peek_unanswered(peeker), 2, "two requests had no answer");
	ok(!file_peeker_free(peeker), "it is still there at the end");
}

static void test_names(void)
{
	struct file_peeker *peeker = file_peeker_new(namespaces);
	struct users *users = users_new(namespaces, peeker);
	struct str name = users_user_name(users, BOX, PID_BOX, 0, 1000000000);

	ok(str_eq(name, STR("?")), "a user of the box has no name");
	name = users_user_name(users, HOST, 1, 0, 1000000000);
	ok(str_eq(name, STR("root")), "a user of the host has");
	users_free(users);
	file_peeker_free(peeker);
}

static void await(struct hasher *h, const struct hash_ticket *ticket)
{
	struct pollfd p = {.fd = hasher_event_fd(h), .events = POLLIN};

	while (!hash_ticket_result(ticket) && poll(&p, 1, WAIT_MS) == 1)
		hasher_collect(h);
}

static void test_digests(void)
{
	struct hasher *h = hasher_new(1);
	struct hash_request silent = {.mnt_ns = BOX, .pid = PID_BOX, .path = STR("/etc/file")};
	struct hash_request other = {.mnt_ns = HOST, .path = STR("/file")};
	const struct file_hashes *hashes = NULL;
	struct hash_ticket *tickets[2] = {0};
	struct hasher_stats stats;

	hasher_submit(h, namespaces, &silent, &hashes, &tickets[0]);
	hasher_submit(h, namespaces, &other, &hashes, &tickets[1]);
	for (int i = 0; i < WAIT_MS; i++) {
		hasher_watch(h, boot_time_now() + 2 * WORKER_PATIENCE_NS);
		hasher_read_stats(h, &stats);
		if (stats.stuck)
			break;
		usleep(1000);
	}
	is_u64(stats.stuck, 1, "the only worker is stuck");
	await(h, tickets[1]);
	hashes = hash_ticket_result(tickets[1]);
	ok(hashes && !hashes->error && strlen(hashes->md5) == 32, "another one has taken its place");
	ok(!hash_ticket_result(tickets[0]), "the silent file has no result");
	ok(hasher_has_lost(h, tickets[0]) && !hasher_has_lost(h, tickets[1]), "and is not worth waiting for");
	hash_ticket_drop(tickets[0]);
	hash_ticket_drop(tickets[1]);
	ok(!hasher_free(h), "it is still there at the end");
}

/* In a process of its own, which ends with what is left behind; its checks go to stderr and count as one here. */
static void run(void (*test)(void), const char *name)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		int server = mount_silent(at("box/etc"));
		if (server < 0)
			_exit(SKIPPED);
		alarm(60);
		test();
		fflush(stdout);
		close(server); /* what waited is told that it is gone, and can end */
		_exit(tap_failed ? 1 : 0);
	}
	int status;
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		ok(true, "%s # skip no FUSE here", name);
	else
		ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", name);
}

int main(void)
{
	if (syscall(SYS_openat2, -1, NULL, NULL, 0) < 0 && errno == ENOSYS) {
		printf("1..0 # SKIP no openat2: valgrind, whose threads wait for each other's calls\n");
		return 0;
	}
	make_machine();
	run(test_peeks, "pieces of files");
	run(test_names, "names of users");
	run(test_digests, "digests");
	mount_ns_free(namespaces);
	tree_remove();
	return done_testing();
}
