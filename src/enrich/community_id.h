/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Community ID v1 with seed 0 (https://github.com/corelight/community-id-spec). The hasher owns a digest
 * context, reused between calls: give each thread its own. */
#ifndef KUNAI_ENRICH_COMMUNITY_ID_H
#define KUNAI_ENRICH_COMMUNITY_ID_H

#include "enrich/address.h"

/* "1:", the base64 of 20 bytes, NUL. */
enum { COMMUNITY_ID_SIZE = 2 + 28 + 1 };

struct flow {
	struct ip_address src;
	struct ip_address dst;
	uint16_t src_port; /* host byte order */
	uint16_t dst_port;
	uint8_t protocol; /* IPPROTO_* */
	/* The ports hold an ICMP or ICMPv6 type and code, which the specification maps to port
	 * equivalents. False for what a socket knows: there they are the echo identifier and zero, and are
	 * used as they are. */
	bool icmp_types;
};

struct community_id {
	void *digest;
	void *context;
};

/* -ENOMEM, or -ENOTSUP when the crypto library refuses SHA-1. */
int community_id_init(struct community_id *c);
void community_id_fini(struct community_id *c);

/* Writes the id and NUL. -EINVAL when the addresses are of different families, -EIO when the library fails. */
int community_id_compute(struct community_id *c, const struct flow *flow, char ret_text[COMMUNITY_ID_SIZE]);

#endif
