/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/host.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/tree.h"
#include "tests/unit/tap.h"

static char name_path[128];
static struct mount_ns_table *namespaces;

static void make_tree(void)
{
	tree_make();
	static const char *const dirs[] = {"proc", "root", "root/etc"};
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (mkdir(at("%s", dirs[i]), 0755) < 0)
			abort();
	add_process(1, 4026531841u, "root");
	snprintf(name_path, sizeof(name_path), "%s", at("root/etc/hostname"));
	namespaces = mount_ns_new(at("proc"));
	if (!namespaces)
		abort();
}

static void is_name(const char *content, const char *want, const char *what)
{
	char name[HOST_NAME_SIZE];
	unlink(name_path);
	int fd = open(name_path, O_WRONLY | O_CREAT, 0644);
	if (fd < 0 || write(fd, content, strlen(content)) < 0)
		abort();
	close(fd);
	host_read_name(namespaces, name);
	is_str(name, want, what);
}

static void test_name(void)
{
	char name[HOST_NAME_SIZE], longest[300];
	host_read_name(namespaces, name);
	is_str(name, "?", "no such file");
	is_name("", "?", "empty");
	is_name(" \n\t\n", "?", "only blanks");
	is_name("web1\n", "web1", "a name");
	is_name("web1 \r\n\n", "web1", "blanks after it");
	is_name("  web1", "  web1", "blanks before it stay, as in Kunai");
	is_name("w\xc3\xa9"
		"b",
		"w\xc3\xa9"
		"b",
		"UTF-8");
	is_name("w\xe9"
		"b\xff\xc3",
		"w?b??", "not UTF-8");

	memset(longest, 'x', sizeof(longest));
	longest[299] = '\0';
	is_name(longest, longest + 299 - (HOST_NAME_SIZE - 1), "a long name is cut");

	unlink(name_path);
	mkfifo(name_path, 0644);
	alarm(20);
	host_read_name(namespaces, name);
	alarm(0);
	is_str(name, "?", "a fifo does not hang");
}

static void test_info(void)
{
	struct host_info info;
	struct utsname u;
	struct timespec now;
	uname(&u);
	is_u64((uint64_t)host_read(namespaces, &info), 0, "read");
	is_u64(info.mnt_ns, 4026531841u, "the mount namespace of pid 1");
	is_str(info.system.release, u.release, "release");
	is_str(info.system.domainname, u.domainname, "domain name");
	is_str(info.system.machine, u.machine, "machine");

	clock_gettime(CLOCK_REALTIME, &now);
	double boot = (double)info.boot_time_ns / 1e9;
	double sum = boot + info.uptime - (double)now.tv_sec - (double)now.tv_nsec / 1e9;
	ok(sum > -5 && sum < 0.1, "boot time and uptime make the present: %.2f s off", sum);

	double uptime = 0;
	FILE *f = fopen("/proc/uptime", "r");
	ok(f && fscanf(f, "%lf", &uptime) == 1 && uptime - info.uptime < 5 && info.uptime - uptime < 0.1,
	   "uptime %.2f as in /proc/uptime", info.uptime);
	if (f)
		fclose(f);
}

int main(void)
{
	make_tree();
	test_name();
	test_info();
	mount_ns_free(namespaces);
	tree_remove();
	return done_testing();
}
