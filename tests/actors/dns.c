/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers of a DNS server of our own, received by every call that can, and connections to what they name. */
#include "dns.h"
#include "sock.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { UDP4, UDP6, UDP4_UNCONNECTED, TCP4 };

struct client {
	int fd;
	const union address *to; /* NULL: connected */
	bool stream;
	union address server;
};

struct receiver {
	const char *name;
	/* Receives one message, on a stream with its two bytes of length. */
	ssize_t (*receive)(const struct client *client, unsigned char *buf, size_t size);
	bool needs_connection;
	bool needs_stream;
};

static ssize_t receive_recv(const struct client *client, unsigned char *buf, size_t size)
{
	return recv(client->fd, buf, size, 0);
}

static ssize_t receive_recvfrom(const struct client *client, unsigned char *buf, size_t size)
{
	union address from;
	socklen_t len = sizeof(from);

	return recvfrom(client->fd, buf, size, 0, &from.any, &len);
}

static ssize_t receive_recvmsg(const struct client *client, unsigned char *buf, size_t size)
{
	union address from;
	/* In two parts, the first shorter than a header. */
	struct iovec parts[2] = {{buf, 5}, {buf + 5, size - 5}};
	struct msghdr message = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = parts, .msg_iovlen = 2};

	return recvmsg(client->fd, &message, 0);
}

static ssize_t receive_recvmmsg(const struct client *client, unsigned char *buf, size_t size)
{
	union address from;
	struct iovec part = {buf, size};
	struct mmsghdr message = {
		.msg_hdr = {
			.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1}};

	return recvmmsg(client->fd, &message, 1, 0, NULL) == 1 ? (ssize_t)message.msg_len : -1;
}

static ssize_t receive_read(const struct client *client, unsigned char *buf, size_t size)
{
	return read(client->fd, buf, size);
}

static ssize_t receive_readv(const struct client *client, unsigned char *buf, size_t size)
{
	struct iovec parts[2] = {{buf, 20}, {buf + 20, size - 20}};

	return readv(client->fd, parts, 2);
}

/* As the C library does it on a stream: the length, then the message. */
static ssize_t receive_in_two(const struct client *client, unsigned char *buf, size_t size)
{
	(void)size;
	actor_must(recv(client->fd, buf, 2, MSG_WAITALL) == 2, "receive a length");
	return 2 + recv(client->fd, buf + 2, (size_t)(buf[0] << 8 | buf[1]), MSG_WAITALL);
}

static const struct receiver receivers[] = {
	{"recv", receive_recv, true, false},          {"recvfrom", receive_recvfrom, false, false},
	{"recvmsg", receive_recvmsg, false, false},   {"recvmmsg", receive_recvmmsg, false, false},
	{"read", receive_read, true, false},          {"readv", receive_readv, true, false},
	{"length_first", receive_in_two, true, true},
};

enum { RECEIVER_COUNT = sizeof(receivers) / sizeof(receivers[0]), RECVFROM = 1, READ = 4 };

static struct client open_client(enum kind kind)
{
	static union address server;
	struct client client = {.stream = kind == TCP4};
	const char *ip = kind == UDP6 ? "::1" : "127.0.0.1";

	server = client.server = sock_address(ip, 53);
	client.fd = sock_open(ip, kind == TCP4 ? SOCK_STREAM : SOCK_DGRAM);
	if (kind == UDP4_UNCONNECTED)
		client.to = &server;
	else
		actor_must(sock_connect(client.fd, &server, NULL) == 0, "connect to the server");
	return client;
}

static void ask(const struct client *client, const char *name)
{
	unsigned char message[512];
	size_t prefix = client->stream ? 2 : 0, len;

	len = dns_put_question(message + prefix, 0x4b55, name, dns_zone_find(name)->type);
	message[0] = client->stream ? 0 : message[0];
	if (client->stream)
		message[1] = (unsigned char)len;
	len += prefix;
	actor_must(sendto(client->fd, message, len, 0, client->to ? &client->to->any : NULL,
			  client->to ? sock_length(client->to) : 0) == (ssize_t)len,
		   "send a question");
	sock_fact_sent(client->fd, client->to, message, len, NULL);
}

