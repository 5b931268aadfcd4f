/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The templates of summaries.def, made ready for one type of event. A template borrows its text. */
#ifndef KUNAI_TEXT_TEMPLATE_H
#define KUNAI_TEXT_TEMPLATE_H

#include "base/buf.h"
#include "event/field.h"

enum {
	TEMPLATE_STEPS_MAX = 24,
	TEMPLATE_VALUE_MAX = 2048, /* bytes of a value that are shown */
};

enum step_kind {
	STEP_LITERAL,
	STEP_VALUE,
	STEP_IF_TRUE,  /* the literal */
	STEP_IF_FALSE, /* too */
	STEP_BEGIN,    /* of a part that is shown if its first field is known */
	STEP_END,
};

struct step {
	enum step_kind kind;
	struct str literal;
	struct field_ref field;
};

struct template
{
	struct step steps[TEMPLATE_STEPS_MAX];
	uint32_t count;
};

/* Returns 0; -EINVAL, -ENOENT for a field that the event does not have, or -E2BIG. */
int template_parse(enum event_type type, const char *text, struct template *ret);

void template_write(const struct template *t, const struct event *e, struct buf *out);

/* A text from outside, fit for a terminal: no control characters, none that change the direction; cut when long. */
void template_write_text(struct buf *out, struct str text);

#endif
