/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/dns_names.h"

#include <errno.h>

#include "tap.h"

#define SECOND 1000000000ULL

static struct ip_address v4(uint32_t n)
{
	const uint8_t bytes[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	return address_from_v4(bytes);
}

static struct ip_address v6(uint8_t first, uint8_t last)
{
	const uint8_t bytes[16] = {[0] = first, [15] = last};
	return address_from_v6(bytes);
}

static struct ip_address mapped(uint32_t n)
{
	struct ip_address plain = v4(n);
	uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};
	memcpy(bytes + 12, plain.bytes, 4);
	return address_from_v6(bytes);
}

static bool put(struct dns_names *t, struct ip_address address, const char *name, uint32_t ttl, uint64_t now)
{
	return dns_names_put(t, &address, str_of(name), STR("asked.test"), ttl, now) == 0;
}

static bool has(struct dns_names *t, struct ip_address address, const char *want, uint64_t now)
{
	struct str name, asked;
	if (!dns_names_get(t, &address, now, &name, &asked))
		return want == NULL;
	return want && str_eq(name, str_of(want)) && str_eq(asked, STR("asked.test"));
}

static void test_content(void)
{
	struct dns_names t;
	dns_names_init(&t, &dns_names_of_process, 1);
	ok(has(&t, v4(0x08080808), NULL, 0), "empty: unknown");
	ok(t.buckets == NULL, "empty: no memory");

	ok(put(&t, v4(0x08080808), "a.test", 60, 0) && has(&t, v4(0x08080808), "a.test", 1), "put and get");
	ok(has(&t, mapped(0x08080808), "a.test", 1), "found as v4-mapped");
	ok(put(&t, mapped(0x08080808), "b.test", 60, 0) && has(&t, v4(0x08080808), "b.test", 1),
	   "the latest wins");
	is_u64(t.count, 1, "and replaces");
	ok(put(&t, v6(0x20, 1), "six.test", 60, 0) && has(&t, v6(0x20, 1), "six.test", 1), "IPv6");
	ok(has(&t, v6(0x20, 2), NULL, 1), "another is unknown");

	struct ip_address address = v4(0x01020304);
	struct str name, asked;
	dns_names_put(&t, &address, STR("same.test"), STR("same.test"), 60, 0);
	ok(dns_names_get(&t, &address, 1, &name, &asked) && str_eq(asked, STR("same.test")),
	   "asked equals the name");

	uint32_t before = t.count;
	ok(put(&t, v4(0x7f000001), "lo", 60, 0) && put(&t, v4(0x7fffffff), "lo", 60, 0) &&
		   put(&t, v6(0, 1), "lo", 60, 0) && put(&t, mapped(0x7f000001), "lo", 60, 0),
	   "loopback is no error");
	is_u64(t.count, before, "loopback is never stored");

	static char long_name[1017];
	memset(long_name, 'x', sizeof(long_name));
	ok(dns_names_put(&t, &address, (struct str){long_name, 1016}, STR("q"), 60, 0) == 0,
	   "the longest name");
	ok(dns_names_put(&t, &address, (struct str){long_name, 1017}, STR("q"), 60, 0) == -EINVAL,
	   "one longer");
	dns_names_fini(&t);
	ok(t.count == 0 && t.bytes == 0 && has(&t, v4(0x08080808), NULL, 1), "fini empties");
	ok(put(&t, v4(0x08080808), "again.test", 60, 0) && has(&t, v4(0x08080808), "again.test", 1),
	   "and allows use");
	dns_names_fini(&t);
}

