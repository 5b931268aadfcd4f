/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events as lines for people: time, event, who, where, and what summaries.def says of the event. */
#ifndef KUNAI_TEXT_WRITER_H
#define KUNAI_TEXT_WRITER_H

#include "base/buf.h"
#include "event/event.h"

struct text_writer;

/* colour: with the escape sequences of ECMA-48. NULL with errno ENOMEM. */
struct text_writer *text_writer_new(bool colour);
void text_writer_free(struct text_writer *w);

/* The template of an event, or NULL. */
const char *text_template(enum event_type type);

/* Appends the event and a newline. */
void text_write_event(const struct text_writer *w, const struct event *e, struct buf *out);

#endif
