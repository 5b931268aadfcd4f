/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/doctor.h"
#include "json/writer.h"
#include "base/arena.h"
#include "base/utf8.h"

static const struct {
	const char *name, *colour; /* ECMA-48 */
} states[FINDING_STATES] = {
	[FINDING_OK] = {"ok", "\033[32m"},           [FINDING_NOTE] = {"note", "\033[36m"},
	[FINDING_WARNING] = {"warning", "\033[33m"}, [FINDING_FAILURE] = {"failure", "\033[31m"},
	[FINDING_UNKNOWN] = {"unknown", "\033[35m"},
};

static void write_finding(const struct finding *x, bool colour, struct buf *out)
{
	buf_printf(out, "%s%-8s%s %-18s %s\n", colour ? states[x->state].colour : "", states[x->state].name,
		   colour ? "\033[0m" : "", x->name, x->found);
	if (x->advice)
		buf_printf(out, "%29s-> %s\n", "", x->advice);
}

static void write_place(const struct event_place *p, struct buf *out)
{
	buf_printf(out, "%-18s %-11s %s\n", p->name, p->tier ? p->tier : "NOWHERE", p->hooks);
	if (*p->trampoline)
		buf_printf(out, "%30s no trampoline: %s\n", "", p->trampoline);
	if (p->consequence)
		buf_printf(out, "%30s %s\n", "", p->consequence);
}

void doctor_write_text(const struct diagnosis *findings, const struct event_place *places, int count,
		       bool colour, struct buf *out)
{
	for (unsigned int i = 0; i < findings->count; i++)
		write_finding(&findings->v[i], colour, out);
	if (count > 0)
		buf_printf(out, "\n%-18s %-11s %s\n", "event", "tier", "hooks");
	for (int i = 0; i < count; i++)
		write_place(&places[i], out);
}

static void write_member(const char *name, const char *text, struct arena *arena, struct buf *out)
{
	buf_printf(out, "\"%s\":", name);
	if (text)
		json_write_str(out, utf8_repair(arena, str_of(text)));
	else
		buf_add_str(out, STR("null"));
}

static void write_json_finding(const struct finding *x, struct arena *arena, struct buf *out)
{
	buf_add_char(out, '{');
	write_member("name", x->name, arena, out);
	buf_printf(out, ",\"state\":\"%s\",", states[x->state].name);
	write_member("found", x->found, arena, out);
	buf_add_char(out, ',');
	write_member("advice", x->advice, arena, out);
	buf_add_char(out, '}');
}

static void write_json_place(const struct event_place *p, struct arena *arena, struct buf *out)
{
	buf_add_char(out, '{');
	write_member("name", p->name, arena, out);
	buf_add_char(out, ',');
	write_member("tier", p->tier, arena, out);
	buf_add_char(out, ',');
	write_member("hooks", p->hooks, arena, out);
	buf_add_char(out, ',');
	write_member("no_trampoline", *p->trampoline ? p->trampoline : NULL, arena, out);
	buf_add_char(out, ',');
	write_member("consequence", p->consequence, arena, out);
	buf_add_char(out, '}');
}

void doctor_write_json(const struct diagnosis *findings, const struct event_place *places, int count,
		       struct buf *out)
{
	struct arena arena = {0};

	buf_add_str(out, STR("{\"findings\":["));
	for (unsigned int i = 0; i < findings->count; i++) {
		buf_add_str(out, i ? STR(",") : STR(""));
		write_json_finding(&findings->v[i], &arena, out);
	}
	buf_add_str(out, STR("],\"events\":["));
	for (int i = 0; i < count; i++) {
		buf_add_str(out, i ? STR(",") : STR(""));
		write_json_place(&places[i], &arena, out);
	}
	buf_add_str(out, STR("]}\n"));
	arena_fini(&arena);
}
