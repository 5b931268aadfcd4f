/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Record types: their names and the text of their data. Owns nothing. */
#ifndef KUNAI_ENRICH_DNS_RECORD_H
#define KUNAI_ENRICH_DNS_RECORD_H

#include "enrich/dns_wire.h"

enum { DNS_TYPE_A = 1, DNS_TYPE_CNAME = 5, DNS_TYPE_AAAA = 28 };

/* "?" for a type without a name. */
struct str dns_type_name(uint16_t type);

/* Room for the text of any record whose data is len octets: each as \ddd, three names, numbers and what is
 * between. */
static inline uint32_t dns_record_text_max(uint32_t len)
{
	return 4 * len + 3 * DNS_NAME_TEXT_MAX + 512;
}

/*
 * Appends the text of the record data from pos to end. Data that does not fit its type is written as of an
 * unknown type and the error of the read returned; 1 when octets were left over behind well-formed data; else
 * 0.
 */
int dns_record_format(struct dns_wire *w, uint16_t type, uint32_t pos, uint32_t end, struct dns_text *t);

#endif
