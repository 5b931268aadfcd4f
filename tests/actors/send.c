/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every sending call on every kind of socket. Payloads are reproducible, so the judge knows their entropy. */
#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	SEGMENTS = 3,
	SIZE_MAX_SENT = 5003,
};

/* Primes: below and above one segment's share, above what entropy is taken over. */
static const size_t sizes[] = {1, 257, 4093, SIZE_MAX_SENT};

enum { SIZE_COUNT = sizeof(sizes) / sizeof(sizes[0]) };

struct payload {
	unsigned char data[SIZE_MAX_SENT];
	size_t len;
	struct iovec parts[SEGMENTS];
};

struct sender {
	const char *name;
	bool needs_connection;
	/* to: NULL when the socket is connected. Returns the number of bytes sent. */
	ssize_t (*send)(int fd, const union address *to, struct payload *payload);
};

static ssize_t send_send(int fd, const union address *to, struct payload *payload)
{
	(void)to;
	return send(fd, payload->data, payload->len, 0);
}

static ssize_t send_sendto(int fd, const union address *to, struct payload *payload)
{
	return sendto(fd, payload->data, payload->len, 0, to ? &to->any : NULL, to ? sock_length(to) : 0);
}

static struct msghdr message_of(const union address *to, struct payload *payload)
{
	return (struct msghdr){.msg_name = (void *)to,
			       .msg_namelen = to ? sock_length(to) : 0,
			       .msg_iov = payload->parts,
			       .msg_iovlen = SEGMENTS};
}

static ssize_t send_sendmsg(int fd, const union address *to, struct payload *payload)
{
	struct msghdr message = message_of(to, payload);

	return sendmsg(fd, &message, 0);
}

static ssize_t send_write(int fd, const union address *to, struct payload *payload)
{
	(void)to;
	return write(fd, payload->data, payload->len);
}

static ssize_t send_writev(int fd, const union address *to, struct payload *payload)
{
	(void)to;
	return writev(fd, payload->parts, SEGMENTS);
}

static ssize_t send_sendfile(int fd, const union address *to, struct payload *payload)
{
	static unsigned count;
	char name[32];
	int file;
	ssize_t sent;

	(void)to;
	/* each stays as it is: the sensor reads it after the fact */
	snprintf(name, sizeof(name), "payload.%u", count++);
	actor_must(unlink(name) == 0 || errno == ENOENT, "unlink");
	actor_file_make(name, payload->data, payload->len, 0644);
	file = open(name, O_RDONLY | O_CLOEXEC);
	sent = sendfile(fd, file, NULL, payload->len);
	close(file);
	return sent;
}

static const struct sender senders[] = {
	{"send", true, send_send},   {"sendto", false, send_sendto}, {"sendmsg", false, send_sendmsg},
	{"write", true, send_write}, {"writev", true, send_writev},  {"sendfile", true, send_sendfile},
};

enum { SENDER_COUNT = sizeof(senders) / sizeof(senders[0]) };

static void fill(struct payload *payload, size_t len, unsigned seed)
{
	size_t offset = 0;

	payload->len = len;
	actor_fill(payload->data, len, seed);
	for (int i = 0; i < SEGMENTS; i++) {
		size_t share = i + 1 < SEGMENTS ? len / SEGMENTS : len - offset;

		payload->parts[i] = (struct iovec){payload->data + offset, share};
		offset += share;
	}
}

/* The case's socket, connected or not, and somebody at the other end who reads nothing. */
static int open_pair(const struct actor_case *self, union address *ret_address)
{
	const char *ip = self->b ? "::1" : "127.0.0.1";
	bool connected = self->c != 2;
	int type = self->c == 0 ? SOCK_STREAM : SOCK_DGRAM, client;

	sock_isolate();
	sock_listen(ip, type, 0, ret_address);
	client = sock_open(ip, type);
	if (connected)
		actor_must(sock_connect(client, ret_address, NULL) == 0, "connect");
	return client;
}

