/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "enrich/community_id.h"
#include "tap.h"
#include "tests/support/lookup.h"

struct vector {
	uint8_t protocol;
	bool icmp_types;
	const char *src;
	uint16_t src_port;
	const char *dst;
	uint16_t dst_port;
	const char *id;
};

/* Made by community_id_vectors.py. The first row is Kunai's; the rows with 128.232.110.120, 192.168.1.52,
 * 192.168.0.89, fe80:: and SCTP are published with the specification. */
/* clang-format off */
static const struct vector vectors[] = {
	{17, false, "192.168.1.42", 4242, "8.8.8.8", 53, "1:vTdrngJjlP5eZ9mw9JtnKyn99KM="},
	{17, false, "8.8.8.8", 53, "192.168.1.42", 4242, "1:vTdrngJjlP5eZ9mw9JtnKyn99KM="},
	{17, false, "192.168.1.52", 54585, "8.8.8.8", 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
	{6, false, "128.232.110.120", 34855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	{6, false, "66.35.250.204", 80, "128.232.110.120", 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	{6, false, "10.0.0.1", 2, "10.0.0.1", 1, "1:mb9gqkXo1/+WeunLJO7I9i/H8Ec="},
	{6, false, "10.0.0.1", 256, "10.0.0.1", 255, "1:bYAhlXxOhn7zNgas/vXh8EAvzps="},
	{6, false, "2001:db8::1", 40000, "2001:db8::2", 443, "1:RYG3Msb11GthNt1OYXJouPzmrvA="},
	{6, false, "::ffff:10.0.0.2", 40000, "::ffff:10.0.0.1", 443, "1:BbXeSWKoObq/kHqofNNIRoEKry4="},
	{132, false, "192.168.170.8", 7, "192.168.170.56", 80, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="},
	{1, true, "192.168.0.89", 8, "192.168.0.1", 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
	{1, true, "192.168.0.1", 0, "192.168.0.89", 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
	{1, true, "192.168.0.89", 20, "192.168.0.1", 0, "1:3o2RFccXzUgjl7zDpqmY7yJi8rI="},
	{1, true, "192.168.0.1", 3, "192.168.0.89", 1, "1:o3zT92uTgnRWv/YrDVeXcWumpC4="},
	{1, false, "192.168.0.89", 20, "192.168.0.1", 0, "1:J/VOQ07w1GnfOxANPBye/Bybhs8="},
	{58, true, "fe80::200:86ff:fe05:80da", 135, "fe80::260:97ff:fe07:69ea", 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
	{58, true, "3ffe:507:0:1:260:97ff:fe07:69ea", 3, "3ffe:507:0:1:200:86ff:fe05:80da", 0, "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w="},
	{46, false, "10.1.24.4", 46, "10.1.12.1", 0, "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4="},
	{255, false, "10.1.12.1", 255, "10.1.24.4", 0, "1:gBgFoReucnfH2VpunVJLGvF/BqE="},
};
/* clang-format on */

static struct flow flow_of(const struct vector *v)
{
	return (struct flow){
		.src = address_of(v->src),
		.dst = address_of(v->dst),
		.src_port = v->src_port,
		.dst_port = v->dst_port,
		.protocol = v->protocol,
		.icmp_types = v->icmp_types,
	};
}

int main(void)
{
	struct community_id c;
	ok(community_id_init(&c) == 0, "init");

	/* Twice with the same context: nothing of one flow may reach the next. */
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
			const struct vector *v = &vectors[i];
			struct flow flow = flow_of(v);
			char text[COMMUNITY_ID_SIZE] = "";
			int err = community_id_compute(&c, &flow, text);
			bool same = err == 0 && strcmp(text, v->id) == 0;
			ok(same, "%u %s:%u %s:%u is %s", v->protocol, v->src, v->src_port, v->dst,
			   v->dst_port, text);
		}
	}

	struct flow mixed = flow_of(&vectors[0]);
	mixed.dst.v6 = true;
	char text[COMMUNITY_ID_SIZE] = "untouched";
	ok(community_id_compute(&c, &mixed, text) == -EINVAL, "addresses of two families are refused");
	is_str(text, "untouched", "and nothing is written");

	community_id_fini(&c);
	community_id_fini(&c);
	ok(c.context == NULL, "fini twice");
	return done_testing();
}
