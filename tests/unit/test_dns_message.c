/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "dns_packets.h"
#include "enrich/dns_message.h"
#include "enrich/dns_wire.h"
#include "tap.h"

/* What is left of a second for the worst packet we can think of; sanitizers and a busy machine need the
 * room. */
#define TIME_MAX_NS 50000000ULL

enum { FULL = DNS_CAPTURE_MAX, TYPE_A = 1, TYPE_CNAME = 5, TYPE_TXT = 16, TYPE_RP = 17 };

struct packet {
	const char *name;
	const uint8_t *bytes;
	uint32_t len;
};

static const struct packet packets[] = {
#define X(key) {#key, packet_##key, sizeof(packet_##key)},
	DNS_PACKETS(X)
#undef X
};

enum { PACKET_COUNT = sizeof(packets) / sizeof(packets[0]) };

static bool is_tcp(const struct packet *p)
{
	return strncmp(p->name, "tcp", 3) == 0;
}

static const struct packet *find_packet(const char *name)
{
	for (int i = 0; i < PACKET_COUNT; i++)
		if (strcmp(packets[i].name, name) == 0)
			return &packets[i];
	abort();
}

/* "query<asked TYPE text|text; ... # address name<asked ttl; ..." with "<asked" where it differs, "!" for unasked. */
static void show(struct buf *b, const struct dns_result *r)
{
	for (const struct dns_query *q = r->queries; q; q = q->next) {
		buf_add_str(b, q->query);
		if (!str_eq(q->query, q->asked))
			buf_printf(b, "<%.*s", STR_ARG(q->asked));
		buf_printf(b, " %.*s", STR_ARG(q->query_type));
		for (uint32_t i = 0; i < q->response.n; i++)
			buf_printf(b, "%c%.*s", i ? '|' : ' ', STR_ARG(q->response.v[i]));
		buf_printf(b, q->unasked ? ";! " : "; ");
	}
	buf_printf(b, "#");
	for (const struct dns_address *d = r->addresses; d; d = d->next) {
		char text[ADDRESS_TEXT_SIZE];
		address_format(&d->address, text);
		buf_printf(b, " %s %.*s", text, STR_ARG(d->name));
		if (!str_eq(d->name, d->asked))
			buf_printf(b, "<%.*s", STR_ARG(d->asked));
		buf_printf(b, " %u;", d->ttl);
	}
	buf_add_char(b, '\0');
}

static struct dns_result parse(struct arena *a, const uint8_t *bytes, uint32_t len, bool tcp, bool cut)
{
	struct dns_capture capture = {.bytes = bytes, .len = len, .tcp = tcp, .cut = cut};
	struct dns_result r = {0};
	if (dns_message_parse(a, &capture, &r) != 0)
		abort();
	return r;
}

static void check(const char *name, const char *want, uint32_t want_flags)
{
	const struct packet *p = find_packet(name);
	struct arena arena = {0};
	struct buf shown = {0};
	struct dns_result r = parse(&arena, p->bytes, p->len, is_tcp(p), false);
	show(&shown, &r);
	is_str(shown.p, want, name);
	if (r.flags != want_flags)
		printf("# flags %u, want %u\n", r.flags, want_flags);
	ok(r.flags == want_flags, "%s: flags", name);
	buf_fini(&shown);
	arena_fini(&arena);
}

