/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
		return -1;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* abstract: unix(7) */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (connect(fd, (struct sockaddr *)&address, size) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ns between two signs of life: half of what the manager waits for, sd_watchdog_enabled(3). */
static uint64_t read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && atol(pid) != getpid()))
		return 0;
	uint64_t n = strtoull(usec, NULL, 10);
	return n < UINT64_MAX / 1000 ? n * 1000 / 2 : 0;
}

void notify_open(struct notify *ret)
{
	*ret = (struct notify){.fd = open_socket(getenv("NOTIFY_SOCKET"))};
	if (ret->fd >= 0)
		ret->watchdog_every = read_watchdog();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

/* A manager that does not take it now is told again, or does not need it. */
static bool tell(const struct notify *n, const char *text)
{
	return n->fd >= 0 && send(n->fd, text, strlen(text), MSG_NOSIGNAL) >= 0;
}

void notify_ready(const struct notify *n)
{
	tell(n, "READY=1\nSTATUS=Watching this host");
}

void notify_stopping(const struct notify *n)
{
	tell(n, "STOPPING=1\nSTATUS=Writing what was seen");
}

void notify_tick(struct notify *n, uint64_t now)
{
	if (n->watchdog_every && now - n->watchdog_at >= n->watchdog_every && tell(n, "WATCHDOG=1"))
		n->watchdog_at = now;
}
