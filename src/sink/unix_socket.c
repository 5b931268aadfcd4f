/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sink/unix_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sink/directory.h"

enum { BACKLOG = 16 };

static int fill_address(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	snprintf(ret->sun_path, sizeof(ret->sun_path), "%s", path);
	return 0;
}

int unix_socket_connect(const char *path, int type)
{
	struct sockaddr_un address;
	int size = UNIX_SOCKET_SEND_BUFFER;

	int err = fill_address(path, &address);
	if (err)
		return err;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* A socket that was left behind refuses connections. */
static int remove_stale(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	int fd = unix_socket_connect(path, SOCK_STREAM | SOCK_NONBLOCK);
	if (fd >= 0)
		close(fd);
	if (fd != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(path) < 0 ? -errno : 0;
}

/* The mode is set before anybody can connect: a socket that does not listen yet refuses. */
static int bind_and_listen(int fd, const struct sockaddr_un *address)
{
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -errno;
	if (chmod(address->sun_path, 0600) < 0 || listen(fd, BACKLOG) < 0) {
		int err = -errno;
		unlink(address->sun_path);
		return err;
	}
	return 0;
}

int unix_socket_listen(const char *path)
{
	struct sockaddr_un address;

	int err = fill_address(path, &address);
	if (!err)
		err = directory_make(path);
	if (!err)
		err = remove_stale(path);
	if (err)
		return err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = bind_and_listen(fd, &address);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

bool unix_socket_is_trusted(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}