static void test_answers(void)
{
	check("single", "example.com A 192.0.2.1; # 192.0.2.1 example.com 300;", 0);
	check("multi",
	      "multi.test A 192.0.2.1|192.0.2.2|192.0.2.3|192.0.2.4|192.0.2.5|192.0.2.6|192.0.2.7; #"
	      " 192.0.2.1 multi.test 1; 192.0.2.2 multi.test 2; 192.0.2.3 multi.test 3; 192.0.2.4 multi.test "
	      "4;"
	      " 192.0.2.5 multi.test 5; 192.0.2.6 multi.test 6; 192.0.2.7 multi.test 7;",
	      0);
	check("aaaa", "six.test AAAA 2606:4700::1111; # 2606:4700::1111 six.test 300;", 0);
	check("two_questions",
	      "one.test A 192.0.2.1; two.test AAAA 2001:db8::1:0:0:1; #"
	      " 192.0.2.1 one.test 300; 2001:db8::1:0:0:1 two.test 300;",
	      0);
	check("same_name_twice",
	      "one.test A 192.0.2.1; one.test ? 192.0.2.1; # 192.0.2.1 one.test 300; 192.0.2.1 one.test 300;",
	      0);
	check("root", ". NS a.root-servers.net; #", 0);
	check("mixed_case",
	      "wWw.ExAmPlE.CoM A CDN.example.com; cdn.EXAMPLE.com<wWw.ExAmPlE.CoM A 192.0.2.9; #"
	      " 192.0.2.9 cdn.EXAMPLE.com<wWw.ExAmPlE.CoM 300;",
	      0);
	check("other_class", "chaos.test A 192.0.2.1; #", 0);
	check("ttl_negative", "ttl.test A 192.0.2.1; # 192.0.2.1 ttl.test 0;", 0);
	check("edns", "example.com A 192.0.2.1; # 192.0.2.1 example.com 300;", 0);
	check("nxdomain", "#", 0);
	check("query", "#", 0);
	check("no_question", "one.test ? 192.0.2.1;! # 192.0.2.1 one.test 300;", 0);
	check("unmatched",
	      "one.test A 192.0.2.1; two.test<one.test A 192.0.2.1;! #"
	      " 192.0.2.1 one.test 300; 192.0.2.1 two.test<one.test 300;",
	      0);
}

static void test_chains(void)
{
	check("chain1", "q.test A c1.test; c1.test<q.test A 192.0.2.7; # 192.0.2.7 c1.test<q.test 30;", 0);
	check("chain2",
	      "q.test A c1.test; c1.test<q.test A c2.test; c2.test<q.test A 192.0.2.7; #"
	      " 192.0.2.7 c2.test<q.test 30;",
	      0);
	check("chain5",
	      "q.test A c1.test; c1.test<q.test A c2.test; c2.test<q.test A c3.test; c3.test<q.test A "
	      "c4.test;"
	      " c4.test<q.test A c5.test; c5.test<q.test A 192.0.2.7; # 192.0.2.7 c5.test<q.test 30;",
	      0);
	check("chain_loop", "q.test A c1.test; c1.test<q.test A c2.test; c2.test<q.test A q.test; #", 0);
	check("cname_self", "self.test A self.test; #", 0);
	check("cname_dangling", "q.test A gone.test; #", 0);
	check("shuffled",
	      "q.test A a.test|b.test; a.test<q.test A 192.0.2.1; b.test<q.test A 192.0.2.2; #"
	      " 192.0.2.1 a.test<q.test 300; 192.0.2.2 b.test<q.test 300;",
	      0);
	check("pointer_chain", "x.test A x.test|x.test|192.0.2.1; # 192.0.2.1 x.test 300;", 0);
}

