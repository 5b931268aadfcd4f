/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the hardened mode refused. */
#include "base/utf8.h"
#include "enrich/control_names.h"
#include "enrich/internal.h"

static const struct {
	uint64_t code;
	const char *what;
} attempts[] = {
	{ERROR_DENIED_SIGNAL, "a signal to the sensor"},
	{ERROR_DENIED_TRACE, "access to the sensor's memory or descriptors"},
	{ERROR_DENIED_PROC, "a write to a file of the sensor in /proc"},
	{ERROR_DENIED_LIMIT, "a change of the sensor's resource limits"},
	{ERROR_DENIED_SCHEDULING, "a change of the sensor's scheduling"},
	{ERROR_DENIED_CGROUP, "a change of the sensor's control group"},
	{ERROR_DENIED_BPF, "access to the sensor's BPF programs, maps or links"},
	{ERROR_DENIED_WRITE, "a change of a file of the sensor"},
	{ERROR_DENIED_NAME, "deletion or renaming of a file of the sensor, or a mount over it"},
};

static const char *attempt_name(uint64_t code)
{
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++)
		if (attempts[i].code == code)
			return attempts[i].what;
	return "an attempt on the sensor";
}

/* What it was about, as far as there is more to say. */
static struct str describe_object(const struct event *event, uint64_t code, uint64_t detail, struct str name)
{
	if (code == ERROR_DENIED_SIGNAL)
		return signal_name(event->arena, (uint32_t)detail);
	name.len = (uint32_t)strnlen(name.p, name.len);
	return utf8_repair(event->arena, name);
}

void enrich_denied(struct event *event)
{
	const struct wire_denied *wire = event_wire(event);
	bool lapsed = wire->code == ERROR_DENIED_LAPSED;
	uint64_t code = lapsed ? wire->detail : wire->code;
	uint64_t told = wire->code;
	struct str object =
		describe_object(event, code, lapsed ? 0 : wire->detail, event_slot(event, wire->name));
	const char *verdict = lapsed ? "let pass, since the sensor did not renew its lease: " : "refused: ";

	event_become(event, EVENT_error);
	event->data.error.code = told;
	event->data.error.message = lapsed || !object.len
					    ? arena_printf(event->arena, "%s%s", verdict, attempt_name(code))
					    : arena_printf(event->arena, "%s%s: %.*s", verdict,
							   attempt_name(code), STR_ARG(object));
}
