/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns.h"
#include "sock.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEADER_SIZE = 12, PADDING = 11 };

const struct dns_zone dns_zones[] = {
	{"a.kunai.test", DNS_A, DNS_SOUND, 0, {{NULL, DNS_A, "10.99.1.1"}}},
	{"many.kunai.test",
	 DNS_A,
	 DNS_SOUND,
	 0,
	 {{NULL, DNS_A, "10.99.2.1"},
	  {NULL, DNS_A, "10.99.2.2"},
	  {NULL, DNS_A, "10.99.2.3"},
	  {NULL, DNS_A, "10.99.2.4"},
	  {NULL, DNS_A, "10.99.2.5"},
	  {NULL, DNS_A, "10.99.2.6"},
	  {NULL, DNS_A, "10.99.2.7"}}},
	{"six.kunai.test", DNS_AAAA, DNS_SOUND, 0, {{NULL, DNS_AAAA, "fd99::1"}}},
	{"alias.kunai.test",
	 DNS_A,
	 DNS_SOUND,
	 0,
	 {{NULL, DNS_CNAME, "real.kunai.test"}, {"real.kunai.test", DNS_A, "10.99.3.1"}}},
	{"chain.kunai.test",
	 DNS_A,
	 DNS_SOUND,
	 0,
	 {{NULL, DNS_CNAME, "one.kunai.test"},
	  {"one.kunai.test", DNS_CNAME, "two.kunai.test"},
	  {"two.kunai.test", DNS_CNAME, "three.kunai.test"},
	  {"three.kunai.test", DNS_A, "10.99.4.1"},
	  {"three.kunai.test", DNS_A, "10.99.4.2"}}},
	{"cut.kunai.test",
	 DNS_A,
	 DNS_CUT,
	 0,
	 {{NULL, DNS_A, "10.99.5.1"}, {NULL, DNS_A, "10.99.5.2"}, {NULL, DNS_A, "10.99.5.3"}}},
	{"padded.kunai.test", DNS_A, DNS_PADDED, 0, {{NULL, DNS_A, "10.99.6.1"}}},
	{"looping.kunai.test",
	 DNS_A,
	 DNS_LOOPING,
	 0,
	 {{NULL, DNS_A, "10.99.7.1"}, {NULL, DNS_A, "10.99.7.2"}}},
	{"short.kunai.test", DNS_A, DNS_SHORT, 0, {{NULL, DNS_A, "10.99.8.1"}}},
	{"nobody.kunai.test", DNS_A, DNS_NOBODY, 0, {{0}}},
	{"first.kunai.test", DNS_A, DNS_SOUND, 0, {{NULL, DNS_A, "10.99.9.1"}}},
	{"second.kunai.test", DNS_A, DNS_SOUND, 0, {{NULL, DNS_A, "10.99.9.1"}}},
	{"unasked.kunai.test",
	 DNS_A,
	 DNS_SOUND,
	 0,
	 {{"other.kunai.test", DNS_A, "10.99.12.1"}, {"third.kunai.test", DNS_A, "10.99.12.2"}}},
	{"local.kunai.test", DNS_A, DNS_SOUND, 0, {{NULL, DNS_A, "127.0.0.99"}}},
	{"text.kunai.test", DNS_TXT, DNS_SOUND, 0, {{NULL, DNS_TXT, "plain"}}},
	{"mail.kunai.test", DNS_MX, DNS_SOUND, 0, {{NULL, DNS_MX, "mx.kunai.test"}}},
	{"big.kunai.test", DNS_A, DNS_SOUND, 199, {{0}}},
	{"huge.kunai.test", DNS_A, DNS_SOUND, 307, {{0}}},
};

const int dns_zone_count = sizeof(dns_zones) / sizeof(dns_zones[0]);

const struct dns_zone *dns_zone_find(const char *name)
{
	for (int i = 0; i < dns_zone_count; i++)
		if (strcmp(dns_zones[i].name, name) == 0)
			return &dns_zones[i];
	return NULL;
}

int dns_zone_records(const struct dns_zone *zone)
{
	int count = zone->generated;

	while (!zone->generated && count < DNS_RECORDS_MAX && zone->records[count].type)
		count++;
	return count;
}

struct dns_record dns_zone_record(const struct dns_zone *zone, int index, char *buf)
{
	struct dns_record record = {.type = DNS_A, .value = buf};

	if (zone->generated)
		snprintf(buf, INET6_ADDRSTRLEN, "10.99.%d.%d", 10 + index / 250, 1 + index % 250);
	else
		record = zone->records[index];
	if (!record.owner)
		record.owner = zone->name;
	return record;
}

static unsigned char *put_u16(unsigned char *out, unsigned value)
{
	out[0] = (unsigned char)(value >> 8);
	out[1] = (unsigned char)value;
	return out + 2;
}

static unsigned char *put_name(unsigned char *out, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		*out++ = (unsigned char)len;
		memcpy(out, name, len);
		out += len;
		name += len + (name[len] == '.');
	}
	*out++ = 0;
	return out;
}

static size_t get_name(const unsigned char *in, char *name)
{
	size_t offset = 0;

	for (*name = 0; in[offset]; offset += in[offset] + 1u)
		snprintf(name + strlen(name), 256 - strlen(name), "%s%.*s", *name ? "." : "", in[offset],
			 (const char *)in + offset + 1);
	return offset + 1;
}

