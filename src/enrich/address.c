/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/address.h"

struct prefix {
	uint8_t bytes[16];
	uint8_t bits;
	bool public;
};

/* The first match decides; an address that matches nothing is public. */
static const struct prefix v4_prefixes[] = {
	{{192, 0, 0, 9}, 32, true},  /* RFC 7723 port control anycast */
	{{192, 0, 0, 10}, 32, true}, /* RFC 8155 TURN anycast */
	{{0}, 8, false},             /* RFC 1122 this network */
	{{10}, 8, false},            /* RFC 1918 private */
	{{100, 64}, 10, false},      /* RFC 6598 shared address space */
	{{127}, 8, false},           /* RFC 1122 loopback */
	{{169, 254}, 16, false},     /* RFC 3927 link-local */
	{{172, 16}, 12, false},      /* RFC 1918 private */
	{{192, 0, 0}, 24, false},    /* RFC 6890 IETF protocol assignments */
	{{192, 0, 2}, 24, false},    /* RFC 5737 documentation */
	{{192, 168}, 16, false},     /* RFC 1918 private */
	{{198, 18}, 15, false},      /* RFC 2544 benchmarking */
	{{198, 51, 100}, 24, false}, /* RFC 5737 documentation */
	{{203, 0, 113}, 24, false},  /* RFC 5737 documentation */
	{{240}, 4, false},           /* RFC 1112 reserved, with RFC 919 limited broadcast */
};

static const struct prefix v6_prefixes[] = {
	{{0}, 128, false},                     /* RFC 4291 unspecified */
	{{[15] = 1}, 128, false},              /* RFC 4291 loopback */
	{{0xfe, 0x80}, 10, false},             /* RFC 4291 link-local */
	{{0xfe, 0xc0}, 10, false},             /* RFC 3879 site-local, deprecated */
	{{0xfc}, 7, false},                    /* RFC 4193 unique local */
	{{0x20, 0x01, 0x0d, 0xb8}, 32, false}, /* RFC 3849 documentation */
};

/* RFC 4291 §2.7 and RFC 7346: the low four bits of the second byte are the scope of a multicast address. */
enum { MULTICAST_PREFIX = 0xff, MULTICAST_SCOPE_GLOBAL = 0xe };

static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

struct ip_address address_from_v4(const uint8_t bytes[4])
{
	struct ip_address address = {0};
	memcpy(address.bytes, bytes, 4);
	return address;
}

struct ip_address address_from_v6(const uint8_t bytes[16])
{
	struct ip_address address = {.v6 = true};
	memcpy(address.bytes, bytes, 16);
	return address;
}

bool address_equal(const struct ip_address *a, const struct ip_address *b)
{
	return a->v6 == b->v6 && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool address_is_v4_mapped(const struct ip_address *address)
{
	return address->v6 && memcmp(address->bytes, v4_mapped, sizeof(v4_mapped)) == 0;
}

struct ip_address address_unmap(const struct ip_address *address)
{
	return address_is_v4_mapped(address) ? address_from_v4(address->bytes + sizeof(v4_mapped)) : *address;
}

bool address_is_loopback(const struct ip_address *address)
{
	struct ip_address plain = address_unmap(address);
	static const uint8_t loopback[16] = {[15] = 1};
	return plain.v6 ? memcmp(plain.bytes, loopback, sizeof(loopback)) == 0 : plain.bytes[0] == 127;
}

static bool prefix_contains(const struct prefix *prefix, const uint8_t *bytes)
{
	uint8_t whole = prefix->bits / 8, rest = prefix->bits % 8;
	if (memcmp(prefix->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 || (prefix->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
}

static bool is_public(const struct prefix *prefixes, size_t n, const uint8_t *bytes)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_contains(&prefixes[i], bytes))
			return prefixes[i].public;
	return true;
}

bool address_is_public(const struct ip_address *address)
{
	const uint8_t *bytes = address->bytes;
	if (!address->v6)
		return is_public(v4_prefixes, sizeof(v4_prefixes) / sizeof(v4_prefixes[0]), bytes);
	if (bytes[0] == MULTICAST_PREFIX)
		return (bytes[1] & 0xf) == MULTICAST_SCOPE_GLOBAL;
	return is_public(v6_prefixes, sizeof(v6_prefixes) / sizeof(v6_prefixes[0]), bytes);
}

static char *put_decimal(char *out, uint8_t v)
{
	if (v >= 100)
		*out++ = (char)('0' + v / 100);
	if (v >= 10)
		*out++ = (char)('0' + v / 10 % 10);
	*out++ = (char)('0' + v % 10);
	return out;
}

static char *put_v4(char *out, const uint8_t *bytes)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			*out++ = '.';
		out = put_decimal(out, bytes[i]);
	}
	return out;
}

static char *put_hex(char *out, unsigned v)
{
	for (int shift = 12; shift >= 0; shift -= 4)
		if (shift == 0 || v >> shift)
			*out++ = "0123456789abcdef"[v >> shift & 0xf];
	return out;
}

/* RFC 5952 §4.2: the longest run of two or more zero groups, the first one among equals. */
static int longest_zero_run(const unsigned group[8], int *ret_len)
{
	int best = -1, best_len = 1;
	for (int i = 0; i < 8; i++) {
		int len = 0;
		while (i + len < 8 && group[i + len] == 0)
			len++;
		if (len > best_len) {
			best = i;
			best_len = len;
		}
		i += len;
	}
	*ret_len = best_len;
	return best;
}

static char *put_v6(char *out, const uint8_t *bytes)
{
	unsigned group[8];
	for (int i = 0; i < 8; i++)
		group[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];

	int run_len, run = longest_zero_run(group, &run_len);
	for (int i = 0; i < 8;) {
		if (i == run) {
			*out++ = ':';
			*out++ = ':';
			i += run_len;
			continue;
		}
		if (i > 0 && out[-1] != ':')
			*out++ = ':';
		out = put_hex(out, group[i++]);
	}
	return out;
}

uint32_t address_format(const struct ip_address *address, char text[ADDRESS_TEXT_SIZE])
{
	char *end;
	if (!address->v6) {
		end = put_v4(text, address->bytes);
	} else if (address_is_v4_mapped(address)) {
		memcpy(text, "::ffff:", 7);
		end = put_v4(text + 7, address->bytes + sizeof(v4_mapped));
	} else {
		end = put_v6(text, address->bytes);
	}
	*end = '\0';
	return (uint32_t)(end - text);
}

struct str address_text(struct arena *a, const struct ip_address *address)
{
	char text[ADDRESS_TEXT_SIZE];
	uint32_t len = address_format(address, text);
	return arena_str(a, (struct str){text, len});
}
