/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events as JSON, one object a line. A writer owns its plans and belongs to one thread. */
#ifndef KUNAI_JSON_WRITER_H
#define KUNAI_JSON_WRITER_H

#include "base/buf.h"
#include "event/event.h"

struct json_writer;

/* NULL with errno ENOMEM. */
struct json_writer *json_writer_new(void);
void json_writer_free(struct json_writer *w);

/* From now on lists in the data of these events are one text each, "a;b": what Kunai up to 0.6 made of DNS answers. */
void json_writer_join_lists(struct json_writer *w, enum event_type type);

/* What was kept of earlier events for later ones that say the same: the lines are the same without. */
void json_writer_forget(struct json_writer *w);

/* Appends the event and a newline. Keys come in the order of the schema. */
void json_write_event(struct json_writer *w, const struct event *e, struct buf *out);

/* Appends a JSON string with its quotes. Only what JSON demands is escaped; the text must be valid UTF-8. */
void json_write_str(struct buf *out, struct str s);

/* Appends the shortest decimal that reads back as the same number; whole numbers keep ".0". Not finite: null. */
void json_write_f32(struct buf *out, float v);
void json_write_f64(struct buf *out, double v);

/* "2024-11-19T09:55:53.138247256Z" without quotes, for ns since the epoch. */
void json_write_time(struct buf *out, uint64_t ns);

#endif