/* How many records can be read. */
static int readable(const struct dns_zone *zone)
{
	if (zone->damage == DNS_CUT || zone->damage == DNS_LOOPING)
		return 1;
	return zone->damage == DNS_SHORT ? 0 : dns_zone_records(zone);
}

/* The records from index on that have the same owner, as one fact. Returns the index behind them. */
static int state_owner(const struct client *client, const struct dns_zone *zone, int index, bool cut)
{
	char values[DNS_MESSAGE_MAX] = "", buf[64];
	struct dns_record first = dns_zone_record(zone, index, buf), record = first;
	struct fact fact;

	for (; index < readable(zone); index++) {
		record = dns_zone_record(zone, index, buf);
		if (strcmp(record.owner, first.owner) != 0)
			break;
		snprintf(values + strlen(values), sizeof(values) - strlen(values), "%s%s", *values ? ";" : "",
			 record.value);
	}
	facts_begin(&fact, "dns");
	sock_describe(&fact, client->fd, &client->server);
	facts_string(&fact, "query", first.owner);
	facts_number(&fact, "query_type", zone->type);
	facts_string(&fact, "response", values);
	facts_string(&fact, "asked", strcmp(first.owner, zone->name) == 0 ? "" : zone->name);
	facts_bool(&fact, "truncated", cut || zone->damage == DNS_CUT);
	facts_bool(&fact, "malformed", zone->damage == DNS_LOOPING);
	facts_bool(&fact, "partial", cut);
	facts_bool(&fact, "unasked", zone->records[0].owner != NULL);
	facts_end(&fact);
	return index;
}

static void state_answer(const struct client *client, const struct dns_zone *zone, ssize_t len)
{
	for (int i = 0; i < readable(zone);)
		i = state_owner(client, zone, i, len > 4096);
}

static void resolve(const struct client *client, const char *name, const struct receiver *receiver)
{
	static unsigned char message[DNS_MESSAGE_MAX];
	ssize_t len;

	ask(client, name);
	len = receiver->receive(client, message, sizeof(message));
	actor_must(len > 0, "receive an answer");
	state_answer(client, dns_zone_find(name), len);
}

static void dns_receiver(const struct actor_case *self)
{
	struct client client;
	pid_t server;

	sock_isolate();
	server = dns_server_start();
	client = open_client((enum kind)self->b);
	resolve(&client, "a.kunai.test", &receivers[self->a]);
	resolve(&client, "alias.kunai.test", &receivers[self->a]);
	dns_server_stop(server);
}

/* One call that receives three messages. */
static void dns_three_at_once(const struct actor_case *self)
{
	static const char *const names[] = {"a.kunai.test", "many.kunai.test", "six.kunai.test"};
	static unsigned char data[3][DNS_MESSAGE_MAX];
	struct mmsghdr messages[3];
	struct iovec parts[3];
	union address from[3];
	struct client client;
	pid_t server;

	sock_isolate();
	server = dns_server_start();
	client = open_client((enum kind)self->b);
	for (int i = 0; i < 3; i++) {
		parts[i] = (struct iovec){data[i], sizeof(data[i])};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
							   .msg_namelen = sizeof(from[i]),
							   .msg_iov = &parts[i],
							   .msg_iovlen = 1}};
		ask(&client, names[i]);
	}
	actor_must(recvmmsg(client.fd, messages, 3, 0, NULL) == 3, "recvmmsg");
	for (int i = 0; i < 3; i++)
		state_answer(&client, dns_zone_find(names[i]), (ssize_t)messages[i].msg_len);
	dns_server_stop(server);
}

/* Connects to the address and sends something there. */
static void use_address(const char *ip, const char *hostname, int type)
{
	union address address;
	int listener = sock_listen(strchr(ip, ':') ? "::" : "0.0.0.0", type, 0, &address), fd;
	unsigned port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);

	address = sock_address(ip, port);
	fd = sock_open(ip, type);
	actor_must(sock_connect(fd, &address, hostname) == 0, "connect to a resolved address");
	actor_must(send(fd, "hello", 5, 0) == 5, "send to a resolved address");
	sock_fact_sent(fd, NULL, "hello", 5, hostname);
	close(fd);
	close(listener);
}

