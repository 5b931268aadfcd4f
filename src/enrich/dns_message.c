/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/dns_message.h"

#include <errno.h>

#include "enrich/dns_answers.h"
#include "enrich/dns_record.h"

/*
 *   0        2        4        6        8        10       12
 *   | id     | flags  | qdcount| ancount| nscount| arcount| questions, answers, authority, additional
 *
 * question: name, type (2), class (2);  record: name, type (2), class (2), ttl (4), length (2), data
 */
enum {
	FLAGS_AT = 2,
	FLAG_RESPONSE = 0x8000,
	FLAG_TRUNCATED = 0x0200,
	QUESTION_FIXED = 4,
	LENGTH_PREFIX = 2,
	/* Larger counts are impossible in what a client accepts; see has_prefix(). */
	STREAM_QUESTIONS_MAX = 255,
};

struct header {
	uint32_t flags;
	uint32_t questions;
	uint32_t answers;
	uint32_t others; /* records of the authority and additional sections */
};

static int skip_questions(struct dns_parser *p, uint32_t *pos, uint32_t questions)
{
	for (uint32_t i = 0; i < questions; i++) {
		int err = wire_skip_name(&p->wire, pos, p->wire.len);
		if (err < 0)
			return err;
		if (p->wire.len - *pos < QUESTION_FIXED)
			return -ENODATA;
		*pos += QUESTION_FIXED;
	}
	return 0;
}

static int skip_records(struct dns_parser *p, uint32_t *pos, uint32_t records)
{
	struct dns_record ignored;
	for (uint32_t i = 0; i < records; i++) {
		int err = wire_skip_name(&p->wire, pos, p->wire.len);
		if (err == 0)
			err = answers_read_record(p, pos, &ignored);
		if (err < 0)
			return err;
	}
	return 0;
}

static int read_header(const struct dns_wire *w, struct header *ret_header)
{
	uint32_t pos = FLAGS_AT, flags, questions, answers, authority, additional;
	if (wire_read_uint(w, &pos, w->len, 2, &flags) < 0 ||
	    wire_read_uint(w, &pos, w->len, 2, &questions) < 0 ||
	    wire_read_uint(w, &pos, w->len, 2, &answers) < 0 ||
	    wire_read_uint(w, &pos, w->len, 2, &authority) < 0 ||
	    wire_read_uint(w, &pos, w->len, 2, &additional) < 0)
		return -ENODATA;
	*ret_header = (struct header){flags, questions, answers, authority + additional};
	return 0;
}

/* Reports what the sections hold and returns by *ret_used where the message ends, as far as it could be
 * followed. */
static int parse_sections(struct dns_parser *p, const struct header *header, uint32_t *ret_used)
{
	uint32_t pos = DNS_HEADER_SIZE;
	*ret_used = p->wire.len;
	int err = skip_questions(p, &pos, header->questions);
	if (err < 0)
		return err;

	/* What was read before an error is reported in spite of it. */
	int answers_err = answers_read(p, &pos, header->answers);
	if (answers_err == -ENOMEM)
		return answers_err;
	err = answers_note_error(p, answers_report(p, header->questions));
	if (err < 0 || answers_err < 0)
		return err < 0 ? err : answers_err;

	err = skip_records(p, &pos, header->others);
	if (err == 0)
		*ret_used = pos;
	return err;
}

static int parse_message(struct dns_parser *p, const uint8_t *bytes, uint32_t len, bool cut,
			 uint32_t *ret_used)
{
	struct header header;
	p->wire.bytes = bytes;
	p->wire.len = len;
	p->cut = cut;
	p->record_count = 0;
	p->group_count = 0;
	*ret_used = len;

	int err = read_header(&p->wire, &header);
	if (err < 0)
		return answers_note_error(p, err);
	if (!(header.flags & FLAG_RESPONSE))
		return 0;

	p->result->responses++;
	if (header.flags & FLAG_TRUNCATED)
		p->result->flags |= DNS_TRUNCATED;
	return answers_note_error(p, parse_sections(p, &header, ret_used));
}

static uint32_t u16_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 8 | bytes[1];
}

/*
 * Is there a length before the message (RFC 1035 §4.2.2)? If so, the top bit of the fifth byte is the bit
 * that makes it a response. If not, the fifth byte begins the number of questions, and no message holds 32768
 * of them.
 */
static bool has_prefix(const uint8_t *bytes, uint32_t len)
{
	return len >= LENGTH_PREFIX + DNS_HEADER_SIZE && u16_at(bytes) >= DNS_HEADER_SIZE && bytes[4] & 0x80;
}

static bool is_bare_response(const uint8_t *bytes, uint32_t len)
{
	if (len < DNS_HEADER_SIZE || !(bytes[FLAGS_AT] & 0x80))
		return false;
	uint32_t questions = u16_at(bytes + 4);
	return questions > 0 && questions <= STREAM_QUESTIONS_MAX;
}

static int parse_prefixed(struct dns_parser *p, const uint8_t *bytes, uint32_t len, uint32_t *ret_used)
{
	uint32_t want = u16_at(bytes), have = len - LENGTH_PREFIX;
	bool cut = want > have;
	uint32_t size = cut ? have : want, used;
	if (cut)
		p->result->flags |= DNS_TRUNCATED;

	int err = parse_message(p, bytes + LENGTH_PREFIX, size, cut, &used);
	if (used < size)
		p->result->flags |= DNS_TRAILING;
	*ret_used = LENGTH_PREFIX + size;
	return err;
}

/*
 * A read of a stream begins with a length, or with a message whose length was read before. Anything else,
 * such as the middle of a message, is passed over.
 */
static int parse_stream(struct dns_parser *p, const uint8_t *bytes, uint32_t len)
{
	uint32_t pos = 0, used = 0;
	int err = 0;
	if (!has_prefix(bytes, len) && is_bare_response(bytes, len))
		err = parse_message(p, bytes, len, true, &pos);

	while (err == 0 && has_prefix(bytes + pos, len - pos)) {
		err = parse_prefixed(p, bytes + pos, len - pos, &used);
		pos += used;
	}
	if (p->result->responses && pos < len)
		p->result->flags |= DNS_TRAILING;
	return err;
}

static int parse_datagram(struct dns_parser *p, const uint8_t *bytes, uint32_t len, bool cut)
{
	uint32_t used;
	int err = parse_message(p, bytes, len, cut, &used);
	if (used < len)
		p->result->flags |= DNS_TRAILING;
	return err;
}

int dns_message_parse(struct arena *a, const struct dns_capture *capture, struct dns_result *ret_result)
{
	uint32_t len = capture->len < DNS_CAPTURE_MAX ? capture->len : DNS_CAPTURE_MAX;
	bool cut = capture->cut || len < capture->len;
	uint32_t scratch_size = dns_record_text_max(len);
	struct dns_result result = {.flags = cut ? DNS_TRUNCATED : 0};
	struct dns_parser p = {
		.arena = a,
		.result = &result,
		.queries_tail = &result.queries,
		.addresses_tail = &result.addresses,
		.scratch = {.p = arena_alloc(a, scratch_size), .cap = scratch_size},
		.text_left = DNS_TEXT_MAX,
		.event_left = DNS_TEXT_MAX,
		.wire = {.hops_left = DNS_HOPS_MAX},
	};
	if (!p.scratch.p)
		return -ENOMEM;

	int err = capture->tcp ? parse_stream(&p, capture->bytes, len)
			       : parse_datagram(&p, capture->bytes, len, cut);
	if (err == 0)
		*ret_result = result;
	return err;
}
