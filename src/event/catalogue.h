/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The events of schema/events.def as a table; enum event_type comes from schema/wire.h. Everything here is constant. */
#ifndef KUNAI_EVENT_CATALOGUE_H
#define KUNAI_EVENT_CATALOGUE_H

#include "base/str.h"
#include "schema/wire.h"

struct event_info {
	struct str name;
	uint32_t id;
	bool default_enabled;
	bool configurable;
	bool process_life; /* kept whatever is disabled: all ancestors depend on it */
	bool from_kernel;  /* comes as a record; the others are made in user space */
	const char *doc;
};

/* Indexed by enum event_type, hence in id order. */
extern const struct event_info event_catalogue[EVENT_COUNT];

/* Returns the enum event_type of this name, or -ENOENT. */
int event_type_by_name(struct str name);

#endif
