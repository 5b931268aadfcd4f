/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DNS responses as events show them (RFC 1035 and successors). The result lives in the caller's arena. */
#ifndef KUNAI_ENRICH_DNS_MESSAGE_H
#define KUNAI_ENRICH_DNS_MESSAGE_H

#include "base/arena.h"
#include "enrich/address.h"

/* Bounds of one call. A hostile packet can ask for far more than its size, by pointers to one long name
 * and by many questions for the same answers. */
enum {
	DNS_CAPTURE_MAX = 4096,    /* bytes looked at; more is a cut */
	DNS_QUERIES_MAX = 128,     /* events */
	DNS_ADDRESSES_MAX = 512,   /* for the names table */
	DNS_TEXT_MAX = 128 * 1024, /* bytes of text made, and bytes of text in all events together */
	DNS_HOPS_MAX = 8192,       /* compression pointers followed */
};

enum dns_flags {
	DNS_TRUNCATED =
		1, /* by the server (TC bit), by the capture, or a TCP message that goes on in the next read */
	DNS_MALFORMED = 2, /* something made no sense; what came before it is reported */
	DNS_TRAILING = 4,  /* bytes behind a message or behind a record's data were ignored */
	DNS_LIMITED = 8,   /* one of the bounds above was met */
};

struct dns_capture {
	const uint8_t *bytes;
	uint32_t len;
	bool tcp;
	bool cut; /* more bytes were received than are given */
};

/* One event: the answers of one owner name. Records that a CNAME leads to are an event of their own. */
struct dns_query {
	struct dns_query *next;
	struct str query;      /* owner name of the records: the question's, or the target of a CNAME */
	struct str asked;      /* the question that led here; equals query for the first of a chain */
	struct str query_type; /* of the question */
	struct strv response;
	bool unasked; /* the records answer none of the questions */
};

/* An address record of one of the events. */
struct dns_address {
	struct dns_address *next;
	struct ip_address address;
	struct str name; /* its owner */
	struct str asked;
	uint32_t ttl; /* seconds */
};

struct dns_result {
	struct dns_query *queries;
	struct dns_address *addresses;
	uint32_t query_count;
	uint32_t address_count;
	uint32_t responses; /* messages that were responses */
	uint32_t flags;     /* enum dns_flags */
};

/*
 * Finds the responses in the bytes of one datagram, or of one read from a TCP connection: there several
 * messages may follow each other, and the length of the first may have been read separately. Whatever the
 * bytes are, the result is what could be read of them. -ENOMEM when memory is short, else 0.
 */
int dns_message_parse(struct arena *a, const struct dns_capture *capture, struct dns_result *ret_result);

#endif
