/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "play.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	DNS_HEADER = 12,
	DNS_MESSAGE_MAX = 4096,
};

struct peer play_peer_of(const char *ip, const char *port)
{
	struct peer p = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&p.address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&p.address;

	if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)atoi(port));
	} else if (inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)atoi(port));
		p.len = sizeof(*v6);
	}
	return p;
}

/* Every address is this machine's: somebody takes the connection and what comes over it. */
static pid_t start_peer(const struct peer *p)
{
	static char sink[65536];
	const int yes = 1;

	int fd = socket(p->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (const struct sockaddr *)&p->address, p->len) < 0 || listen(fd, 1) < 0) {
		close(fd);
		return -1;
	}
	pid_t pid = fork();
	if (pid == 0) {
		int from = accept(fd, NULL, NULL);
		while (read(from, sink, sizeof(sink)) > 0)
			continue;
		_exit(0);
	}
	close(fd);
	return pid;
}

static char *payload(const char *kind, size_t size)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog. ";
	char *data = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		data[i] = text[i % (sizeof(text) - 1)];
	for (size_t at = 0; !strcmp(kind, "random") && at < size;) {
		ssize_t n = getrandom(data + at, size - at, 0);
		at += n > 0 ? (size_t)n : 0;
	}
	return data;
}

/* connect IP PORT [SIZE random|text]: TCP, and what is sent. */
void do_connect(struct step *s)
{
	struct peer p = play_peer_of(s->words[1], s->words[2]);
	pid_t other = start_peer(&p);
	size_t size = s->count > 4 ? strtoul(s->words[3], NULL, 0) : 0;

	int fd = socket(p.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)&p.address, p.len) < 0 && other > 0)
		play_fail("connect to", s->words[1]);
	if (size && size <= PAYLOAD_MAX) {
		char *data = payload(s->words[4], size);
		send(fd, data, size, MSG_NOSIGNAL);
		free(data);
	}
	close(fd);
	if (other > 0)
		play_wait_for(other);
}

/* udp IP PORT SIZE random|text */
void do_udp(struct step *s)
{
	struct peer p = play_peer_of(s->words[1], s->words[2]);
	size_t size = strtoul(s->words[3], NULL, 0);
	char *data = payload(s->words[4], size);

	int fd = socket(p.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)&p.address, p.len) < 0 || send(fd, data, size, 0) < 0)
		play_fail("send to", s->words[1]);
	close(fd);
	free(data);
}

/* icmp IP SIZE: an echo request with a payload. */
void do_icmp(struct step *s)
{
	struct peer p = play_peer_of(s->words[1], "0");
	size_t size = strtoul(s->words[2], NULL, 0);
	char *data = payload("random", size);

	data[0] = 8;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (sendto(fd, data, size, 0, (const struct sockaddr *)&p.address, p.len) < 0)
		play_fail("send to", s->words[1]);
	close(fd);
	free(data);
}

static unsigned char *put_name(unsigned char *at, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");
		*at++ = (unsigned char)len;
		memcpy(at, name, len);
		at += len;
		name += len + (name[len] == '.');
	}
	*at++ = 0;
	return at;
}

static unsigned char *put_u16(unsigned char *at, unsigned value)
{
	*at++ = (unsigned char)(value >> 8);
	*at++ = (unsigned char)value;
	return at;
}

static unsigned type_of(const char *name)
{
	static const struct {
		const char *name;
		unsigned type;
	} types[] = {{"A", 1}, {"CNAME", 5}, {"NULL", 10}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (!strcmp(types[i].name, name))
			return types[i].type;
	}
	return 1;
}

static unsigned char *put_answer(unsigned char *at, unsigned type, const char *text)
{
	unsigned char data[DNS_MESSAGE_MAX / 2];
	unsigned char *end = data;

	if (type == 1 || type == 28) {
		inet_pton(type == 1 ? AF_INET : AF_INET6, text, data);
		end += type == 1 ? 4 : 16;
	} else if (type == 16) {
		*end++ = (unsigned char)strlen(text);
		end = (unsigned char *)stpcpy((char *)end, text);
	} else {
		end = put_name(type == 15 ? put_u16(end, 10) : end, text);
	}
	at = put_u16(put_u16(put_u16(at, 0xc000 | DNS_HEADER), type), 1);
	at = put_u16(put_u16(at, 0), 300);
	at = put_u16(at, (unsigned)(end - data));
	memcpy(at, data, (size_t)(end - data));
	return at + (end - data);
}

static void ask(const char *server_ip, char **words, int count)
{
	unsigned char query[512], answer[DNS_MESSAGE_MAX];
	struct peer server = play_peer_of(server_ip, "53"), client = {.len = sizeof(client.address)};
	const int yes = 1;
	unsigned type = type_of(words[1]);

	int listening = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	unsigned char *end = put_u16(put_u16(query, 4711), 0x0100);
	end = put_u16(put_u16(put_u16(put_u16(end, 1), 0), 0), 0);
	end = put_u16(put_u16(put_name(end, words[0]), type), 1);
	size_t asked = (size_t)(end - query);
	memcpy(answer, query, asked);
	put_u16(answer + 2, 0x8180);
	put_u16(answer + 6, (unsigned)(count - 2));
	end = answer + asked;
	for (int i = 2; i < count; i++)
		end = put_answer(end, type, words[i]);
	if (bind(listening, (struct sockaddr *)&server.address, server.len) < 0 ||
	    connect(fd, (struct sockaddr *)&server.address, server.len) < 0 ||
	    send(fd, query, asked, 0) < 0 ||
	    recvfrom(listening, query, sizeof(query), 0, (struct sockaddr *)&client.address, &client.len) <
		    0 ||
	    sendto(listening, answer, (size_t)(end - answer), 0, (struct sockaddr *)&client.address,
		   client.len) < 0 ||
	    recv(fd, answer, sizeof(answer), 0) < 0)
		play_fail("ask for", words[0]);
	close(fd);
	close(listening);
}

/* dns NAME TYPE ANSWER...: asks a server of its own. */
void do_dns(struct step *s)
{
	ask("127.0.0.53", s->words + 1, s->count - 1);
}

/* dns-at IP NAME TYPE ANSWER... */
void do_dns_at(struct step *s)
{
	ask(s->words[1], s->words + 2, s->count - 2);
}

/* filter: on all packets that pass. */
void do_filter(struct step *s)
{
	struct sock_filter code[] = {{BPF_RET | BPF_K, 0, 0, 0xffff}};
	const struct sock_fprog program = {1, code};

	(void)s;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		play_fail("attach", "a filter");
	close(fd);
}