static void test_text(void)
{
	check("all_types",
	      "n.test ANY "
	      "198.51.100.4|2001:db8::2a|n.test|n.test|n.test|n.test|n.test|n.test|n.test|n.test|mx.test|srv."
	      "test|"
	      "v=spf1; ~all\\\\;a=b;c|"
	      "mname=ns.test rname=host.test serial=2024010101 refresh=7200 retry=3600 expire=1209600 "
	      "minimum=4294967295|"
	      "cpu=x86 os=Linux|flag=128 tag=issue value=Y2EudGVzdA==|priority=1 target=svc.test|priority=0 "
	      "target=.|"
	      "order=100 preference=10 flags=S services=SIP+D2U regexp= replacement=sip.test|"
	      "key_tag=60485 algorithm=5 digest_type=1 digest=3q2+7w==|"
	      "type_covered=1 algorithm=8 labels=2 original_ttl=3600 signature_expiration=1700000000 "
	      "signature_inception=1690000000 key_tag=1234 signer_name=n.test signature=AQIDBAU=|"
	      "any=//79/A==|empty rdata; # 198.51.100.4 n.test 300; 2001:db8::2a n.test 300;",
	      0);
	check("special_bytes",
	      "a\\.b.c\\\\d.\\000\\031\\127.\\195\\169.\"x\\032y\".ok A 192.0.2.1; #"
	      " 192.0.2.1 a\\.b.c\\\\d.\\000\\031\\127.\\195\\169.\"x\\032y\".ok 300;",
	      0);
	check("odd_data",
	      "odd.test A "
	      "any=AQID|1.2.3.4|any=AAAAAAAAAAAAAAAAAAAA|any=BWFiYw==|any=BWFiYw==|any=AA==|192.0.2.3; #"
	      " 1.2.3.4 odd.test 300; 192.0.2.3 odd.test 300;",
	      DNS_MALFORMED | DNS_TRAILING);
}

static void test_damage(void)
{
	const char *single = "example.com A 192.0.2.1; # 192.0.2.1 example.com 300;";
	check("tc", single, DNS_TRUNCATED);
	check("padded", single, DNS_TRAILING);
	check("bad_after_good", single, DNS_MALFORMED);
	check("data_too_long", single, DNS_MALFORMED);
	check("counts_lie", single, DNS_MALFORMED);
	check("questions_lie", "#", DNS_MALFORMED);
	check("name_too_long", "#", DNS_MALFORMED);
	check("label_too_long", "#", DNS_MALFORMED);
	check("pointer_self", "#", DNS_MALFORMED);
	check("pointer_mutual", "#", DNS_MALFORMED);
	check("pointer_forward", "#", DNS_MALFORMED);
}

static void test_longest_name(void)
{
	const struct packet *p = find_packet("longest_name");
	struct arena arena = {0};
	struct dns_result r = parse(&arena, p->bytes, p->len, false, false);
	is_u64(r.query_count, 1, "255 octets are a name");
	is_u64(r.queries ? r.queries->query.len : 0, 3 * 64 + 61, "255 octets: length of the text");
	arena_fini(&arena);
}

static void test_framing(void)
{
	const char *single = "example.com A 192.0.2.1; # 192.0.2.1 example.com 300;";
	const char *both = "example.com A 192.0.2.1; other.test A 192.0.2.2; #"
			   " 192.0.2.1 example.com 300; 192.0.2.2 other.test 300;";
	check("tcp_one", single, 0);
	check("tcp_two", both, 0);
	check("tcp_bare_then_one", both, 0);
	check("tcp_padded", both, DNS_TRAILING);
	check("tcp_id_is_length", single, 0);
	check("tcp_query", "#", 0);
	check("tcp_partial",
	      "multi.test A 192.0.2.1|192.0.2.2|192.0.2.3|192.0.2.4|192.0.2.5|192.0.2.6; # 192.0.2.1 "
	      "multi.test 1;"
	      " 192.0.2.2 multi.test 2; 192.0.2.3 multi.test 3; 192.0.2.4 multi.test 4; 192.0.2.5 multi.test "
	      "5;"
	      " 192.0.2.6 multi.test 6;",
	      DNS_TRUNCATED);

	struct arena arena = {0};
	const struct packet *p = find_packet("tcp_one");
	struct dns_result r = parse(&arena, p->bytes, 2, true, false);
	ok(r.responses == 0 && r.flags == 0, "only the length of a TCP message: nothing, and nothing wrong");
	/* Every id a message may have: none makes it look like a length and a message, or the reverse. */
	uint32_t wrong = 0;
	uint8_t bytes[sizeof(packet_single)];
	memcpy(bytes, packet_single, sizeof(bytes));
	for (uint32_t id = 0; id <= UINT16_MAX; id++) {
		bytes[0] = (uint8_t)(id >> 8);
		bytes[1] = (uint8_t)id;
		arena_reset(&arena);
		r = parse(&arena, bytes, sizeof(bytes), true, false);
		wrong += r.query_count != 1 || r.flags != 0;
	}
	is_u64(wrong, 0, "a bare TCP message with any id is read");
	arena_fini(&arena);
}

