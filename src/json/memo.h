/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts that were made of an event's origin, for the next event that has the same. A text is given back only where every
 * value that it was made of is equal, so nothing has to be told when one changes. A memo owns its texts.
 */
#ifndef KUNAI_JSON_MEMO_H
#define KUNAI_JSON_MEMO_H

#include "event/event.h"

enum {
	MEMO_PARTS_MAX = 4,
	MEMO_SLOTS = 1024,     /* the same for tasks whose ids collide */
	MEMO_ENTRY_MAX = 2048, /* bytes; what is longer is made each time */
};

struct json_memo;

/* NULL with errno ENOMEM. */
struct json_memo *json_memo_new(void);
void json_memo_free(struct json_memo *m);

/* The parts that were kept of this origin, until the next call; NULL: none. */
const struct str *json_memo_find(struct json_memo *m, const struct obj_info *info);

/*
 * Copies the parts, from the second time on that an origin like this one was not found: most processes end before. Without
 * memory nothing is kept.
 */
void json_memo_keep(struct json_memo *m, const struct obj_info *info, const struct str parts[MEMO_PARTS_MAX]);

/* Forgets all. */
void json_memo_clear(struct json_memo *m);

#endif
