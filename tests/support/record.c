/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/record.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "event/schema.h"

void record_begin(struct record *r, enum event_type type)
{
	size_t fixed = sizeof(struct wire_header) + event_schemas[type].wire_size;

	memset(r->bytes, 0, fixed);
	*record_head(r) = (struct wire_header){
		.length = (uint32_t)fixed,
		.type = (uint16_t)type,
		.tier = TIER_TRACEPOINT,
	};
}

struct slot record_put(struct record *r, const void *bytes, size_t len)
{
	struct slot slot = {record_head(r)->length, (uint32_t)len};

	if (len > sizeof(r->bytes) - slot.off)
		abort();
	if (len)
		memcpy(r->bytes + slot.off, bytes, len);
	record_head(r)->length += (uint32_t)len;
	return slot;
}

void record_put_path(struct record *r, struct wire_path *path, struct str text)
{
	struct slot all = {record_head(r)->length, 0};
	uint32_t end = text.len;

	while (end > 0) {
		uint32_t start = end;
		while (start > 0 && text.p[start - 1] != '/')
			start--;
		if (start < end) {
			record_put(r, text.p + start, end - start);
			record_put(r, "", 1);
		}
		end = start > 0 ? start - 1 : 0;
	}
	all.len = record_head(r)->length - all.off;
	path->components = all;
	path->mode = S_IFREG | 0755;
}
