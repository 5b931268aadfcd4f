/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IP addresses as plain values: nothing here owns memory. */
#ifndef KUNAI_ENRICH_ADDRESS_H
#define KUNAI_ENRICH_ADDRESS_H

#include "base/arena.h"

/* Network byte order; IPv4 uses the first four bytes and leaves the others zero, so values compare bytewise. */
struct ip_address {
	bool v6;
	uint8_t bytes[16];
};

/* "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" and NUL; "::ffff:255.255.255.255" is shorter. */
enum { ADDRESS_TEXT_SIZE = 40 };

struct ip_address address_from_v4(const uint8_t bytes[4]);
struct ip_address address_from_v6(const uint8_t bytes[16]);

bool address_equal(const struct ip_address *a, const struct ip_address *b);

/* ::ffff:a.b.c.d (RFC 4291 §2.5.5.2): IPv4 on the wire, IPv6 at the socket. */
bool address_is_v4_mapped(const struct ip_address *address);

/* The IPv4 address behind a v4-mapped one, any other address as it is. */
struct ip_address address_unmap(const struct ip_address *address);

/* What events show as is_v6: true for v4-mapped addresses too. */
static inline bool address_is_v6(const struct ip_address *address)
{
	return address->v6;
}

/* 127/8, ::1 and ::ffff:127.0.0.0/104. */
bool address_is_loopback(const struct ip_address *address);

/* What events show as public: Kunai's notion, in which IPv4 multicast and every v4-mapped address are
 * public. */
bool address_is_public(const struct ip_address *address);

/* Writes the canonical text (RFC 5952) and NUL; returns the length without NUL. */
uint32_t address_format(const struct ip_address *address, char text[ADDRESS_TEXT_SIZE]);

/* The same text in the arena; absent when memory is short. */
struct str address_text(struct arena *a, const struct ip_address *address);

#endif
