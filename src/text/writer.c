/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "text/template.h"

enum colour { GREY, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, ALARM, PLAIN, COLOURS };

static const char *const sequences[COLOURS] = {
	[GREY] = "\033[90m",   [RED] = "\033[31m",     [GREEN] = "\033[32m",
	[YELLOW] = "\033[33m", [BLUE] = "\033[34m",    [MAGENTA] = "\033[35m",
	[CYAN] = "\033[36m",   [ALARM] = "\033[1;31m", [PLAIN] = "\033[0m",
};

static const struct summary {
	enum colour colour;
	const char *template;
} summaries[EVENT_COUNT] = {
#define SUMMARY(event, event_colour, text) [EVENT_##event] = {event_colour, text},
#include "text/summaries.def"
#undef SUMMARY
};

struct text_writer {
	bool colour;
	struct template templates[EVENT_COUNT];
};

const char *text_template(enum event_type type)
{
	return summaries[type].template;
}

struct text_writer *text_writer_new(bool colour)
{
	struct text_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->colour = colour;
	/* a template that does not fit its event is found by the unit test */
	for (int i = 0; i < EVENT_COUNT; i++)
		if (summaries[i].template)
			template_parse((enum event_type)i, summaries[i].template, &w->templates[i]);
	return w;
}

void text_writer_free(struct text_writer *w)
{
	free(w);
}

static void begin(const struct text_writer *w, enum colour colour, struct buf *out)
{
	if (w->colour)
		buf_add_str(out, str_of(sequences[colour]));
}

static void end(const struct text_writer *w, struct buf *out)
{
	begin(w, PLAIN, out);
}

/* Local time, as everything else that a person sees in a terminal, and as `kunai logs --since` takes it. */
static void write_time(uint64_t ns, struct buf *out)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	localtime_r(&seconds, &tm);
	buf_printf(out, "%04d-%02d-%02d %02d:%02d:%02d.%03u ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		   tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned int)(ns % 1000000000 / 1000000));
}

static void write_who(const struct text_writer *w, const struct event *e, struct buf *out)
{
	const struct obj_task *task = &e->info.task;
	const struct obj_container *container = e->info.host.container;

	template_write_text(out, task->name);
	buf_printf(out, "(%d) ", task->tgid);
	template_write_text(out, task->user);
	buf_add_char(out, ' ');
	if (!container)
		return;
	begin(w, MAGENTA, out);
	template_write_text(out, container->type.p ? container->type : STR("container"));
	buf_add_char(out, ':');
	template_write_text(out, container->container_name.p ? container->container_name : container->name);
	buf_add_char(out, ' ');
	end(w, out);
}

static void write_names(struct str label, const struct strv *names, struct buf *out)
{
	if (names->n == 0)
		return;
	buf_add_str(out, label);
	for (uint32_t i = 0; i < names->n && i < 64; i++) {
		if (i)
			buf_add_char(out, ',');
		template_write_text(out, names->v[i]);
	}
}

static void write_detection(const struct text_writer *w, const struct obj_detection *d, struct buf *out)
{
	begin(w, ALARM, out);
	buf_printf(out, "  DETECTED severity %u", d->severity);
	write_names(STR(" rules "), &d->rules, out);
	write_names(STR(" iocs "), &d->iocs, out);
	write_names(STR(" attack "), &d->attack, out);
	write_names(STR(" actions "), &d->actions, out);
	end(w, out);
}

void text_write_event(const struct text_writer *w, const struct event *e, struct buf *out)
{
	begin(w, GREY, out);
	write_time(e->info.utc_time, out);
	end(w, out);
	begin(w, e->detection ? ALARM : summaries[e->type].colour, out);
	buf_printf(out, "%-13.*s ", STR_ARG(event_catalogue[e->type].name));
	end(w, out);
	write_who(w, e, out);
	template_write(&w->templates[e->type], e, out);
	if (e->detection)
		write_detection(w, e->detection, out);
	if (e->filter)
		write_names(STR("  rules "), &e->filter->rules, out);
	buf_add_char(out, '\n');
}
