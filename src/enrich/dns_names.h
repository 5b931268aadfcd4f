/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which name an address was looked up by. The table owns its entries; strings it returns are borrowed
 * until its next put or get. Not thread-safe. An unused table has no memory of its own. */
#ifndef KUNAI_ENRICH_DNS_NAMES_H
#define KUNAI_ENRICH_DNS_NAMES_H

#include "enrich/address.h"

/* One table for each process and one for all. The least recently used entries go first. */
enum {
	DNS_NAMES_PROCESS_MAX = 512,
	DNS_NAMES_PROCESS_BYTES = 128 * 1024,
	DNS_NAMES_GLOBAL_MAX = 65536,
	DNS_NAMES_GLOBAL_BYTES = 16 * 1024 * 1024,

	/*
	 * Programs keep addresses for longer than DNS allows: connection pools, runtimes with a cache of
	 * their own, servers that resolve once at start. Hence a least time, and in the table of a process,
	 * which cannot be wrong about what that process asked, a use counts like a new answer. The global
	 * table speaks for other processes and must forget: addresses move. No answer is believed for longer
	 * than a day, as resolvers do.
	 */
	DNS_NAMES_PROCESS_MIN_SECONDS = 3600,
	DNS_NAMES_GLOBAL_MIN_SECONDS = 600,
	DNS_NAMES_MAX_SECONDS = 86400,
};

struct dns_names_entry;

struct dns_names_limits {
	uint32_t max_entries;
	uint32_t max_bytes;
	uint32_t min_seconds;
	bool use_renews;
};

extern const struct dns_names_limits dns_names_of_process;
extern const struct dns_names_limits dns_names_global;

struct dns_names {
	const struct dns_names_limits *limits;
	struct dns_names_entry **buckets;
	struct dns_names_entry *newest, *oldest; /* by last use */
	uint64_t seed;
	uint64_t evicted; /* entries that went before their time: the bounds were met */
	uint32_t bucket_count;
	uint32_t count;
	uint32_t bytes; /* of the entries */
};

/* limits must outlive the table. A seed the network cannot guess keeps hostile answers from sharing one
 * bucket. */
void dns_names_init(struct dns_names *t, const struct dns_names_limits *limits, uint64_t seed);
void dns_names_fini(struct dns_names *t);

/*
 * Remembers that address belongs to name, for which asked was asked; replaces what was known. Times are
 * nanoseconds of any one clock, ttl seconds. v4-mapped addresses are the same as IPv4. 0, also for the
 * loopback addresses it ignores; -EINVAL for texts longer than any name; -ENOMEM.
 */
int dns_names_put(struct dns_names *t, const struct ip_address *address, struct str name, struct str asked,
		  uint32_t ttl, uint64_t now);

/* False when the address is unknown or its time is over. */
bool dns_names_get(struct dns_names *t, const struct ip_address *address, uint64_t now, struct str *ret_name,
		   struct str *ret_asked);

#endif
