/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/dns_answers.h"

#include <errno.h>

#include "enrich/dns_record.h"

enum {
	RECORD_MIN = 11, /* the root as owner and no data */
	CLASS_IN = 1,
	TTL_MAX = INT32_MAX, /* RFC 2181 §8: a larger one means zero */
};

struct question {
	struct wire_name name;
	uint16_t type;
};

int answers_note_error(struct dns_parser *p, int err)
{
	switch (err) {
	case -ENOMEM:
		return err;
	case -E2BIG:
		p->result->flags |= DNS_LIMITED;
		break;
	case -ENODATA:
		p->result->flags |= p->cut ? DNS_TRUNCATED : DNS_MALFORMED;
		break;
	case -EBADMSG:
		p->result->flags |= DNS_MALFORMED;
		break;
	}
	return 0;
}

/* A copy of the scratch text in the arena, which is left empty; -E2BIG when no more may be made. */
static int take_text(struct dns_parser *p, struct str *ret_text)
{
	struct dns_text *scratch = &p->scratch;
	struct str made = {scratch->p, scratch->len};
	bool full = scratch->full || made.len > p->text_left;
	scratch->len = 0;
	scratch->full = false;
	if (full)
		return -E2BIG;

	struct str text = arena_str(p->arena, made);
	if (!text.p)
		return -ENOMEM;
	p->text_left -= text.len;
	*ret_text = text;
	return 0;
}

static int make_name_text(struct dns_parser *p, const struct wire_name *name, struct str *ret_text)
{
	text_add_name(&p->scratch, name);
	return take_text(p, ret_text);
}

/* Linear on purpose: ordinary responses have a few owner names, and no 4 KiB hold more than some hundred. */
static uint32_t find_group(const struct dns_parser *p, const struct wire_name *name, uint32_t hash)
{
	for (uint32_t i = 0; i < p->group_count; i++) {
		const struct dns_group *g = &p->groups[i];
		if (g->hash == hash && wire_name_equal(name, g->labels, g->labels_len))
			return i;
	}
	return DNS_NONE;
}

static int add_group(struct dns_parser *p, const struct wire_name *owner, uint32_t hash)
{
	uint8_t *labels = arena_alloc(p->arena, owner->len ? owner->len : 1);
	if (!labels)
		return -ENOMEM;
	memcpy(labels, owner->labels, owner->len);
	p->groups[p->group_count++] = (struct dns_group){
		.labels = labels,
		.labels_len = owner->len,
		.hash = hash,
		.first = DNS_NONE,
		.last = DNS_NONE,
		.queue_next = DNS_NONE,
	};
	return 0;
}

static int add_record(struct dns_parser *p, const struct wire_name *owner, const struct dns_record *record)
{
	uint32_t hash = wire_name_hash(owner);
	uint32_t index = find_group(p, owner, hash);
	if (index == DNS_NONE) {
		int err = add_group(p, owner, hash);
		if (err < 0)
			return err;
		index = p->group_count - 1;
	}

	struct dns_group *g = &p->groups[index];
	uint32_t number = p->record_count++;
	p->records[number] = *record;
	if (g->last == DNS_NONE)
		g->first = number;
	else
		p->records[g->last].next = number;
	g->last = number;
	g->count++;
	return 0;
}

/* Everything of a record behind its owner name. */
int answers_read_record(struct dns_parser *p, uint32_t *pos, struct dns_record *ret_record)
{
	const struct dns_wire *w = &p->wire;
	uint32_t type, class, ttl, len;
	if (wire_read_uint(w, pos, w->len, 2, &type) < 0 || wire_read_uint(w, pos, w->len, 2, &class) < 0 ||
	    wire_read_uint(w, pos, w->len, 4, &ttl) < 0 || wire_read_uint(w, pos, w->len, 2, &len) < 0 ||
	    w->len - *pos < len)
		return -ENODATA;
	*ret_record = (struct dns_record){
		.type = (uint16_t)type,
		.class = (uint16_t) class,
		.ttl = ttl > TTL_MAX ? 0 : ttl,
		.data = *pos,
		.end = *pos + len,
		.next = DNS_NONE,
		.target = DNS_NONE,
	};
	*pos += len;
	return 0;
}

