/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/socket_names.h"

/*
 * The numbers are part of the kernel's ABI. They are written out because the machine that builds may have
 * older headers than the machine that runs.
 */

/* include/linux/socket.h; Kunai stops at AF_XDP. */
static const char *const domains[] = {
	[0] = "AF_UNSPEC",      [1] = "AF_UNIX",      [2] = "AF_INET",      [3] = "AF_AX25",
	[4] = "AF_IPX",         [5] = "AF_APPLETALK", [6] = "AF_NETROM",    [7] = "AF_BRIDGE",
	[8] = "AF_ATMPVC",      [9] = "AF_X25",       [10] = "AF_INET6",    [11] = "AF_ROSE",
	[12] = "AF_DECnet",     [13] = "AF_NETBEUI",  [14] = "AF_SECURITY", [15] = "AF_KEY",
	[16] = "AF_NETLINK",    [17] = "AF_PACKET",   [18] = "AF_ASH",      [19] = "AF_ECONET",
	[20] = "AF_ATMSVC",     [21] = "AF_RDS",      [22] = "AF_SNA",      [23] = "AF_IRDA",
	[24] = "AF_PPPOX",      [25] = "AF_WANPIPE",  [26] = "AF_LLC",      [27] = "AF_IB",
	[28] = "AF_MPLS",       [29] = "AF_CAN",      [30] = "AF_TIPC",     [31] = "AF_BLUETOOTH",
	[32] = "AF_IUCV",       [33] = "AF_RXRPC",    [34] = "AF_ISDN",     [35] = "AF_PHONET",
	[36] = "AF_IEEE802154", [37] = "AF_CAIF",     [38] = "AF_ALG",      [39] = "AF_NFC",
	[40] = "AF_VSOCK",      [41] = "AF_KCM",      [42] = "AF_QIPCRTR",  [43] = "AF_SMC",
	[44] = "AF_XDP",
};

/* include/linux/net.h */
static const char *const types[] = {
	[1] = "SOCK_STREAM",    [2] = "SOCK_DGRAM", [3] = "SOCK_RAW",     [4] = "SOCK_RDM",
	[5] = "SOCK_SEQPACKET", [6] = "SOCK_DCCP",  [10] = "SOCK_PACKET",
};

/* include/uapi/linux/in.h and in6.h; 0 is also IPv6's HOPOPTS, which is no socket protocol. */
static const char *const protocols[] = {
	[0] = "IP",       [1] = "ICMP",       [2] = "IGMP",      [4] = "IPIP",      [6] = "TCP",
	[8] = "EGP",      [12] = "PUP",       [17] = "UDP",      [22] = "IDP",      [29] = "TP",
	[33] = "DCCP",    [41] = "IPV6",      [43] = "ROUTING",  [44] = "FRAGMENT", [46] = "RSVP",
	[47] = "GRE",     [50] = "ESP",       [51] = "AH",       [58] = "ICMPV6",   [59] = "NONE",
	[60] = "DSTOPTS", [92] = "MTP",       [94] = "BEETPH",   [98] = "ENCAP",    [103] = "PIM",
	[108] = "COMP",   [115] = "L2TP",     [132] = "SCTP",    [135] = "MH",      [136] = "UDPLITE",
	[137] = "MPLS",   [143] = "ETHERNET", [144] = "AGGFRAG", [255] = "RAW",     [256] = "SMC",
	[262] = "MPTCP",
};

static struct str name_of(struct arena *a, const char *const *names, size_t n, uint32_t number)
{
	if (number < n && names[number])
		return str_of(names[number]);
	return arena_printf(a, "unknown(%u)", number);
}

struct str socket_domain_name(struct arena *a, uint32_t domain)
{
	return name_of(a, domains, sizeof(domains) / sizeof(domains[0]), domain);
}

struct str socket_type_name(struct arena *a, uint32_t type)
{
	return name_of(a, types, sizeof(types) / sizeof(types[0]), type);
}

struct str socket_protocol_name(struct arena *a, uint32_t protocol)
{
	return name_of(a, protocols, sizeof(protocols) / sizeof(protocols[0]), protocol);
}
