/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the DNS wire format: names, numbers, and their text. Borrows the message and the text buffer,
 * owns nothing. */
#ifndef KUNAI_ENRICH_DNS_WIRE_H
#define KUNAI_ENRICH_DNS_WIRE_H

#include "base/str.h"

enum {
	DNS_NAME_MAX = 254, /* RFC 1035 §2.3.4: 255 octets with the one of the root, which we do not keep */
	/* Every octet of a name as \ddd, the dots taking the place of the length octets. */
	DNS_NAME_TEXT_MAX = 4 * DNS_NAME_MAX,
};

struct dns_wire {
	const uint8_t *bytes; /* from the message's header on */
	uint32_t len;
	/* Compression pointers that may still be followed: bounds the work on a hostile message. */
	uint32_t hops_left;
};

/* Labels with their length octets, uncompressed, in the case received. */
struct wire_name {
	uint8_t labels[DNS_NAME_MAX];
	uint32_t len;
};

/*
 * Reads advance *pos and stay below end. They return 0, -ENODATA when the bytes end too early, -EBADMSG when
 * they make no sense and -E2BIG when no hops are left; then *pos and the results are unspecified.
 */
int wire_read_name(struct dns_wire *w, uint32_t *pos, uint32_t end, struct wire_name *ret_name);
int wire_skip_name(const struct dns_wire *w, uint32_t *pos, uint32_t end);
int wire_read_uint(const struct dns_wire *w, uint32_t *pos, uint32_t end, uint32_t octets,
		   uint32_t *ret_value);

/* ASCII only, as RFC 4343 wants it. */
bool wire_name_equal(const struct wire_name *name, const uint8_t *labels, uint32_t len);
/* Equal names have equal hashes. */
uint32_t wire_name_hash(const struct wire_name *name);

/* Text that ends silently at cap and then says so. */
struct dns_text {
	char *p;
	uint32_t len;
	uint32_t cap;
	bool full;
};

void text_add(struct dns_text *t, const char *bytes, uint32_t len);
void text_add_uint(struct dns_text *t, uint32_t value);
/* Printable ASCII as it is, \\ for the backslash, \ddd for the rest (RFC 1035 §5.1, master files). */
void text_add_escaped(struct dns_text *t, const uint8_t *bytes, uint32_t len);
/* The same for names, where dots inside labels and spaces are escaped too. No final dot, "." for the root. */
void text_add_name(struct dns_text *t, const struct wire_name *name);
void text_add_base64(struct dns_text *t, const uint8_t *bytes, uint32_t len);

#endif
