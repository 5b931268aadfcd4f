/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: one octet of transport (1 TCP, 2 capture cut), then the bytes received. */
#include <stdlib.h>
#include <time.h>

#include "enrich/dns_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TIME_MAX_MS = 200 };

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static void check_text(struct str s)
{
	demand(s.p != NULL);
	for (uint32_t i = 0; i < s.len; i++)
		demand(s.p[i] >= ' ' && s.p[i] <= '~');
}

static uint64_t cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void check_result(const struct dns_result *r)
{
	uint32_t queries = 0, addresses = 0, text = 0;
	for (const struct dns_query *q = r->queries; q; q = q->next) {
		queries++;
		check_text(q->query);
		check_text(q->asked);
		demand(q->query.len > 0 && q->asked.len > 0 && q->query_type.len > 0);
		for (uint32_t i = 0; i < q->response.n; i++) {
			check_text(q->response.v[i]);
			text += q->response.v[i].len;
		}
	}
	for (const struct dns_address *a = r->addresses; a; a = a->next) {
		addresses++;
		check_text(a->name);
		check_text(a->asked);
	}
	demand(queries == r->query_count && queries <= DNS_QUERIES_MAX);
	demand(addresses == r->address_count && addresses <= DNS_ADDRESSES_MAX);
	demand(text <= DNS_TEXT_MAX);
	demand(queries == 0 || r->responses > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct dns_capture capture = {
		.bytes = data + 1,
		.len = (uint32_t)(size - 1),
		.tcp = data[0] & 1,
		.cut = data[0] & 2,
	};
	struct arena arena = {0};
	struct dns_result result;
	uint64_t began = cpu_ms();
	demand(dns_message_parse(&arena, &capture, &result) == 0);
	demand(cpu_ms() - began < TIME_MAX_MS);
	check_result(&result);
	arena_fini(&arena);
	return 0;
}
