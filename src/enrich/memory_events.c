/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that becomes executable. */
#include "enrich/internal.h"

void enrich_mprotect_exec(struct event *event)
{
	const struct wire_mprotect_exec *wire = event_wire(event);

	if (wire->file.mode)
		event->data.mprotect_exec.path = path_decode(event, &wire->file).text;
}