size_t dns_put_question(unsigned char *out, unsigned id, const char *name, int type)
{
	unsigned char *end = put_u16(out, id);

	end = put_u16(end, 0x0100); /* recursion desired */
	end = put_u16(end, 1);
	end = put_u16(end, 0);
	end = put_u16(end, 0);
	end = put_u16(end, 0);
	end = put_name(end, name);
	end = put_u16(end, (unsigned)type);
	return (size_t)(put_u16(end, 1) - out);
}

static unsigned char *put_value(unsigned char *out, const struct dns_record *record)
{
	unsigned char *end = out + 2;

	if (record->type == DNS_A)
		end += inet_pton(AF_INET, record->value, end) == 1 ? 4 : 0;
	else if (record->type == DNS_AAAA)
		end += inet_pton(AF_INET6, record->value, end) == 1 ? 16 : 0;
	else if (record->type == DNS_TXT) {
		*end++ = (unsigned char)strlen(record->value);
		memcpy(end, record->value, strlen(record->value));
		end += strlen(record->value);
	} else {
		if (record->type == DNS_MX)
			end = put_u16(end, 10);
		end = put_name(end, record->value);
	}
	put_u16(out, (unsigned)(end - out - 2));
	return end;
}

/* Names are compressed where they repeat: pointers are what a parser gets wrong. */
static unsigned char *put_record(unsigned char *message, unsigned char *out, const struct dns_record *record,
				 bool is_question, size_t *last_target)
{
	unsigned char *value;

	if (is_question)
		out = put_u16(out, 0xc000 | HEADER_SIZE);
	else if (*last_target)
		out = put_u16(out, 0xc000 | (unsigned)*last_target);
	else
		out = put_name(out, record->owner);
	out = put_u16(out, (unsigned)record->type);
	out = put_u16(out, 1);
	out = put_u16(out, 0);
	value = put_u16(out, 300); /* seconds to live */
	if (record->type == DNS_CNAME)
		*last_target = (size_t)(value - message) + 2;
	return put_value(value, record);
}

/* Turns the question in the message into its answer. Returns the new length. */
static size_t put_answer(unsigned char *message, const struct dns_zone *zone, size_t question_end)
{
	unsigned char *out = message + question_end;
	int count = dns_zone_records(zone);
	char buf[INET6_ADDRSTRLEN];
	size_t last_target = 0;

	put_u16(message + 2, zone->damage == DNS_CUT ? 0x8380 : zone->damage == DNS_NOBODY ? 0x8183 : 0x8180);
	put_u16(message + 6, (unsigned)count);
	put_u16(message + 10, 0);
	for (int i = 0; i < count; i++) {
		struct dns_record record = dns_zone_record(zone, i, buf);
		unsigned char *start = out;

		out = put_record(message, out, &record, strcmp(record.owner, zone->name) == 0, &last_target);
		if (i == 1 && zone->damage == DNS_CUT)
			return (size_t)(start - message) + 7;
		if (i == 1 && zone->damage == DNS_LOOPING)
			put_u16(start, 0xc000 | (unsigned)(start - message));
	}
	if (zone->damage == DNS_PADDED) {
		memset(out, 0, PADDING);
		out += PADDING;
	}
	return zone->damage == DNS_SHORT ? 7 : (size_t)(out - message);
}

static size_t answer(unsigned char *message)
{
	char name[256];
	size_t end = HEADER_SIZE + get_name(message + HEADER_SIZE, name) + 4;
	const struct dns_zone *zone = dns_zone_find(name);

	return zone ? put_answer(message, zone, end) : 0;
}

static void serve_datagram(int fd)
{
	unsigned char message[DNS_MESSAGE_MAX];
	union address peer;
	socklen_t len = sizeof(peer);
	ssize_t size = recvfrom(fd, message, sizeof(message), 0, &peer.any, &len);

	if (size > HEADER_SIZE)
		sendto(fd, message, answer(message), 0, &peer.any, len);
}

static void serve_stream(int listener)
{
	unsigned char message[2 + DNS_MESSAGE_MAX];
	int fd = accept(listener, NULL, NULL);

	while (read(fd, message, sizeof(message)) > 2 + HEADER_SIZE) {
		size_t size = answer(message + 2);

		put_u16(message, (unsigned)size);
		if (write(fd, message, 2 + size) < 0)
			break;
	}
	close(fd);
}

static void serve(struct pollfd *fds, int count)
{
	for (;;) {
		poll(fds, (nfds_t)count, -1);
		for (int i = 0; i < count; i++)
			if (fds[i].revents && i < 2)
				serve_datagram(fds[i].fd);
			else if (fds[i].revents)
				serve_stream(fds[i].fd);
	}
}

pid_t dns_server_start(void)
{
	union address address;
	struct pollfd fds[] = {{sock_listen("127.0.0.1", SOCK_DGRAM, 53, &address), POLLIN, 0},
			       {sock_listen("::1", SOCK_DGRAM, 53, &address), POLLIN, 0},
			       {sock_listen("127.0.0.1", SOCK_STREAM, 53, &address), POLLIN, 0}};
	struct fact fact;
	pid_t pid = actor_fork();

	if (pid == 0) {
		facts_begin(&fact, "ignore");
		facts_end(&fact);
		serve(fds, 3);
	}
	for (int i = 0; i < 3; i++)
		close(fds[i].fd);
	return pid;
}

void dns_server_stop(pid_t pid)
{
	actor_kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
