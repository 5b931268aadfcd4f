/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events from JSON, as this sensor and Kunai since 0.4 write them. The inverse of the writer, and driven by the same
 * tables. An event borrows the arena.
 */
#ifndef KUNAI_JSON_READER_H
#define KUNAI_JSON_READER_H

#include "event/event.h"

enum { JSON_PROBLEM_SIZE = 160 };

struct json_problem {
	uint32_t line; /* within the text, from 1 */
	char message[JSON_PROBLEM_SIZE];
};

/*
 * Reads one event. Lenient with the logs of other versions: what is missing is empty, what is unknown is passed over, a
 * value of another kind is taken for what it says (an `exe` that is a string, a `response` joined by ;).
 * -EBADMSG: no JSON object, or no event; *ret_problem says what is wrong. -ENOMEM.
 */
int json_read_event(struct str text, struct arena *a, struct event *ret, struct json_problem *ret_problem);

#endif
