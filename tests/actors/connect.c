/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connect(2): whoever answers, or nobody. */
#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static const char *const addresses[] = {"127.0.0.1", "::1",       "::ffff:127.0.0.1",
					"1.2.3.4",   "10.99.0.1", "fd99::1"};

enum { ADDRESS_COUNT = sizeof(addresses) / sizeof(addresses[0]) };

static void set_nonblocking(int fd)
{
	actor_must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
}

static void connect_accepted(const struct actor_case *self)
{
	const char *ip = addresses[self->a];
	union address address;
	int type = self->b, server, client;

	sock_isolate();
	server = sock_listen(ip, type, 0, &address);
	client = sock_open(ip, type);
	if (self->c)
		set_nonblocking(client);
	actor_must(sock_connect(client, &address, NULL) == 0 || errno == EINPROGRESS, "connect");
	close(client);
	close(server);
}

/* Bound beforehand, so the source is known even when the call fails. */
static void connect_refused(const struct actor_case *self)
{
	const char *ip = addresses[self->a];
	union address address;
	int server, client;

	sock_isolate();
	server = sock_listen(ip, SOCK_STREAM, 0, &address);
	close(server); /* nobody listens there now */
	client = sock_open(ip, SOCK_STREAM);
	if (self->b)
		set_nonblocking(client);
	actor_must(sock_connect(client, &address, NULL) < 0, "nobody answers");
	actor_must(errno == (self->b ? EINPROGRESS : ECONNREFUSED), "refused");
	if (self->b) {
		struct pollfd poll_fd = {.fd = client, .events = POLLOUT};

		actor_must(poll(&poll_fd, 1, 5000) == 1, "the refusal arrives");
	}
	close(client);
}

static void connect_unreachable(const struct actor_case *self)
{
	const char *ip = self->a ? "2001:db8::1" : "203.0.113.9";
	union address address = sock_address(ip, 443);
	int client;

	sock_isolate();
	client = sock_open(ip, self->b);
	actor_must(sock_connect(client, &address, NULL) < 0 && errno == ENETUNREACH, "no route");
	close(client);
}

/* Seven connections of one process, so that a count is wrong when one is missed. */
static void connect_again(const struct actor_case *self)
{
	union address address;
	int server;

	(void)self;
	sock_isolate();
	server = sock_listen("127.0.0.1", SOCK_STREAM, 0, &address);
	for (int i = 0; i < 7; i++) {
		int client = sock_open("127.0.0.1", SOCK_STREAM);

		actor_must(sock_connect(client, &address, NULL) == 0, "connect");
		close(client);
	}
	close(server);
}

/* A queue of one that nobody takes from: a second connection waits. Returns its client, and the queued one's. */
static int connect_waiting(union address *ret_address, int *ret_server, int *ret_queued)
{
	int client = sock_open("127.0.0.1", SOCK_STREAM);

	*ret_server = sock_listen("127.0.0.1", SOCK_STREAM, 0, ret_address);
	actor_must(listen(*ret_server, 0) == 0, "listen with a queue of one");
	*ret_queued = sock_open("127.0.0.1", SOCK_STREAM);
	actor_must(sock_connect(*ret_queued, ret_address, NULL) == 0, "fill the queue");
	return client;
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* A signal ends the wait, and the connection goes on. */
static void connect_interrupted(const struct actor_case *self)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval soon = {.it_value = {.tv_usec = 50000}};
	union address address;
	int server, queued, client;

	(void)self;
	sock_isolate();
	client = connect_waiting(&address, &server, &queued);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	actor_must(sock_connect(client, &address, NULL) < 0 && errno == EINTR, "interrupted");
	close(client);
	close(queued);
	close(server);
}

/* A call to ask how a connection goes names no new one, but it is a call, and tells how things stand. */
static void connect_asked_again(const struct actor_case *self)
{
	union address address;
	int server, queued, client;

	(void)self;
	sock_isolate();
	client = connect_waiting(&address, &server, &queued);
	set_nonblocking(client);
	actor_must(sock_connect(client, &address, NULL) < 0 && errno == EINPROGRESS, "begun");
	actor_must(sock_connect(client, &address, NULL) < 0 && errno == EALREADY, "goes on");
	actor_must(sock_connect(queued, &address, NULL) < 0 && errno == EISCONN, "was done");
	close(client);
	close(queued);
	close(server);
}

/* What is not a connection to an IP address. */
static void connect_other(const struct actor_case *self)
{
	struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
	struct sockaddr local = {.sa_family = AF_UNIX};
	int client = socket(AF_UNIX, SOCK_STREAM, 0), udp;

	(void)self;
	sock_isolate();
	strcpy(local.sa_data, "nobody");
	actor_must(connect(client, &local, sizeof(local)) < 0, "nobody listens there");
	actor_must(connect(-1, &local, sizeof(local)) < 0, "no socket");
	close(client);
	udp = sock_open("127.0.0.1", SOCK_DGRAM);
	actor_must(connect(udp, &unspecified, sizeof(unspecified)) == 0, "disconnect");
	close(udp);
}

void actor_add_connect(void)
{
	for (int i = 0; i < ADDRESS_COUNT; i++) {
		actor_add(connect_accepted, i, SOCK_STREAM, 0, "connect.tcp.%s", addresses[i]);
		actor_add(connect_accepted, i, SOCK_STREAM, 1, "connect.tcp_nonblocking.%s", addresses[i]);
		actor_add(connect_accepted, i, SOCK_DGRAM, 0, "connect.udp.%s", addresses[i]);
		actor_add(connect_refused, i, 0, 0, "connect.refused.%s", addresses[i]);
		actor_add(connect_refused, i, 1, 0, "connect.refused_nonblocking.%s", addresses[i]);
	}
	actor_add(connect_unreachable, 0, SOCK_STREAM, 0, "connect.unreachable.tcp4");
	actor_add(connect_unreachable, 1, SOCK_STREAM, 0, "connect.unreachable.tcp6");
	actor_add(connect_unreachable, 0, SOCK_DGRAM, 0, "connect.unreachable.udp4");
	actor_add(connect_again, 0, 0, 0, "connect.again");
	actor_add(connect_interrupted, 0, 0, 0, "connect.interrupted");
	actor_add(connect_asked_again, 0, 0, 0, "connect.asked_again");
	actor_add(connect_other, 0, 0, 0, "connect.other");
}