static void test_expiry(void)
{
	struct dns_names t;
	struct ip_address a = v4(0x08080808);
	uint64_t least = DNS_NAMES_GLOBAL_MIN_SECONDS * SECOND, most = DNS_NAMES_MAX_SECONDS * SECOND;
	dns_names_init(&t, &dns_names_global, 1);

	put(&t, a, "short.test", 0, 5);
	ok(has(&t, a, "short.test", 5 + least - 1), "a TTL of 0 lives for the least time, even when used");
	ok(has(&t, a, NULL, 5 + least), "and no longer");
	is_u64(t.count, 0, "the expired entry is gone");

	put(&t, a, "ttl.test", 7200, 5);
	ok(has(&t, a, "ttl.test", 5 + 7200 * SECOND - 1) && has(&t, a, NULL, 5 + 7200 * SECOND),
	   "a longer TTL counts");
	put(&t, a, "long.test", UINT32_MAX, 5);
	ok(has(&t, a, "long.test", 5 + most - 1) && has(&t, a, NULL, 5 + most), "the largest TTL is a day");
	dns_names_fini(&t);

	least = DNS_NAMES_PROCESS_MIN_SECONDS * SECOND;
	dns_names_init(&t, &dns_names_of_process, 1);
	put(&t, a, "used.test", 0, 0);
	for (uint64_t i = 1; i <= 10; i++)
		has(&t, a, "used.test", i * (least - 1));
	ok(has(&t, a, "used.test", 11 * (least - 1)), "in a process a use renews");
	ok(has(&t, a, NULL, 12 * least), "without use it ends");
	dns_names_fini(&t);
}

static void test_bounds(void)
{
	struct dns_names t;
	dns_names_init(&t, &dns_names_of_process, 1);
	for (uint32_t i = 0; i < DNS_NAMES_PROCESS_MAX; i++)
		put(&t, v4(0x08000000 + i), "n.test", 60, 0);
	is_u64(t.count, DNS_NAMES_PROCESS_MAX, "full");
	is_u64(t.evicted, 0, "nothing was evicted up to the bound");
	bool all = true;
	for (uint32_t i = 0; i < DNS_NAMES_PROCESS_MAX; i++)
		all = all && has(&t, v4(0x08000000 + i), "n.test", 1);
	ok(all, "all are there");

	has(&t, v4(0x08000000), "n.test", 1);
	put(&t, v4(0x09000000), "new.test", 60, 1);
	is_u64(t.count, DNS_NAMES_PROCESS_MAX, "one more does not grow it");
	is_u64(t.evicted, 1, "the eviction is counted");
	ok(has(&t, v4(0x08000001), NULL, 1), "the least recently used went");
	ok(has(&t, v4(0x08000000), "n.test", 1) && has(&t, v4(0x09000000), "new.test", 1),
	   "the others stayed");
	dns_names_fini(&t);

	static char long_name[1001];
	memset(long_name, 'x', 1000);
	bool within = true;
	for (uint32_t i = 0; i < 1000; i++) {
		put(&t, v4(0x08000000 + i), long_name, 60, 0);
		within = within && t.bytes <= DNS_NAMES_PROCESS_BYTES;
	}
	ok(within && t.count < DNS_NAMES_PROCESS_MAX && t.count > 100, "long names: bounded in bytes");
	ok(has(&t, v4(0x08000000 + 999), long_name, 1), "long names: the newest is there");
	dns_names_fini(&t);
}

/* Against a model: the last number put for each of 4096 addresses. */
static void test_random(void)
{
	static uint32_t model[4096];
	struct dns_names t;
	dns_names_init(&t, &dns_names_global, 0x1234567890abcdefULL);
	uint64_t state = 7;
	uint32_t wrong = 0;
	for (uint32_t i = 1; i <= 200000; i++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		uint32_t n = (uint32_t)(state >> 40) % 4096;
		char name[16];
		if (state >> 63) {
			snprintf(name, sizeof(name), "%u", i);
			put(&t, v4(0x0a000000 + n), name, 60, 0);
			model[n] = i;
		} else {
			snprintf(name, sizeof(name), "%u", model[n]);
			wrong += !has(&t, v4(0x0a000000 + n), model[n] ? name : NULL, 1);
		}
	}
	is_u64(wrong, 0, "every look-up finds the latest");
	ok(t.bucket_count >= t.count, "buckets grow with the entries");
	dns_names_fini(&t);

	for (uint32_t i = 0; i <= DNS_NAMES_GLOBAL_MAX; i++)
		put(&t, v4(0x0a000000 + i), "n", 60, 0);
	is_u64(t.count, DNS_NAMES_GLOBAL_MAX, "the global bound");
	is_u64(t.evicted, 1, "met by one");
	dns_names_fini(&t);
}

int main(void)
{
	test_content();
	test_expiry();
	test_bounds();
	test_random();
	return done_testing();
}
