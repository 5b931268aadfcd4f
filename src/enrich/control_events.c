/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tasks do to themselves and to others. */
#include "enrich/control_names.h"
#include "enrich/internal.h"

void enrich_prctl(struct event *event)
{
	const struct wire_prctl *wire = event_wire(event);

	event->data.prctl.option = prctl_option_name(event->arena, (uint32_t)wire->option_number);
}

void enrich_kill(struct enricher *e, struct event *event)
{
	const struct wire_kill *wire = event_wire(event);

	event->data.kill.signal = signal_name(event->arena, (uint32_t)wire->signal_number);
	enrich_fill_target(e, event, &wire->target_task, &event->data.kill.target);
}

static struct str access_name(uint64_t flag)
{
	static const struct {
		uint64_t flag;
		struct str name;
	} names[] = {
#define FLAG(set, name, bit, doc) IF_##set(bit, doc)
#define IF_ACCESS(bit, doc)       {1u << (bit), STR(doc)},
#define IF_WRITTEN(bit, doc)
#define IF_PATH(bit, doc)
#define IF_SOCK(bit, doc)
#include "schema/flags.def"
#undef FLAG
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].flag == flag)
			return names[i].name;
	return STR("?");
}

void enrich_ptrace(struct enricher *e, struct event *event)
{
	const struct wire_ptrace *wire = event_wire(event);

	event->data.ptrace.access = access_name(wire->access_flag);
	enrich_fill_target(e, event, &wire->target_task, &event->data.ptrace.target);
}
