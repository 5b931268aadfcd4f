/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Child processes that do one thing and may do nothing else. They end when the process that made them ends, or closes its
 * end of the socket.
 */
#ifndef KUNAI_BASE_HELPER_H
#define KUNAI_BASE_HELPER_H

#include <stdint.h>
#include <sys/types.h>

/* Zeroed but for fd, which is -1, is not open. */
struct helper {
	int fd; /* for messages (SOCK_SEQPACKET) */
	pid_t pid;
};

enum { HELPER_FD = 3 }; /* of the child, beside the standard ones */

/*
 * Forks, and must be called before there are threads. The child has these capabilities (bits of linux/capability.h) and no
 * others, and without any it is nobody. It calls serve(HELPER_FD) and ends. Returns 0 or -errno.
 */
int helper_open(const char *name, uint64_t capabilities, void (*serve)(int fd), struct helper *ret);

/* Ends the child and waits for it. */
void helper_close(struct helper *h);

#endif
