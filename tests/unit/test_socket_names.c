/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/socket_names.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "tap.h"

int main(void)
{
	struct arena arena = {0};
	is_str(socket_domain_name(&arena, AF_INET).p, "AF_INET", "AF_INET");
	is_str(socket_domain_name(&arena, AF_INET6).p, "AF_INET6", "AF_INET6");
	is_str(socket_domain_name(&arena, AF_UNIX).p, "AF_UNIX", "AF_UNIX");
	is_str(socket_domain_name(&arena, 0).p, "AF_UNSPEC", "AF_UNSPEC");
	is_str(socket_domain_name(&arena, 44).p, "AF_XDP", "AF_XDP, the last");
	is_str(socket_domain_name(&arena, 45).p, "unknown(45)", "one past it");
	is_str(socket_domain_name(&arena, UINT32_MAX).p, "unknown(4294967295)", "the largest number");

	is_str(socket_type_name(&arena, SOCK_STREAM).p, "SOCK_STREAM", "SOCK_STREAM");
	is_str(socket_type_name(&arena, SOCK_DGRAM).p, "SOCK_DGRAM", "SOCK_DGRAM");
	is_str(socket_type_name(&arena, SOCK_PACKET).p, "SOCK_PACKET", "SOCK_PACKET");
	is_str(socket_type_name(&arena, 0).p, "unknown(0)", "type 0");
	is_str(socket_type_name(&arena, 7).p, "unknown(7)", "a hole in the types");
	is_str(socket_type_name(&arena, 11).p, "unknown(11)", "one past the types");

	is_str(socket_protocol_name(&arena, IPPROTO_IP).p, "IP", "IP");
	is_str(socket_protocol_name(&arena, IPPROTO_ICMP).p, "ICMP", "ICMP");
	is_str(socket_protocol_name(&arena, IPPROTO_TCP).p, "TCP", "TCP");
	is_str(socket_protocol_name(&arena, IPPROTO_UDP).p, "UDP", "UDP");
	is_str(socket_protocol_name(&arena, IPPROTO_ICMPV6).p, "ICMPV6", "ICMPV6");
	is_str(socket_protocol_name(&arena, IPPROTO_SCTP).p, "SCTP", "SCTP");
	is_str(socket_protocol_name(&arena, IPPROTO_RAW).p, "RAW", "RAW");
	is_str(socket_protocol_name(&arena, IPPROTO_MPTCP).p, "MPTCP", "MPTCP, the last");
	is_str(socket_protocol_name(&arena, 3).p, "unknown(3)", "a hole in the protocols");
	is_str(socket_protocol_name(&arena, 263).p, "unknown(263)", "one past the protocols");

	struct str name = socket_protocol_name(&arena, 263);
	is_u64(name.len, strlen("unknown(263)"), "length of an unknown name");
	arena_fini(&arena);
	return done_testing();
}
