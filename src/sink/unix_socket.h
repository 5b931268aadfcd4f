/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets in the file system. */
#ifndef KUNAI_SINK_UNIX_SOCKET_H
#define KUNAI_SINK_UNIX_SOCKET_H

#include <stdbool.h>

enum { UNIX_SOCKET_SEND_BUFFER = 8 << 20 }; /* bytes, as much as journald's own clients ask for */

/*
 * A listening stream socket with mode 0600, its directory made if need be. A socket that nobody listens at any more is
 * replaced; anything else at the path is -EADDRINUSE. Non-blocking. Returns the descriptor or -errno.
 */
int unix_socket_listen(const char *path);

/* Whether the other side is root or has our user id. */
bool unix_socket_is_trusted(int fd);

/* type: SOCK_DGRAM or SOCK_STREAM, with flags. Returns the descriptor, with a large send buffer, or -errno. */
int unix_socket_connect(const char *path, int type);

#endif
