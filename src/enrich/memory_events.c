/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that becomes executable. */
#include "enrich/internal.h"

void enrich_mprotect_exec(struct event *event)
{
	const struct wire_mprotect_exec *wire = event_wire(event);

	if (wire->file.mode)
		event->data.mprotect_exec.path = path_decode(event, &wire->file).text;
}

void enrich_prefetch_mmap_exec(struct enricher *e, const struct event *event, struct prefetch *ret)
{
	const struct wire_mmap_exec *wire = event_wire(event);
	struct path file = path_decode(event, &wire->file);

	enrich_submit_file(e, event, &file, false, &ret->files[PREFETCH_MAPPED]);
}

void enrich_mmap_exec(struct event *event, const struct prefetch *prefetch)
{
	const struct wire_mmap_exec *wire = event_wire(event);

	enrich_fill_hashes(&event->data.mmap_exec.mapped, path_decode(event, &wire->file).text,
			   &prefetch->files[PREFETCH_MAPPED]);
}