/* Copied to memory of exactly that size, so that a sanitizer or valgrind sees the first octet read beyond. */
static struct dns_result parse_exact(struct arena *a, const struct packet *p, uint32_t len, bool tcp,
				     bool cut)
{
	uint8_t *copy = malloc(len ? len : 1);
	if (!copy)
		abort();
	memcpy(copy, p->bytes, len);
	struct dns_result r = parse(a, copy, len, tcp, cut);
	free(copy);
	return r;
}

static void test_cut_everywhere(void)
{
	for (int i = 0; i < PACKET_COUNT; i++) {
		const struct packet *p = &packets[i];
		struct arena arena = {0};
		bool tcp = is_tcp(p), grows = true, marked = true, innocent = true;
		uint32_t before = 0;
		struct dns_result whole = parse(&arena, p->bytes, p->len, tcp, false);
		for (uint32_t len = 0; len <= p->len; len++) {
			arena_reset(&arena);
			struct dns_result r = parse_exact(&arena, p, len, tcp, true);
			grows = grows && r.address_count >= before && r.query_count <= whole.query_count;
			before = r.address_count;
			marked = marked && r.flags & DNS_TRUNCATED;
			innocent = innocent && (whole.flags & DNS_MALFORMED || !(r.flags & DNS_MALFORMED));
			parse_exact(&arena, p, len, !tcp, false);
		}
		ok(grows && before == whole.address_count, "%s cut anywhere: what came before the cut",
		   p->name);
		ok(marked, "%s cut anywhere: marked", p->name);
		ok(innocent, "%s cut anywhere: not called malformed", p->name);
		arena_fini(&arena);
	}
}

static void test_cut_exactly(void)
{
	/* header 12, question 12 + 4, then records of 16 octets */
	struct arena arena = {0};
	uint32_t wrong = 0;
	for (uint32_t len = 0; len <= sizeof(packet_multi); len++) {
		arena_reset(&arena);
		struct dns_result r = parse(&arena, packet_multi, len, false, true);
		wrong += r.address_count != (len < 28 ? 0 : (len - 28) / 16);
	}
	is_u64(wrong, 0, "every whole record before a cut is reported, and no other");

	struct dns_result r = parse(&arena, packet_multi, sizeof(packet_multi) - 1, false, false);
	is_u64(r.flags, DNS_MALFORMED, "a short packet that was not cut is malformed");
	r = parse(&arena, packet_multi, 5, false, false);
	is_u64(r.flags, DNS_MALFORMED, "less than a header is malformed");
	arena_fini(&arena);
}

/* Packets as large as they get, made to be expensive. */
struct maker {
	uint8_t bytes[FULL + 1024];
	uint32_t len;
	uint32_t questions, answers;
};

static void put16(struct maker *m, uint32_t v)
{
	m->bytes[m->len++] = (uint8_t)(v >> 8);
	m->bytes[m->len++] = (uint8_t)v;
}

static void put_question(struct maker *m, uint32_t pointer, uint32_t type)
{
	put16(m, 0xc000 | pointer);
	put16(m, type);
	put16(m, 1);
	m->questions++;
}

static void put_record(struct maker *m, uint32_t owner, uint32_t type, uint32_t size)
{
	put16(m, 0xc000 | owner);
	put16(m, type);
	put16(m, 1);
	put16(m, 0);
	put16(m, 60);
	put16(m, size);
	m->answers++;
}

