/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the pages that are made of schema/ share. All of it is constant. */
#ifndef KUNAI_EVENT_DESCRIBE_H
#define KUNAI_EVENT_DESCRIBE_H

#include <stdbool.h>

/* One row a kind of field: as words, and as JSON Schema. */
struct kind_info {
	const char *json;
	const char *rule;
	bool omitted; /* the key may be absent */
	const char *schema;
};

extern const struct kind_info describe_kinds[];

/* Made by this version, and shown. */
bool describe_is_printed(int type);

/* kunai-events(5) */
void describe_manual(void);

#endif
