/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The answers of a DNS response: grouped by owner name, followed from the questions along the CNAMEs, and
 * reported. Internal to dns_message.c; everything lives in the caller's arena. */
#ifndef KUNAI_ENRICH_DNS_ANSWERS_H
#define KUNAI_ENRICH_DNS_ANSWERS_H

#include "enrich/dns_message.h"
#include "enrich/dns_wire.h"

#define DNS_NONE UINT32_MAX

struct dns_record {
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	uint32_t data; /* offsets in the message */
	uint32_t end;
	uint32_t next;   /* record of the same owner */
	uint32_t target; /* group of the name a CNAME leads to, DNS_NONE without one */
	bool resolved;   /* target is known */
};

/* The answers with the same owner name. */
struct dns_group {
	const uint8_t *labels;
	uint32_t labels_len;
	uint32_t hash;
	struct str owner;
	uint32_t first, last; /* records */
	uint32_t count;
	bool rendered;
	struct strv texts;
	uint32_t text_size;
	/* The walk from one question to the ends of its chains. */
	uint32_t visited; /* number of the question that last came here, 0 for none */
	uint32_t queue_next;
};

struct dns_parser {
	struct arena *arena;
	struct dns_result *result;
	struct dns_query **queries_tail;
	struct dns_address **addresses_tail;
	struct dns_text scratch;
	uint32_t text_left;  /* that may be made */
	uint32_t event_left; /* that may be in events */
	/* The message at hand. */
	struct dns_wire wire;
	bool cut;
	struct dns_record *records;
	uint32_t record_count;
	struct dns_group *groups;
	uint32_t group_count;
};

/* Where the questions begin. */
enum { DNS_HEADER_SIZE = 12 };

/*
 * Notes an error of reading as a flag of the result and returns 0; only -ENOMEM is passed on. The functions
 * below return those errors: see dns_wire.h.
 */
int answers_note_error(struct dns_parser *p, int err);

/* Everything of a record behind its owner name, at *pos. */
int answers_read_record(struct dns_parser *p, uint32_t *pos, struct dns_record *ret_record);

/* Reads and groups the answer section at *pos. What was read before an error stays. */
int answers_read(struct dns_parser *p, uint32_t *pos, uint32_t answers);

/* Reports what answers each of the questions, then what answers none of them: there are resolvers that take it. */
int answers_report(struct dns_parser *p, uint32_t questions);

#endif
