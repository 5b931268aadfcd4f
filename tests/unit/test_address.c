/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/address.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "tap.h"
#include "tests/support/lookup.h"

struct expectation {
	const char *text;
	bool public;
};

/* Both sides of both edges of every prefix. */
static const struct expectation publicness[] = {
	{"0.0.0.0", false},
	{"0.255.255.255", false},
	{"1.0.0.0", true},
	{"9.255.255.255", true},
	{"10.0.0.0", false},
	{"10.255.255.255", false},
	{"11.0.0.0", true},
	{"100.63.255.255", true},
	{"100.64.0.0", false},
	{"100.127.255.255", false},
	{"100.128.0.0", true},
	{"126.255.255.255", true},
	{"127.0.0.0", false},
	{"127.255.255.255", false},
	{"128.0.0.0", true},
	{"169.253.255.255", true},
	{"169.254.0.0", false},
	{"169.254.255.255", false},
	{"169.255.0.0", true},
	{"172.15.255.255", true},
	{"172.16.0.0", false},
	{"172.31.255.255", false},
	{"172.32.0.0", true},
	{"191.255.255.255", true},
	{"192.0.0.0", false},
	{"192.0.0.8", false},
	{"192.0.0.9", true},
	{"192.0.0.10", true},
	{"192.0.0.11", false},
	{"192.0.0.255", false},
	{"192.0.1.0", true},
	{"192.0.1.255", true},
	{"192.0.2.0", false},
	{"192.0.2.255", false},
	{"192.0.3.0", true},
	{"192.167.255.255", true},
	{"192.168.0.0", false},
	{"192.168.255.255", false},
	{"192.169.0.0", true},
	{"198.17.255.255", true},
	{"198.18.0.0", false},
	{"198.19.255.255", false},
	{"198.20.0.0", true},
	{"198.51.99.255", true},
	{"198.51.100.0", false},
	{"198.51.100.255", false},
	{"198.51.101.0", true},
	{"203.0.112.255", true},
	{"203.0.113.0", false},
	{"203.0.113.255", false},
	{"203.0.114.0", true},
	{"224.0.0.0", true},
	{"224.0.0.251", true},
	{"239.255.255.255", true},
	{"240.0.0.0", false},
	{"255.255.255.254", false},
	{"255.255.255.255", false},
	{"8.8.8.8", true},
	{"::", false},
	{"::1", false},
	{"::2", true},
	{"::ffff:10.0.0.1", true},
	{"::ffff:127.0.0.1", true},
	{"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", true},
	{"2001:db8::", false},
	{"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", false},
	{"2001:db9::", true},
	{"fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
	{"fc00::", false},
	{"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
	{"fe00::", true},
	{"fe7f:ffff::", true},
	{"fe80::", false},
	{"febf:ffff::", false},
	{"fec0::", false},
	{"feff:ffff::", false},
	{"ff01::1", false},
	{"ff02::1", false},
	{"ff05::1", false},
	{"ff08::1", false},
	{"ff0e::1", true},
	{"ff3e::1", true},
	{"ff0f::1", false},
	{"2606:4700:4700::1111", true},
};

static void test_public(void)
{
	for (size_t i = 0; i < sizeof(publicness) / sizeof(publicness[0]); i++) {
		struct ip_address address = address_of(publicness[i].text);
		ok(address_is_public(&address) == publicness[i].public, "%s is %spublic", publicness[i].text,
		   publicness[i].public ? "" : "not ");
	}
}

/* Each is canonical: the text must come back. */
static const char *const canonical[] = {
	"0.0.0.0",
	"255.255.255.255",
	"10.20.30.40",
	"192.0.2.100",
	"::",
	"::1",
	"1::",
	"2001:db8::1",
	"2001:db8::1:0:0:1",
	"2001:0:0:1::1",
	"2001:db8:0:1:1:1:1:1",
	"1:0:1:0:1:0:1:0",
	"::1:2:3:4:5:6",
	"1:2:3:4:5:6::",
	"0:1:2:3:4:5:6:7",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"::ffff:192.0.2.1",
	"::ffff:255.255.255.255",
	"::fffe:c000:201",
	"abcd:ef01:2345:6789:abc:d:1000:100",
};

static void test_text(void)
{
	char text[ADDRESS_TEXT_SIZE];
	for (size_t i = 0; i < sizeof(canonical) / sizeof(canonical[0]); i++) {
		struct ip_address address = address_of(canonical[i]);
		uint32_t len = address_format(&address, text);
		is_str(text, canonical[i], canonical[i]);
		is_u64(len, strlen(canonical[i]), "its length");
	}

	struct ip_address compatible = address_of("::1.2.3.4");
	address_format(&compatible, text);
	is_str(text, "::102:304", "the deprecated v4-compatible form is not used");

	struct arena arena = {0};
	struct str copy = address_text(&arena, &compatible);
	is_str(copy.p, "::102:304", "text in an arena");
	arena_fini(&arena);
}

/* Against the C library, with many zero groups; it prints v4-compatible addresses differently. */
static void test_text_random(void)
{
	uint64_t state = 12345;
	uint32_t differ = 0;
	for (int round = 0; round < 200000; round++) {
		uint8_t bytes[16] = {0};
		for (int i = 0; i < 16; i++) {
			state = state * 6364136223846793005ULL + 1442695040888963407ULL;
			uint8_t kind = (uint8_t)(state >> 60);
			bytes[i] = kind < 9 ? 0 : kind == 9 ? 0xff : (uint8_t)(state >> 40);
		}
		bytes[0] |= 1;
		struct ip_address address = address_from_v6(bytes);
		char got[ADDRESS_TEXT_SIZE], want[INET6_ADDRSTRLEN];
		address_format(&address, got);
		inet_ntop(AF_INET6, bytes, want, sizeof(want));
		differ += strcmp(got, want) != 0;

		address = address_from_v4(bytes + 4);
		address_format(&address, got);
		inet_ntop(AF_INET, bytes + 4, want, sizeof(want));
		differ += strcmp(got, want) != 0;
	}
	is_u64(differ, 0, "same text as inet_ntop()");
}

static void test_kinds(void)
{
	struct ip_address v4 = address_of("127.1.2.3"), v6 = address_of("::1"),
			  other = address_of("128.0.0.1");
	struct ip_address mapped = address_of("::ffff:127.1.2.3"), compatible = address_of("::127.1.2.3");
	ok(address_is_loopback(&v4) && address_is_loopback(&v6) && address_is_loopback(&mapped), "loopback");
	ok(!address_is_loopback(&other) && !address_is_loopback(&compatible), "not loopback");
	ok(address_is_v6(&mapped) && address_is_v6(&v6) && !address_is_v6(&v4), "v4-mapped is IPv6");
	ok(address_is_v4_mapped(&mapped) && !address_is_v4_mapped(&v6) && !address_is_v4_mapped(&v4),
	   "v4-mapped");

	struct ip_address plain = address_unmap(&mapped);
	ok(address_equal(&plain, &v4), "unmapped");
	plain = address_unmap(&v6);
	ok(address_equal(&plain, &v6) && !address_equal(&v4, &mapped), "others stay");
	struct ip_address zero4 = address_of("0.0.0.0"), zero6 = address_of("::");
	ok(!address_equal(&zero4, &zero6), "families differ");
}

int main(void)
{
	test_public();
	test_text();
	test_text_random();
	test_kinds();
	return done_testing();
}
