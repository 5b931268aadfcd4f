/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/golden/cases.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "tests/unit/dns_packets.h"

static void put_address(struct wire_sock *sock, uint8_t at[16], const char *text)
{
	if (inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, at) != 1)
		abort();
	sock->family = strchr(text, ':') ? AF_INET6 : AF_INET;
}

void golden_fill_sock(struct wire_sock *sock, int type, int protocol, const char *src, uint16_t src_port,
		      const char *dst, uint16_t dst_port)
{
	put_address(sock, sock->src, src);
	put_address(sock, sock->dst, dst);
	sock->type = (uint16_t)type;
	sock->protocol = (uint16_t)protocol;
	sock->src_port = src_port;
	sock->dst_port = dst_port;
}

static void connect_to(const char *src, uint16_t src_port, const char *dst, uint16_t dst_port, uint16_t flags,
		       bool connected)
{
	struct record *r = golden_begin(EVENT_connect, &task_bash, &task_systemd);
	struct wire_connect *w = record_fixed(r);

	golden_fill_sock(&w->sock, SOCK_STREAM, IPPROTO_TCP, src, src_port, dst, dst_port);
	w->sock.flags = flags;
	w->connected = connected;
	golden_send();
}

void run_connect_v4(void)
{
	connect_to("10.0.0.1", 36749, "1.2.3.4", 443, 0, true);
}

void run_connect_v6(void)
{
	connect_to("2001:db8::1", 40000, "2606:4700::1111", 443, 0, true);
}

void run_connect_v4_mapped(void)
{
	connect_to("::ffff:10.0.0.1", 40001, "::ffff:10.0.0.2", 80, 0, true);
}

void run_connect_failed(void)
{
	connect_to("0.0.0.0", 0, "127.0.0.1", 1, 0, false);
}

void run_connect_unverified(void)
{
	connect_to("0.0.0.0", 0, "192.168.1.2", 65535, SOCK_USER_ADDRESS, false);
}

static void dns(const uint8_t *payload, size_t len, size_t true_len, int protocol, uint16_t flags)
{
	struct record *r = golden_begin(EVENT_dns_query, &task_bash, &task_systemd);
	struct wire_dns_query *w = record_fixed(r);

	/* the Community ID of this flow is the published test vector */
	golden_fill_sock(&w->sock, protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, protocol,
			 "192.168.1.42", 4242, "8.8.8.8", 53);
	w->sock.flags = flags;
	w->payload = record_put(r, payload, len);
	w->payload_size = true_len;
	golden_send();
}

#define PACKET(name) packet_##name, sizeof(packet_##name), sizeof(packet_##name)

void run_dns_a(void)
{
	dns(PACKET(single), IPPROTO_UDP, 0);
}

void run_dns_multi(void)
{
	dns(PACKET(multi), IPPROTO_UDP, 0);
}

void run_dns_aaaa_unverified(void)
{
	dns(PACKET(aaaa), IPPROTO_UDP, SOCK_USER_ADDRESS);
}

void run_dns_chain(void)
{
	dns(PACKET(chain2), IPPROTO_UDP, 0);
}

void run_dns_tcp(void)
{
	dns(PACKET(tcp_one), IPPROTO_TCP, 0);
}

void run_dns_cut(void)
{
	dns(packet_multi, sizeof(packet_multi) - 20, sizeof(packet_multi), IPPROTO_UDP, 0);
}

void run_dns_malformed(void)
{
	dns(PACKET(bad_after_good), IPPROTO_UDP, 0);
}

void run_dns_no_answer(void)
{
	dns(PACKET(nxdomain), IPPROTO_UDP, 0);
}

/* 192.0.2.7 is what the end of the CNAME chain was. */
void run_connect_named(void)
{
	connect_to("192.168.1.42", 40002, "192.0.2.7", 443, 0, true);
}

static void send_bytes(const char *dst, const void *payload, size_t len, uint64_t size, uint16_t flags)
{
	struct record *r = golden_begin(EVENT_send_data, &task_bash, &task_systemd);
	struct wire_send_data *w = record_fixed(r);

	golden_fill_sock(&w->sock, SOCK_DGRAM, IPPROTO_UDP, strchr(dst, ':') ? "::1" : "192.168.1.42", 4242,
			 dst, 9999);
	w->sock.flags = flags;
	w->payload = record_put(r, payload, len);
	w->data_size = size;
	golden_send();
}

void run_send_data(void)
{
	uint8_t bytes[WIRE_PAYLOAD_MAX];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % 23);
	send_bytes("192.0.2.7", bytes, sizeof(bytes), 1000003, 0);
}

void run_send_data_unconnected(void)
{
	send_bytes("fe80::1", "aaaa", 4, 4, SOCK_USER_ADDRESS);
}

void run_send_data_unsampled(void)
{
	send_bytes("8.8.8.8", "", 0, UINT64_MAX, 0);
}

/* sendfile(2): the bytes are read from the file. */
void run_send_data_from_file(void)
{
	struct record *r = golden_begin(EVENT_send_data, &task_bash, &task_systemd);
	struct wire_send_data *w = record_fixed(r);

	golden_fill_sock(&w->sock, SOCK_STREAM, IPPROTO_TCP, "192.168.1.42", 4243, "8.8.8.8", 443);
	golden_put_file(r, &w->source, "/usr/bin/ls", 0, true);
	w->source_offset = 4;
	w->data_size = 6;
	golden_send();
}
