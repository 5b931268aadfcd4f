/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tasks do to themselves. */
#include "enrich/control_names.h"
#include "enrich/internal.h"

void enrich_prctl(struct event *event)
{
	const struct wire_prctl *wire = event_wire(event);

	event->data.prctl.option = prctl_option_name(event->arena, (uint32_t)wire->option_number);
}