static void use_answer(const struct dns_zone *zone, int type)
{
	int count = readable(zone);
	char buf[64];

	/* The first and the last of many say enough. */
	for (int i = 0; i<count; i += count> 1 && i + 1 < count ? count - 1 : 1) {
		struct dns_record record = dns_zone_record(zone, i, buf);

		if (record.type == DNS_A || record.type == DNS_AAAA)
			use_address(record.value, strncmp(record.value, "127.", 4) == 0 ? "?" : record.owner,
				    type);
	}
}

/* What is answered, and by which name the addresses are known afterwards. */
static void dns_zone(const struct actor_case *self)
{
	const struct dns_zone *zone = &dns_zones[self->a];
	struct client client;
	pid_t server;

	sock_isolate();
	server = dns_server_start();
	client = open_client((enum kind)self->b);
	resolve(&client, zone->name, &receivers[self->b == TCP4 ? READ : RECVFROM]);
	if (!zone->generated)
		use_answer(zone, self->b == TCP4 ? SOCK_STREAM : SOCK_DGRAM);
	dns_server_stop(server);
}

/* Another process resolved it: the name is known all the same. */
static void dns_other_process(const struct actor_case *self)
{
	pid_t server, pid;

	(void)self;
	sock_isolate();
	server = dns_server_start();
	pid = actor_fork();
	if (pid == 0) {
		struct client client = open_client(UDP4);

		resolve(&client, "many.kunai.test", &receivers[RECVFROM]);
		actor_exit(0);
	}
	actor_wait(pid);
	use_address("10.99.2.5", "many.kunai.test", SOCK_STREAM);
	use_address("10.99.77.77", "?", SOCK_STREAM);
	dns_server_stop(server);
}

/* The latest name of an address is its name. */
static void dns_latest(const struct actor_case *self)
{
	struct client client;
	pid_t server;

	(void)self;
	sock_isolate();
	server = dns_server_start();
	client = open_client(UDP4);
	resolve(&client, "first.kunai.test", &receivers[RECVFROM]);
	use_address("10.99.9.1", "first.kunai.test", SOCK_STREAM);
	resolve(&client, "second.kunai.test", &receivers[RECVFROM]);
	use_address("10.99.9.1", "second.kunai.test", SOCK_STREAM);
	dns_server_stop(server);
}

void actor_add_dns(void)
{
	static const char *const kinds[] = {"udp4", "udp6", "udp4_unconnected", "tcp4"};

	for (int kind = UDP4; kind <= TCP4; kind++)
		for (int i = 0; i < RECEIVER_COUNT; i++)
			if ((kind != UDP4_UNCONNECTED || !receivers[i].needs_connection) &&
			    (kind == TCP4 || !receivers[i].needs_stream))
				actor_add(dns_receiver, i, kind, 0, "dns.%s.%s", kinds[kind],
					  receivers[i].name);
	actor_add(dns_three_at_once, 0, UDP4, 0, "dns.udp4.three_at_once");
	actor_add(dns_three_at_once, 0, UDP4_UNCONNECTED, 0, "dns.udp4_unconnected.three_at_once");
	for (int i = 0; i < dns_zone_count; i++) {
		/* An answer beyond 4 KiB comes over TCP, and one shorter than a header only over UDP. */
		if (dns_zones[i].generated * 16 < 4000)
			actor_add(dns_zone, i, UDP4, 0, "dns.zone.udp.%s", dns_zones[i].name);
		if (dns_zones[i].damage != DNS_SHORT)
			actor_add(dns_zone, i, TCP4, 0, "dns.zone.tcp.%s", dns_zones[i].name);
	}
	actor_add(dns_other_process, 0, 0, 0, "dns.other_process");
	actor_add(dns_latest, 0, 0, 0, "dns.latest");
}