int answers_read(struct dns_parser *p, uint32_t *pos, uint32_t answers)
{
	uint32_t most = (p->wire.len - *pos) / RECORD_MIN;
	uint32_t room = answers < most ? answers : most;
	p->records = arena_alloc(p->arena, room * sizeof(*p->records));
	p->groups = arena_alloc(p->arena, room * sizeof(*p->groups));
	if (!p->records || !p->groups)
		return -ENOMEM;

	for (uint32_t i = 0; i < answers; i++) {
		struct wire_name owner;
		struct dns_record record;
		int err = wire_read_name(&p->wire, pos, p->wire.len, &owner);
		if (err == 0)
			err = answers_read_record(p, pos, &record);
		if (err == 0)
			err = add_record(p, &owner, &record);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Only groups that are reported are rendered, and each once. */
static int render_group(struct dns_parser *p, struct dns_group *g)
{
	struct str *texts = arena_alloc(p->arena, g->count * sizeof(*texts));
	if (!texts)
		return -ENOMEM;
	g->rendered = true;
	g->texts = (struct strv){texts, 0};

	for (uint32_t i = g->first; i != DNS_NONE; i = p->records[i].next) {
		const struct dns_record *r = &p->records[i];
		int err = dns_record_format(&p->wire, r->type, r->data, r->end, &p->scratch);
		if (err > 0)
			p->result->flags |= DNS_TRAILING;
		else
			answers_note_error(p, err);

		err = take_text(p, &texts[g->texts.n]);
		if (err < 0)
			return answers_note_error(p, err);
		g->text_size += texts[g->texts.n++].len;
	}
	return 0;
}

static int add_address(struct dns_parser *p, const struct dns_query *query, const struct dns_record *r)
{
	const uint8_t *data = p->wire.bytes + r->data;
	uint32_t size = r->end - r->data;
	bool v4 = r->type == DNS_TYPE_A && size >= 4, v6 = r->type == DNS_TYPE_AAAA && size >= 16;
	if (r->class != CLASS_IN || (!v4 && !v6))
		return 0;
	if (p->result->address_count == DNS_ADDRESSES_MAX) {
		p->result->flags |= DNS_LIMITED;
		return 0;
	}

	struct dns_address *added = arena_alloc(p->arena, sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = (struct dns_address){
		.address = v4 ? address_from_v4(data) : address_from_v6(data),
		.name = query->query,
		.asked = query->asked,
		.ttl = r->ttl,
	};
	*p->addresses_tail = added;
	p->addresses_tail = &added->next;
	p->result->address_count++;
	return 0;
}

/* Reports one group. -E2BIG when no more events may be made. */
static int emit_group(struct dns_parser *p, struct dns_group *g, struct str query, struct str asked,
		      uint16_t type, bool unasked)
{
	if (!g->rendered) {
		int err = render_group(p, g);
		if (err < 0)
			return err;
	}
	if (p->result->query_count == DNS_QUERIES_MAX || g->text_size > p->event_left)
		return -E2BIG;
	p->event_left -= g->text_size;

	struct dns_query *added = arena_alloc(p->arena, sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = (struct dns_query){
		.query = query,
		.asked = asked,
		.query_type = dns_type_name(type),
		.response = g->texts,
		.unasked = unasked,
	};
	*p->queries_tail = added;
	p->queries_tail = &added->next;
	p->result->query_count++;

	int err = 0;
	for (uint32_t i = g->first; i != DNS_NONE && err == 0; i = p->records[i].next)
		err = add_address(p, added, &p->records[i]);
	return err;
}

static int make_owner_text(struct dns_parser *p, struct dns_group *g)
{
	if (g->owner.p)
		return 0;
	struct wire_name owner = {.len = g->labels_len};
	memcpy(owner.labels, g->labels, g->labels_len);
	return make_name_text(p, &owner, &g->owner);
}

/* The group a CNAME record leads to. */
static uint32_t find_target(struct dns_parser *p, struct dns_record *r)
{
	if (!r->resolved) {
		struct wire_name name;
		uint32_t pos = r->data;
		int err = wire_read_name(&p->wire, &pos, r->end, &name);
		if (err == 0)
			r->target = find_group(p, &name, wire_name_hash(&name));
		else if (err == -E2BIG)
			answers_note_error(p, err); /* the others were noted when the text was made */
		r->resolved = true;
	}
	return r->target;
}

/* Appends the groups that the CNAMEs of g lead to, unless this question has been there: loops end here. */
static void queue_targets(struct dns_parser *p, const struct dns_group *g, uint32_t question, uint32_t *last)
{
	for (uint32_t i = g->first; i != DNS_NONE; i = p->records[i].next) {
		if (p->records[i].type != DNS_TYPE_CNAME)
			continue;
		uint32_t target = find_target(p, &p->records[i]);
		if (target == DNS_NONE || p->groups[target].visited == question)
			continue;
		p->groups[target].visited = question;
		p->groups[target].queue_next = DNS_NONE;
		p->groups[*last].queue_next = target;
		*last = target;
	}
}

/* Reports the answers to one question (numbered from 1), then what its chain of CNAMEs leads to. */
static int emit_question(struct dns_parser *p, const struct question *q, uint32_t number)
{
	uint32_t first = find_group(p, &q->name, wire_name_hash(&q->name));
	if (first == DNS_NONE)
		return 0;

	struct str asked;
	int err = make_name_text(p, &q->name, &asked);
	if (err < 0)
		return err;

	uint32_t last = first;
	p->groups[first].visited = number;
	p->groups[first].queue_next = DNS_NONE;
	for (uint32_t at = first; at != DNS_NONE; at = p->groups[at].queue_next) {
		struct dns_group *g = &p->groups[at];
		if (at != first)
			err = make_owner_text(p, g);
		if (err < 0)
			return err;
		err = emit_group(p, g, at == first ? asked : g->owner, asked, q->type, false);
		if (err < 0)
			return err;
		queue_targets(p, g, number, &last);
	}
	return 0;
}

static int read_question(struct dns_parser *p, uint32_t *pos, struct question *ret)
{
	uint32_t type;
	int err = wire_read_name(&p->wire, pos, p->wire.len, &ret->name);
	if (err == 0)
		err = wire_read_uint(&p->wire, pos, p->wire.len, 2, &type);
	if (err < 0)
		return err;
	*pos += 2; /* class */
	ret->type = (uint16_t)type;
	return 0;
}

/* question: the first one, NULL when there is none. */
static int emit_unasked(struct dns_parser *p, const struct question *question)
{
	struct str asked = {0};
	int err = 0;

	for (uint32_t i = 0; i < p->group_count && err == 0; i++) {
		struct dns_group *g = &p->groups[i];
		if (g->visited)
			continue;
		if (question && !asked.p)
			err = make_name_text(p, &question->name, &asked);
		if (err == 0)
			err = make_owner_text(p, g);
		if (err == 0)
			err = emit_group(p, g, g->owner, asked.p ? asked : g->owner,
					 question ? question->type : 0, true);
	}
	return err;
}

int answers_report(struct dns_parser *p, uint32_t questions)
{
	uint32_t pos = DNS_HEADER_SIZE;
	struct question first, q;
	for (uint32_t i = 0; i < questions; i++) {
		int err = read_question(p, &pos, &q);
		if (err == 0)
			err = emit_question(p, &q, i + 1);
		if (err < 0)
			return err;
		if (i == 0)
			first = q;
	}
	return emit_unasked(p, questions ? &first : NULL);
}
