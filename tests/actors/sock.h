/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets in a network namespace of the case's own, and the facts about them. Descriptors are the caller's. */
#ifndef KUNAI_TESTS_SOCK_H
#define KUNAI_TESTS_SOCK_H

#include "actor.h"

#include <netinet/in.h>
#include <sys/socket.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* A network namespace with loopback, 10.99/16 and 1.2.3.4 (a public address) and fd99::1 on it. */
void sock_isolate(void);

union address sock_address(const char *ip, unsigned port);
socklen_t sock_length(const union address *address);

int sock_open(const char *ip, int type);

/* A bound socket on some port, listening when it is a stream. */
int sock_listen(const char *ip, int type, unsigned port, union address *ret_address);

/* connect(2) with its fact. Returns what it returned; errno as it left it. */
int sock_connect(int fd, const union address *to, const char *hostname);

/* States a call that sent len bytes. to: NULL when the socket is connected. */
void sock_fact_sent(int fd, const union address *to, const void *data, size_t len, const char *hostname);

/* Adds domain, type, proto, src_ip, src_port, dst_ip, dst_port to a fact. */
void sock_describe(struct fact *fact, int fd, const union address *to);

#endif
