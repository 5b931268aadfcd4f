/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PAYLOAD_MAX = 4096 }; /* what the sensor looks at */

/* struct in6_ifreq of linux/ipv6.h, which does not go with netinet/in.h. */
struct ipv6_request {
	struct in6_addr address;
	uint32_t prefix;
	int index;
};

union address sock_address(const char *ip, unsigned port)
{
	union address address = {.v6 = {0}};

	if (strchr(ip, ':')) {
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_port = htons((uint16_t)port);
		actor_must(inet_pton(AF_INET6, ip, &address.v6.sin6_addr) == 1, ip);
	} else {
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons((uint16_t)port);
		actor_must(inet_pton(AF_INET, ip, &address.v4.sin_addr) == 1, ip);
	}
	return address;
}

socklen_t sock_length(const union address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

/* A loopback device takes the whole prefix as its own, so one address serves for all of 10.99/16. */
static void add_v4(int fd, const char *device, const char *ip, const char *mask)
{
	struct ifreq request = {.ifr_flags = 0};
	union address address = sock_address(ip, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	memcpy(&request.ifr_addr, &address.v4, sizeof(address.v4));
	actor_must(ioctl(fd, SIOCSIFADDR, &request) == 0, "set an address");
	address = sock_address(mask, 0);
	memcpy(&request.ifr_netmask, &address.v4, sizeof(address.v4));
	actor_must(ioctl(fd, SIOCSIFNETMASK, &request) == 0, "set a netmask");
}

static void add_v6(int fd, const char *ip)
{
	union address address = sock_address(ip, 0);
	struct ipv6_request request = {.address = address.v6.sin6_addr, .prefix = 64, .index = 1};

	actor_must(ioctl(fd, SIOCSIFADDR, &request) == 0, "set an IPv6 address");
	/* The kernel makes it usable a moment later, from a work queue. */
	for (int tries = 0; bind(fd, &address.any, sizeof(address.v6)) < 0; tries++) {
		actor_must(errno == EADDRNOTAVAIL && tries < 1000, "use the IPv6 address");
		usleep(1000);
	}
}

void sock_isolate(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		actor_skip("no network namespaces here");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	actor_must(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0, "bring lo up");
	add_v4(fd, "lo:1", "10.99.0.1", "255.255.0.0");
	add_v4(fd, "lo:2", "1.2.3.4", "255.255.255.255");
	close(fd);
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		actor_skip("no IPv6 here");
	add_v6(fd, "fd99::1");
	close(fd);
}

int sock_open(const char *ip, int type)
{
	int fd = socket(strchr(ip, ':') ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);

	actor_must(fd >= 0, "socket");
	return fd;
}

int sock_listen(const char *ip, int type, unsigned port, union address *ret_address)
{
	union address address = sock_address(ip, port);
	socklen_t len = sizeof(address);
	int fd = sock_open(ip, type), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	actor_must(bind(fd, &address.any, sock_length(&address)) == 0, "bind");
	if (type == SOCK_STREAM)
		actor_must(listen(fd, 16) == 0, "listen");
	actor_must(getsockname(fd, &address.any, &len) == 0, "getsockname");
	*ret_address = address;
	return fd;
}

static void describe_address(struct fact *fact, const char *ip_key, const char *port_key,
			     const union address *address)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address->v6.sin6_addr, text, sizeof(text));
		facts_number(fact, port_key, ntohs(address->v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &address->v4.sin_addr, text, sizeof(text));
		facts_number(fact, port_key, ntohs(address->v4.sin_port));
	}
	facts_string(fact, ip_key, text);
}

static int socket_option(int fd, int option)
{
	socklen_t len = sizeof(int);
	int value = -1;

	actor_must(getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0, "getsockopt");
	return value;
}

void sock_describe(struct fact *fact, int fd, const union address *to)
{
	union address local = {.v6 = {0}}, peer;
	socklen_t len = sizeof(local);

	facts_number(fact, "domain", socket_option(fd, SO_DOMAIN));
	facts_number(fact, "type", socket_option(fd, SO_TYPE));
	facts_number(fact, "proto", socket_option(fd, SO_PROTOCOL));
	actor_must(getsockname(fd, &local.any, &len) == 0, "getsockname");
	describe_address(fact, "src_ip", "src_port", &local);
	if (!to) {
		len = sizeof(peer);
		actor_must(getpeername(fd, &peer.any, &len) == 0, "getpeername");
		to = &peer;
	}
	describe_address(fact, "dst_ip", "dst_port", to);
}

int sock_connect(int fd, const union address *to, const char *hostname)
{
	int status = connect(fd, &to->any, sock_length(to)), error = status < 0 ? errno : 0;
	struct fact fact;

	facts_begin(&fact, "connect");
	sock_describe(&fact, fd, to);
	facts_bool(&fact, "connected",
		   status == 0 || error == EINPROGRESS || error == EALREADY || error == EISCONN ||
			   error == EINTR);
	facts_number(&fact, "error", error);
	facts_string(&fact, "hostname", hostname ? hostname : "?");
	facts_end(&fact);
	errno = error;
	return status;
}

void sock_fact_sent(int fd, const union address *to, const void *data, size_t len, const char *hostname)
{
	struct fact fact;

	facts_begin(&fact, "send");
	sock_describe(&fact, fd, to);
	facts_number(&fact, "size", (long long)len);
	facts_bytes(&fact, "data", data, len < PAYLOAD_MAX ? len : PAYLOAD_MAX);
	facts_string(&fact, "hostname", hostname ? hostname : "?");
	facts_bool(&fact, "unconnected", to != NULL);
	facts_end(&fact);
}