static void start(struct maker *m)
{
	*m = (struct maker){.len = 12};
	m->bytes[2] = 0x81;
}

/* A question whose name is as long as can be and of octets that need escapes; it starts at 12. */
static void put_long_question(struct maker *m)
{
	static const uint8_t sizes[] = {63, 63, 63, 61};
	for (int i = 0; i < 4; i++) {
		m->bytes[m->len++] = sizes[i];
		memset(m->bytes + m->len, 0xff, sizes[i]);
		m->len += sizes[i];
	}
	m->bytes[m->len++] = 0;
	put16(m, TYPE_A);
	put16(m, 1);
	m->questions++;
}

static void put_short_question(struct maker *m)
{
	memcpy(m->bytes + m->len, "\1x\0\0\1\0\1", 7);
	m->len += 7;
	m->questions++;
}

static void finish(struct maker *m)
{
	uint32_t len = m->len;
	m->len = 4;
	put16(m, m->questions);
	put16(m, m->answers);
	m->len = len;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct dns_result parse_made(struct arena *a, struct maker *m, const char *name)
{
	finish(m);
	uint64_t best = UINT64_MAX;
	struct dns_result r;
	for (int i = 0; i < 3; i++) {
		arena_reset(a);
		uint64_t began = cpu_ns();
		r = parse(a, m->bytes, m->len, false, false);
		uint64_t took = cpu_ns() - began;
		best = took < best ? took : best;
	}
	printf("# %s: %u octets, %" PRIu64 " us, %u events\n", name, m->len, best / 1000, r.query_count);
	ok(best < TIME_MAX_NS, "%s: time", name);

	uint64_t text = 0;
	for (const struct dns_query *q = r.queries; q; q = q->next)
		for (uint32_t i = 0; i < q->response.n; i++)
			text += q->response.v[i].len;
	ok(text <= DNS_TEXT_MAX, "%s: text within its bound", name);
	return r;
}

static void test_bound_of_events(void)
{
	struct arena arena = {0};
	struct maker m;
	for (uint32_t questions = DNS_QUERIES_MAX; questions <= DNS_QUERIES_MAX + 1; questions++) {
		start(&m);
		put_short_question(&m);
		for (uint32_t i = 1; i < questions; i++)
			put_question(&m, 12, TYPE_A);
		put_record(&m, 12, TYPE_A, 4);
		m.len += 4;
		struct dns_result r = parse_made(&arena, &m, "questions");
		is_u64(r.query_count, DNS_QUERIES_MAX, "number of events");
		is_u64(r.flags, questions > DNS_QUERIES_MAX ? DNS_LIMITED : 0, "flag at the bound of events");
	}
	arena_fini(&arena);
}

static void test_bound_of_addresses(void)
{
	struct arena arena = {0};
	struct maker m;
	for (uint32_t questions = 4; questions <= 5; questions++) {
		start(&m);
		put_short_question(&m);
		for (uint32_t i = 1; i < questions; i++)
			put_question(&m, 12, TYPE_A);
		for (uint32_t i = 0; i < DNS_ADDRESSES_MAX / 4; i++) {
			put_record(&m, 12, TYPE_A, 4);
			m.len += 4;
		}
		struct dns_result r = parse_made(&arena, &m, "addresses");
		is_u64(r.address_count, DNS_ADDRESSES_MAX, "number of addresses");
		is_u64(r.flags, questions > 4 ? DNS_LIMITED : 0, "flag at the bound of addresses");
	}
	arena_fini(&arena);
}

static void test_bound_of_text(void)
{
	/* Three names of 1012 octets of text in each of 233 records of 16 octets. */
	struct arena arena = {0};
	struct maker m;
	start(&m);
	put_long_question(&m);
	while (m.len + 16 <= FULL) {
		put_record(&m, 12, TYPE_RP, 4);
		put16(&m, 0xc00c);
		put16(&m, 0xc00c);
	}
	struct dns_result r = parse_made(&arena, &m, "names of escapes");
	is_u64(r.flags, DNS_LIMITED, "text is limited");
	is_u64(r.query_count, 1, "the event shows the records that fit");
	ok(r.queries && r.queries->response.n > 50, "some fit");

	/* The same answers to many questions: the text is made once but printed for each. */
	start(&m);
	put_short_question(&m);
	for (uint32_t i = 1; i < DNS_QUERIES_MAX; i++)
		put_question(&m, 12, TYPE_A);
	put_record(&m, 12, TYPE_TXT, 1600);
	for (uint32_t i = 0; i < 200; i++) {
		memcpy(m.bytes + m.len, "\7abcdefg", 8);
		m.len += 8;
	}
	r = parse_made(&arena, &m, "answers repeated");
	is_u64(r.query_count, DNS_TEXT_MAX / 1599, "events until their text meets its bound");
	is_u64(r.flags, DNS_LIMITED, "repeated text is limited");
	arena_fini(&arena);
}

static void test_bound_of_work(void)
{
	struct arena arena = {0};
	struct maker m;
	/* 1,400 pointers, each to the one before, then records whose owner is the last. */
	start(&m);
	put_short_question(&m);
	put_record(&m, 12, 10, 2800);
	put16(&m, 0xc00c);
	for (uint32_t i = 1; i < 1400; i++)
		put16(&m, 0xc000 | (m.len - 2));
	uint32_t last = m.len - 2;
	while (m.len + 12 <= FULL)
		put_record(&m, last, 10, 0);
	struct dns_result r = parse_made(&arena, &m, "pointers to pointers");
	is_u64(r.flags, DNS_LIMITED, "pointers followed are limited");
	is_u64(r.queries ? r.queries->response.n : 0, 1 + (DNS_HOPS_MAX - 1) / 1400, "records until then");

	/* As many different owner names as fit, each the target of an alias of the one before. */
	start(&m);
	put_short_question(&m);
	uint32_t owner = 12;
	for (uint32_t i = 0; m.len + 16 <= FULL; i++) {
		put_record(&m, owner, TYPE_CNAME, 4);
		owner = m.len;
		m.bytes[m.len++] = 1;
		m.bytes[m.len++] = (uint8_t)i;
		put16(&m, 0xc000 | (i % 10 ? owner - 16 : 12));
	}
	r = parse_made(&arena, &m, "a chain without end");
	is_u64(r.query_count, DNS_QUERIES_MAX, "a chain ends with the events");

	/* Every question asks for another long name that exists not. */
	start(&m);
	put_long_question(&m);
	for (uint32_t i = 0; i < 300; i++)
		put_question(&m, 12, TYPE_A);
	while (m.len + 12 <= FULL)
		put_record(&m, 12 + 64, 10, 0);
	r = parse_made(&arena, &m, "questions without answers");
	is_u64(r.query_count, 1, "what answers none of them is one event");
	arena_fini(&arena);
}

static void test_bound_of_capture(void)
{
	static uint8_t bytes[FULL + 1];
	memcpy(bytes, packet_single, sizeof(packet_single));
	struct arena arena = {0};
	struct dns_result r = parse(&arena, bytes, FULL, false, false);
	is_u64(r.flags, DNS_TRAILING, "as many octets as are looked at");
	r = parse(&arena, bytes, FULL + 1, false, false);
	is_u64(r.flags, DNS_TRAILING | DNS_TRUNCATED, "one more is a cut");
	is_u64(r.query_count, 1, "one more: the answer is seen");
	arena_fini(&arena);
}

int main(void)
{
	test_answers();
	test_chains();
	test_text();
	test_damage();
	test_longest_name();
	test_framing();
	test_cut_everywhere();
	test_cut_exactly();
	test_bound_of_events();
	test_bound_of_addresses();
	test_bound_of_text();
	test_bound_of_work();
	test_bound_of_capture();
	return done_testing();
}
