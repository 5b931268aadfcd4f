/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/catalogue.h"

#include <errno.h>

enum event_group { GROUP_ALWAYS, GROUP_CONFIGURABLE, GROUP_INTERNAL };
enum event_ring { RING_NONE, RING_PROCESS, RING_OTHER };

const struct event_info event_catalogue[EVENT_COUNT] = {
#define EVENT(name, id, enabled, ring, group, doc)                                             \
	[EVENT_##name] = {STR(#name),                                                          \
			  id,                                                                  \
			  enabled,                                                             \
			  GROUP_##group == GROUP_CONFIGURABLE,                                 \
			  RING_##ring == RING_PROCESS,                                         \
			  RING_##ring != RING_NONE ||                                          \
				  EVENT_##name == EVENT_seed, /* the snapshot needs no ring */ \
			  doc},
#include "schema/events.def"
#undef EVENT
};

int event_type_by_name(struct str name)
{
	for (int type = 0; type < EVENT_COUNT; type++) {
		if (str_eq(event_catalogue[type].name, name))
			return type;
	}
	return -ENOENT;
}
