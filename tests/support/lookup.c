/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/lookup.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct ip_address address_of(const char *text)
{
	uint8_t bytes[16];
	if (inet_pton(AF_INET, text, bytes) == 1)
		return address_from_v4(bytes);
	if (inet_pton(AF_INET6, text, bytes) != 1)
		abort();
	return address_from_v6(bytes);
}

int find_field(enum event_type type, const char *path, struct field_ref *ret)
{
	struct str segments[FIELD_DEPTH_MAX];
	uint32_t n = 0;

	for (const char *at = path; *at == '.'; n++) {
		uint32_t len = (uint32_t)strcspn(at + 1, ".");
		segments[n] = (struct str){at + 1, len};
		at += 1 + len;
	}
	return field_find(type, segments, n, ret);
}