static void send_each_size(const struct actor_case *self)
{
	union address address;
	int fd = open_pair(self, &address);
	const union address *to = self->c == 2 ? &address : NULL;
	struct payload payload;

	for (int i = 0; i < SIZE_COUNT; i++) {
		fill(&payload, sizes[i], (unsigned)(self->a * 7 + i));
		actor_must(senders[self->a].send(fd, to, &payload) == (ssize_t)payload.len, "send");
		sock_fact_sent(fd, to, payload.data, payload.len, NULL);
	}
}

/* One call, several messages: one event each. */
static void send_sendmmsg(const struct actor_case *self)
{
	static struct payload payloads[SIZE_COUNT];
	struct mmsghdr messages[SIZE_COUNT];
	union address address;
	int fd = open_pair(self, &address);
	const union address *to = self->c == 2 ? &address : NULL;

	for (int i = 0; i < SIZE_COUNT; i++) {
		fill(&payloads[i], sizes[i], (unsigned)i);
		messages[i] = (struct mmsghdr){.msg_hdr = message_of(to, &payloads[i])};
	}
	actor_must(sendmmsg(fd, messages, SIZE_COUNT, 0) == SIZE_COUNT, "sendmmsg");
	for (int i = 0; i < SIZE_COUNT; i++)
		sock_fact_sent(fd, to, payloads[i].data, payloads[i].len, NULL);
}

static void answer(int server)
{
	union address peer;
	socklen_t len = sizeof(peer);
	char text[8];

	actor_must(recvfrom(server, text, sizeof(text), 0, &peer.any, &len) == 5, "the server receives");
	actor_must(sendto(server, "reply", 5, 0, &peer.any, len) == 5, "the server answers");
	sock_fact_sent(server, &peer, "reply", 5, NULL);
}

/* A request and its answer; the servers are this process, too. */
static void exchange(const struct actor_case *self)
{
	union address address;
	int server = sock_listen("127.0.0.1", self->a, 0, &address), client = sock_open("127.0.0.1", self->a);

	if (self->a == SOCK_DGRAM) {
		actor_must(sendto(client, "hello", 5, 0, &address.any, sock_length(&address)) == 5, "sendto");
		sock_fact_sent(client, &address, "hello", 5, NULL);
		answer(server);
		return;
	}
	actor_must(sock_connect(client, &address, NULL) == 0, "connect");
	actor_must(send(client, "hello", 5, 0) == 5, "send");
	sock_fact_sent(client, NULL, "hello", 5, NULL);
	server = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	actor_must(server >= 0 && write(server, "reply", 5) == 5, "answer");
	sock_fact_sent(server, NULL, "reply", 5, NULL);
}

static void exchange_isolated(const struct actor_case *self)
{
	sock_isolate();
	exchange(self);
}

/* Local sockets and pipes are no business of the network events. */
static void send_other(const struct actor_case *self)
{
	int pair[2];

	(void)self;
	actor_must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && send(pair[0], "hello", 5, 0) == 5,
		   "send");
	actor_must(write(pair[1], "hello", 5) == 5, "write");
}

void actor_add_send(void)
{
	static const char *const kinds[] = {"tcp", "udp", "udp_unconnected"};

	for (int kind = 0; kind < 3; kind++)
		for (int v6 = 0; v6 < 2; v6++) {
			const char *version = v6 ? "6" : "4";

			for (int i = 0; i < SENDER_COUNT; i++)
				if (kind < 2 || !senders[i].needs_connection)
					actor_add(send_each_size, i, v6, kind, "send_data.%s%s.%s",
						  kinds[kind], version, senders[i].name);
			actor_add(send_sendmmsg, 0, v6, kind, "send_data.%s%s.sendmmsg", kinds[kind],
				  version);
		}
	actor_add(exchange, SOCK_STREAM, 0, 0, "send_data.exchange.tcp");
	actor_add(exchange, SOCK_DGRAM, 0, 0, "send_data.exchange.udp");
	actor_add(exchange_isolated, SOCK_STREAM, 0, 0, "send_data.exchange.tcp_isolated");
	actor_add(send_other, 0, 0, 0, "send_data.other");
}
