/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/dns_names.h"

#include <errno.h>
#include <stdlib.h>

#include "enrich/dns_wire.h"

#define NS_PER_SECOND 1000000000ULL

enum { FIRST_BUCKETS = 16 };

struct dns_names_entry {
	struct dns_names_entry *chain;
	struct dns_names_entry *newer, *older;
	uint64_t expires; /* ns */
	struct ip_address address;
	uint32_t hash;
	uint32_t size;
	uint32_t name_len;
	uint32_t asked_len;
	char text[]; /* name, then asked unless it is the same */
};

const struct dns_names_limits dns_names_of_process = {
	.max_entries = DNS_NAMES_PROCESS_MAX,
	.max_bytes = DNS_NAMES_PROCESS_BYTES,
	.min_seconds = DNS_NAMES_PROCESS_MIN_SECONDS,
	.use_renews = true,
};

const struct dns_names_limits dns_names_global = {
	.max_entries = DNS_NAMES_GLOBAL_MAX,
	.max_bytes = DNS_NAMES_GLOBAL_BYTES,
	.min_seconds = DNS_NAMES_GLOBAL_MIN_SECONDS,
};

void dns_names_init(struct dns_names *t, const struct dns_names_limits *limits, uint64_t seed)
{
	*t = (struct dns_names){.limits = limits, .seed = seed};
}

void dns_names_fini(struct dns_names *t)
{
	while (t->oldest) {
		struct dns_names_entry *newer = t->oldest->newer;
		free(t->oldest);
		t->oldest = newer;
	}
	free(t->buckets);
	dns_names_init(t, t->limits, t->seed);
}

/* The finalizer of splitmix64, a bijection, so only what differs can meet again. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static uint32_t hash_address(const struct dns_names *t, const struct ip_address *address)
{
	uint64_t high, low;
	memcpy(&high, address->bytes, 8);
	memcpy(&low, address->bytes + 8, 8);
	return (uint32_t)mix(mix(mix(t->seed ^ high) + t->seed + low) + address->v6);
}

static struct dns_names_entry **bucket_of(const struct dns_names *t, uint32_t hash)
{
	return &t->buckets[hash & (t->bucket_count - 1)];
}

static void chain_entry(struct dns_names *t, struct dns_names_entry *e)
{
	struct dns_names_entry **bucket = bucket_of(t, e->hash);
	e->chain = *bucket;
	*bucket = e;
}

/* Keeps buckets at least as many as entries. Without memory for more the chains just get longer. */
static int grow_buckets(struct dns_names *t)
{
	if (t->count < t->bucket_count)
		return 0;
	uint32_t n = t->bucket_count ? 2 * t->bucket_count : FIRST_BUCKETS;
	struct dns_names_entry **buckets = calloc(n, sizeof(*buckets));
	if (!buckets)
		return t->buckets ? 0 : -ENOMEM;

	free(t->buckets);
	t->buckets = buckets;
	t->bucket_count = n;
	for (struct dns_names_entry *e = t->newest; e; e = e->older)
		chain_entry(t, e);
	return 0;
}

static void link_newest(struct dns_names *t, struct dns_names_entry *e)
{
	e->newer = NULL;
	e->older = t->newest;
	if (t->newest)
		t->newest->newer = e;
	else
		t->oldest = e;
	t->newest = e;
}

static void unlink_entry(struct dns_names *t, struct dns_names_entry *e)
{
	if (e->newer)
		e->newer->older = e->older;
	else
		t->newest = e->older;
	if (e->older)
		e->older->newer = e->newer;
	else
		t->oldest = e->newer;
}

static void drop_entry(struct dns_names *t, struct dns_names_entry *e)
{
	struct dns_names_entry **at = bucket_of(t, e->hash);
	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	unlink_entry(t, e);
	t->count--;
	t->bytes -= e->size;
	free(e);
}

static struct dns_names_entry *find_entry(const struct dns_names *t, const struct ip_address *address,
					  uint32_t hash)
{
	if (!t->buckets)
		return NULL;
	struct dns_names_entry *e = *bucket_of(t, hash);
	while (e && (e->hash != hash || !address_equal(&e->address, address)))
		e = e->chain;
	return e;
}

static void make_room(struct dns_names *t, uint32_t size, uint64_t now)
{
	const struct dns_names_limits *limits = t->limits;
	while (t->oldest && (t->count >= limits->max_entries || t->bytes + size > limits->max_bytes)) {
		t->evicted += t->oldest->expires > now;
		drop_entry(t, t->oldest);
	}
}

static struct dns_names_entry *new_entry(const struct ip_address *address, struct str name, struct str asked)
{
	uint32_t asked_len = str_eq(name, asked) ? 0 : asked.len;
	size_t size = sizeof(struct dns_names_entry) + name.len + asked_len;
	struct dns_names_entry *e = malloc(size);
	if (!e)
		return NULL;
	*e = (struct dns_names_entry){
		.address = *address,
		.size = (uint32_t)size,
		.name_len = name.len,
		.asked_len = asked_len,
	};
	if (name.len)
		memcpy(e->text, name.p, name.len);
	if (asked_len)
		memcpy(e->text + name.len, asked.p, asked_len);
	return e;
}

static uint64_t expiry(uint64_t now, uint32_t seconds, const struct dns_names_limits *limits)
{
	if (seconds > DNS_NAMES_MAX_SECONDS)
		seconds = DNS_NAMES_MAX_SECONDS;
	if (seconds < limits->min_seconds)
		seconds = limits->min_seconds;
	return now + seconds * NS_PER_SECOND;
}

int dns_names_put(struct dns_names *t, const struct ip_address *address, struct str name, struct str asked,
		  uint32_t ttl, uint64_t now)
{
	if (name.len > DNS_NAME_TEXT_MAX || asked.len > DNS_NAME_TEXT_MAX)
		return -EINVAL;
	if (address_is_loopback(address))
		return 0;
	int err = grow_buckets(t);
	if (err < 0)
		return err;

	struct ip_address plain = address_unmap(address);
	struct dns_names_entry *e = new_entry(&plain, name, asked);
	if (!e)
		return -ENOMEM;
	e->hash = hash_address(t, &plain);
	e->expires = expiry(now, ttl, t->limits);

	struct dns_names_entry *known = find_entry(t, &plain, e->hash);
	if (known)
		drop_entry(t, known);
	make_room(t, e->size, now);
	chain_entry(t, e);
	link_newest(t, e);
	t->count++;
	t->bytes += e->size;
	return 0;
}

bool dns_names_get(struct dns_names *t, const struct ip_address *address, uint64_t now, struct str *ret_name,
		   struct str *ret_asked)
{
	struct ip_address plain = address_unmap(address);
	struct dns_names_entry *e = find_entry(t, &plain, hash_address(t, &plain));
	if (!e)
		return false;
	if (e->expires <= now) {
		drop_entry(t, e);
		return false;
	}

	unlink_entry(t, e);
	link_newest(t, e);
	if (t->limits->use_renews) {
		uint64_t renewed = expiry(now, t->limits->min_seconds, t->limits);
		e->expires = renewed > e->expires ? renewed : e->expires;
	}
	*ret_name = (struct str){e->text, e->name_len};
	*ret_asked = e->asked_len ? (struct str){e->text + e->name_len, e->asked_len} : *ret_name;
	return true;
}
