/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/host.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

#define NS_PER_S INT64_C(1000000000)

/* The host's, also when we run in another mount namespace; ours when we may not look there. */
static int open_hostname(struct mount_ns_table *namespaces)
{
	static const char path[] = "/etc/hostname";
	int path_fd = mount_ns_open(namespaces, mount_ns_host(namespaces), 1, path);
	if (path_fd == -ENXIO)
		path_fd = open(path, O_PATH | O_CLOEXEC);
	if (path_fd < 0)
		return path_fd;
	int fd = mount_ns_reopen(path_fd);
	close(path_fd);
	return fd;
}

static void make_valid(char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		i += utf8_valid_prefix(name + i, len - i);
		if (i < len)
			name[i] = '?';
	}
}

void host_read_name(struct mount_ns_table *namespaces, char ret_name[HOST_NAME_SIZE])
{
	char name[HOST_NAME_SIZE];
	ssize_t len = 0;
	int fd = open_hostname(namespaces);
	if (fd >= 0) {
		len = read(fd, name, sizeof(name) - 1);
		close(fd);
	}
	while (len > 0 && isspace((unsigned char)name[len - 1]))
		len--;
	if (len <= 0) {
		strcpy(ret_name, "?");
		return;
	}
	make_valid(name, (size_t)len);
	memcpy(ret_name, name, (size_t)len);
	ret_name[len] = '\0';
}

static int64_t to_ns(const struct timespec *ts)
{
	return ts->tv_sec * NS_PER_S + ts->tv_nsec;
}

int host_read(struct mount_ns_table *namespaces, struct host_info *ret_info)
{
	struct host_info info = {.mnt_ns = (uint32_t)mount_ns_host(namespaces)};
	struct timespec since_boot, now;

	if (uname(&info.system) < 0 || clock_gettime(CLOCK_BOOTTIME, &since_boot) < 0 ||
	    clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -errno;
	info.uptime = (double)(to_ns(&since_boot) / 10000000) / 100;
	info.boot_time_ns = (uint64_t)(to_ns(&now) - to_ns(&since_boot));
	host_read_name(namespaces, info.name);
	*ret_info = info;
	return 0;
}
