/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/community_id.h"

#include <errno.h>
#include <openssl/evp.h>

enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58, SCTP = 132 };

/* seed (2), two addresses, protocol, padding, two ports */
enum { INPUT_MAX = 2 + 16 + 16 + 1 + 1 + 2 + 2, SHA1_SIZE = 20 };

/* Message types that come in pairs: an answer belongs to the flow of its request. */
static const uint8_t icmp_pairs[][2] = {
	{8, 0},   /* echo */
	{13, 14}, /* timestamp */
	{15, 16}, /* information */
	{10, 9},  /* router solicitation */
	{17, 18}, /* address mask */
};

static const uint8_t icmpv6_pairs[][2] = {
	{128, 129}, /* echo */
	{130, 131}, /* multicast listener query */
	{133, 134}, /* router solicitation */
	{135, 136}, /* neighbour solicitation */
	{139, 140}, /* node information query */
	{144, 145}, /* home agent address discovery */
};

int community_id_init(struct community_id *c)
{
	EVP_MD *digest = EVP_MD_fetch(NULL, "SHA1", NULL);
	if (!digest)
		return -ENOTSUP;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (!context) {
		EVP_MD_free(digest);
		return -ENOMEM;
	}
	c->digest = digest;
	c->context = context;
	return 0;
}

void community_id_fini(struct community_id *c)
{
	EVP_MD_CTX_free(c->context);
	EVP_MD_free(c->digest);
	*c = (struct community_id){0};
}

static bool find_pair(const uint8_t (*pairs)[2], size_t n, uint16_t type, uint16_t *ret_other)
{
	for (size_t i = 0; i < n; i++) {
		if (pairs[i][0] == type || pairs[i][1] == type) {
			*ret_other = pairs[i][0] == type ? pairs[i][1] : pairs[i][0];
			return true;
		}
	}
	return false;
}

/* Replaces the code by the type of the answer; true when there is none, so that the flow has one direction
 * only. */
static bool map_icmp(struct flow *flow)
{
	uint16_t other;
	bool paired;
	if (flow->protocol == ICMP)
		paired = find_pair(icmp_pairs, sizeof(icmp_pairs) / sizeof(icmp_pairs[0]), flow->src_port,
				   &other);
	else if (flow->protocol == ICMPV6)
		paired = find_pair(icmpv6_pairs, sizeof(icmpv6_pairs) / sizeof(icmpv6_pairs[0]),
				   flow->src_port, &other);
	else
		return false;
	if (paired)
		flow->dst_port = other;
	return !paired;
}

static bool is_reversed(const struct flow *flow)
{
	int order = memcmp(flow->src.bytes, flow->dst.bytes, sizeof(flow->src.bytes));
	return order > 0 || (order == 0 && flow->src_port > flow->dst_port);
}

static void swap_ends(struct flow *flow)
{
	struct flow was = *flow;
	flow->src = was.dst;
	flow->dst = was.src;
	flow->src_port = was.dst_port;
	flow->dst_port = was.src_port;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == TCP || protocol == UDP || protocol == SCTP || protocol == ICMP ||
	       protocol == ICMPV6;
}

static uint8_t *put(uint8_t *out, const void *bytes, size_t len)
{
	memcpy(out, bytes, len);
	return out + len;
}

static size_t build_input(const struct flow *flow, uint8_t input[INPUT_MAX])
{
	static const uint8_t seed[2] = {0};
	const uint8_t protocol[2] = {flow->protocol, 0};
	const uint8_t ports[4] = {(uint8_t)(flow->src_port >> 8), (uint8_t)flow->src_port,
				  (uint8_t)(flow->dst_port >> 8), (uint8_t)flow->dst_port};
	size_t address_size = flow->src.v6 ? 16 : 4;

	uint8_t *end = put(input, seed, sizeof(seed));
	end = put(end, flow->src.bytes, address_size);
	end = put(end, flow->dst.bytes, address_size);
	end = put(end, protocol, sizeof(protocol));
	if (has_ports(flow->protocol))
		end = put(end, ports, sizeof(ports));
	return (size_t)(end - input);
}

int community_id_compute(struct community_id *c, const struct flow *flow, char ret_text[COMMUNITY_ID_SIZE])
{
	if (flow->src.v6 != flow->dst.v6)
		return -EINVAL;

	struct flow ordered = *flow;
	bool one_way = flow->icmp_types && map_icmp(&ordered);
	if (!one_way && is_reversed(&ordered))
		swap_ends(&ordered);

	uint8_t input[INPUT_MAX], hash[SHA1_SIZE];
	size_t len = build_input(&ordered, input);
	if (!EVP_DigestInit_ex2(c->context, c->digest, NULL) || !EVP_DigestUpdate(c->context, input, len) ||
	    !EVP_DigestFinal_ex(c->context, hash, NULL))
		return -EIO;

	memcpy(ret_text, "1:", 2);
	EVP_EncodeBlock((unsigned char *)ret_text + 2, hash, sizeof(hash));
	return 0;
}
