/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "cmd/status.h"
#include "event/catalogue.h"
#include "json/writer.h"
#include "text/template.h"

/* Of each event that can be received. */
static const struct {
	const char *name, *help;
	size_t offset; /* in struct wire_counters */
} columns[] = {
	{"filtered", "events that are not wanted, left out in the kernel",
	 offsetof(struct wire_counters, filtered)},
	{"throttled", "events above max_eps_fs, left out in the kernel",
	 offsetof(struct wire_counters, throttled)},
	{"lost", "events for which the rings or the scratch memory had no room",
	 offsetof(struct wire_counters, lost)},
	{"errors", "events that could not be read", offsetof(struct wire_counters, errors)},
};

enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

static uint64_t column_of(const struct status *s, int type, size_t column)
{
	uint64_t value;

	memcpy(&value, (const char *)&s->counters[type] + columns[column].offset, sizeof(value));
	return value;
}

/* Numbers of the sensor as a whole. */
static const struct {
	const char *name, *unit, *help;
	size_t offset; /* in struct status */
	bool gauge;
} numbers[] = {
	{"printed", "", "events that were printed", offsetof(struct status, printed), false},
	{"lost", "", "events that were lost before they could be printed", offsetof(struct status, lost),
	 false},
	{"missed", "", "runs of hooks that the kernel left out", offsetof(struct status, missed), false},
	{"late", "", "events that came too late to be in order", offsetof(struct status, late), false},
	{"resident", "_bytes", "memory of the sensor", offsetof(struct status, resident), true},
	{"processes", "", "processes in the table", offsetof(struct status, processes), true},
	{"process", "_bytes", "memory of these processes' texts", offsetof(struct status, process_bytes),
	 true},
	{"queue", "_bytes", "memory of records that wait for their turn",
	 offsetof(struct status, queue_bytes), true},
	{"iocs", "", "indicators of compromise that are loaded", offsetof(struct status, iocs), true},
};

enum { NUMBERS = sizeof(numbers) / sizeof(*numbers) };

static uint64_t number_of(const struct status *s, size_t i)
{
	uint64_t value;

	memcpy(&value, (const char *)s + numbers[i].offset, sizeof(value));
	return value;
}

static bool was_seen(const struct status *s, int type)
{
	return s->counters[type].hits || s->received[type];
}

static void write_duration(uint64_t ns, struct buf *out)
{
	uint64_t seconds = ns / 1000000000;

	if (seconds >= 86400)
		buf_printf(out, "%" PRIu64 "d ", seconds / 86400);
	buf_printf(out, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, seconds / 3600 % 24, seconds / 60 % 60,
		   seconds % 60);
}

static void write_text_events(const struct status *s, struct buf *out)
{
	buf_printf(out, "\n%-18s %14s %10s", "event", "received", "a second");
	for (size_t c = 0; c < COLUMNS; c++)
		buf_printf(out, " %10s", columns[c].name);
	buf_add_char(out, '\n');
	for (int i = 0; i < EVENT_COUNT; i++) {
		if (!was_seen(s, i))
			continue;
		buf_printf(out, "%-18.*s %14" PRIu64 " %10.1f", STR_ARG(event_catalogue[i].name),
			   s->received[i], s->rate[i]);
		for (size_t c = 0; c < COLUMNS; c++)
			buf_printf(out, " %10" PRIu64, column_of(s, i, c));
		buf_add_char(out, '\n');
	}
}

static void write_text_outputs(const struct status *s, struct buf *out)
{
	for (unsigned int i = 0; i < s->outputs_count; i++) {
		const struct output_stats *o = &s->outputs[i].stats;
		buf_add_str(out, STR("output: "));
		template_write_text(out, str_of(s->outputs[i].name));
		buf_printf(out, ": %" PRIu64 " lines written, %" PRIu64 " wait, %" PRIu64 " dropped",
			   o->written, o->waiting, o->dropped);
		if (o->archives.count || o->rotations)
			buf_printf(out, "; %" PRIu64 " rotated files with %" PRIu64 " bytes",
				   o->archives.count, o->archives.bytes);
		if (o->closed)
			buf_add_str(out, STR("; nobody reads it any more"));
		else if (o->error)
			buf_printf(out, "; does not work: %s", strerror(o->error));
		buf_add_char(out, '\n');
	}
}

static void write_text_rules(const struct status *s, struct buf *out)
{
	if (s->slow_rules_count)
		buf_printf(out, "\n%-40s %14s %14s %14s\n", "slowest rules", "of matching", "us an event",
			   "seconds");
	for (uint32_t i = 0; i < s->slow_rules_count; i++) {
		const struct slow_rule *cost = &s->slow_rules[i].cost;
		size_t begin = out->len;
		template_write_text(out, str_of(s->slow_rules[i].name));
		size_t width = out->len - begin;
		buf_printf(out, "%*s %12.1f %% %14.2f %14.2f\n", width < 40 ? (int)(40 - width) : 0, "",
			   cost->share * 100, cost->event * 1e6, cost->seconds);
	}
}

void status_write_text(const struct status *s, uint64_t stale, struct buf *out)
{
	buf_printf(out, "kunai %s, pid %" PRId64 ", running for ", KUNAI_VERSION, s->pid);
	write_duration(s->uptime, out);
	buf_printf(out, "\ntier: %s (%s)\n", s->tier, s->kernel);
	buf_printf(out, "rules: %u detections, %u filters, %u dependencies; %" PRIu64 " indicators\n",
		   s->rules.detections, s->rules.filters, s->rules.dependencies, s->iocs);
	buf_printf(out,
		   "memory: %.1f MiB; %" PRIu64 " processes known\n"
		   "events: %" PRIu64 " printed, %" PRIu64 " lost, %" PRIu64 " runs of hooks missed, %" PRIu64
		   " late\n",
		   (double)s->resident / (1 << 20), s->processes, s->printed, s->lost, s->missed, s->late);
	write_text_outputs(s, out);
	if (stale > UINT64_C(5000000000))
		buf_printf(out,
			   "WARNING: the sensor has been busy or stuck for %" PRIu64
			   " s: these are old numbers\n",
			   stale / 1000000000);
	write_text_events(s, out);
	write_text_rules(s, out);
}

static void write_json_str(struct arena *a, const char *text, struct buf *out)
{
	json_write_str(out, utf8_repair(a, str_of(text)));
}

static void write_json_events(const struct status *s, struct buf *out)
{
	const char *comma = "";

	buf_add_str(out, STR(",\"events\":{"));
	for (int i = 0; i < EVENT_COUNT; i++) {
		if (!was_seen(s, i))
			continue;
		buf_printf(out, "%s\"%.*s\":{\"received\":%" PRIu64 ",\"rate\":", comma,
			   STR_ARG(event_catalogue[i].name), s->received[i]);
		json_write_f64(out, s->rate[i]);
		for (size_t c = 0; c < COLUMNS; c++)
			buf_printf(out, ",\"%s\":%" PRIu64, columns[c].name, column_of(s, i, c));
		buf_add_char(out, '}');
		comma = ",";
	}
	buf_add_char(out, '}');
}

static void write_json_rules(const struct status *s, struct arena *a, struct buf *out)
{
	buf_printf(out,
		   ",\"rules\":{\"detections\":%u,\"filters\":%u,\"dependencies\":%u},\"slowest_rules\":[",
		   s->rules.detections, s->rules.filters, s->rules.dependencies);
	for (uint32_t i = 0; i < s->slow_rules_count; i++) {
		const struct slow_rule *cost = &s->slow_rules[i].cost;
		buf_add_str(out, i ? STR(",{\"name\":") : STR("{\"name\":"));
		write_json_str(a, s->slow_rules[i].name, out);
		buf_add_str(out, STR(",\"share\":"));
		json_write_f64(out, cost->share);
		buf_add_str(out, STR(",\"seconds_per_event\":"));
		json_write_f64(out, cost->event);
		buf_add_str(out, STR(",\"seconds\":"));
		json_write_f64(out, cost->seconds);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void write_json_outputs(const struct status *s, struct arena *a, struct buf *out)
{
	buf_add_str(out, STR(",\"outputs\":["));
	for (unsigned int i = 0; i < s->outputs_count; i++) {
		const struct output_stats *o = &s->outputs[i].stats;
		buf_add_str(out, i ? STR(",{\"name\":") : STR("{\"name\":"));
		write_json_str(a, s->outputs[i].name, out);
		buf_printf(out,
			   ",\"written\":%" PRIu64 ",\"waiting\":%" PRIu64 ",\"dropped\":%" PRIu64
			   ",\"closed\":%s,\"rotations\":%" PRIu64 ",\"archives\":%" PRIu64
			   ",\"archive_bytes\":%" PRIu64 ",\"error\":",
			   o->written, o->waiting, o->dropped, o->closed ? "true" : "false", o->rotations,
			   o->archives.count, o->archives.bytes);
		if (o->error)
			write_json_str(a, strerror(o->error), out);
		else
			buf_add_str(out, STR("null"));
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

void status_write_json(const struct status *s, uint64_t stale, struct buf *out)
{
	struct arena a = {0};

	buf_printf(out, "{\"version\":\"%s\",\"pid\":%" PRId64 ",\"uptime\":", KUNAI_VERSION, s->pid);
	json_write_f64(out, (double)s->uptime / 1e9);
	buf_add_str(out, STR(",\"stale\":"));
	json_write_f64(out, (double)stale / 1e9);
	buf_add_str(out, STR(",\"tier\":"));
	write_json_str(&a, s->tier, out);
	buf_add_str(out, STR(",\"kernel\":"));
	write_json_str(&a, s->kernel, out);
	for (size_t i = 0; i < NUMBERS; i++)
		buf_printf(out, ",\"%s%s\":%" PRIu64, numbers[i].name, numbers[i].unit, number_of(s, i));
	write_json_rules(s, &a, out);
	write_json_outputs(s, &a, out);
	write_json_events(s, out);
	buf_add_str(out, STR("}\n"));
	arena_fini(&a);
}

/* Backslash, quote and newline are escaped. */
static void write_label(struct arena *a, const char *text, struct buf *out)
{
	struct str s = utf8_repair(a, str_of(text));

	buf_add_char(out, '"');
	for (uint32_t i = 0; i < s.len; i++) {
		if (s.p[i] == '\n')
			buf_add_str(out, STR("\\n"));
		else if (s.p[i] == '"' || s.p[i] == '\\')
			buf_printf(out, "\\%c", s.p[i]);
		else
			buf_add_char(out, s.p[i]);
	}
	buf_add_char(out, '"');
}

static void write_head(const char *name, const char *help, bool gauge, struct buf *out)
{
	buf_printf(out, "# HELP kunai_%s %s\n# TYPE kunai_%s %s\n", name, help, name,
		   gauge ? "gauge" : "counter");
}

/* The slowest only: as many series as there are rules would be a burden. */
static void write_metric_rules(const struct status *s, struct arena *a, struct buf *out)
{
	write_head("rules", "rules that are loaded", true, out);
	buf_printf(out,
		   "kunai_rules{kind=\"detection\"} %u\nkunai_rules{kind=\"filter\"} %u\n"
		   "kunai_rules{kind=\"dependency\"} %u\n",
		   s->rules.detections, s->rules.filters, s->rules.dependencies);
	write_head("slowest_rules_seconds_total", "seconds spent on the rules that took most, by a sample",
		   false, out);
	for (uint32_t i = 0; i < s->slow_rules_count; i++) {
		buf_add_str(out, STR("kunai_slowest_rules_seconds_total{rule="));
		write_label(a, s->slow_rules[i].name, out);
		buf_printf(out, "} %.6f\n", s->slow_rules[i].cost.seconds);
	}
}

static void write_metric_events(const struct status *s, struct buf *out)
{
	write_head("events_received_total", "events from the kernel", false, out);
	for (int i = 0; i < EVENT_COUNT; i++)
		if (was_seen(s, i))
			buf_printf(out, "kunai_events_received_total{event=\"%.*s\"} %" PRIu64 "\n",
				   STR_ARG(event_catalogue[i].name), s->received[i]);
	for (size_t c = 0; c < COLUMNS; c++) {
		char name[64];
		snprintf(name, sizeof(name), "events_%s_total", columns[c].name);
		write_head(name, columns[c].help, false, out);
		for (int i = 0; i < EVENT_COUNT; i++)
			if (was_seen(s, i))
				buf_printf(out, "kunai_events_%s_total{event=\"%.*s\"} %" PRIu64 "\n",
					   columns[c].name, STR_ARG(event_catalogue[i].name),
					   column_of(s, i, c));
	}
}

static uint64_t written_of(const struct output_stats *o)
{
	return o->written;
}

static uint64_t dropped_of(const struct output_stats *o)
{
	return o->dropped;
}

static uint64_t waiting_of(const struct output_stats *o)
{
	return o->waiting;
}

static uint64_t working_of(const struct output_stats *o)
{
	return !o->closed && !o->error;
}

static uint64_t rotations_of(const struct output_stats *o)
{
	return o->rotations;
}

static const struct {
	const char *name, *help;
	uint64_t (*get)(const struct output_stats *o);
	bool gauge;
} output_numbers[] = {
	{"output_written_total", "lines that were written", written_of, false},
	{"output_dropped_total", "lines for which the queue had no room", dropped_of, false},
	{"output_waiting", "lines that wait in the queue", waiting_of, true},
	{"output_works", "1 while the output can be written", working_of, true},
	{"output_rotations_total", "files that were begun anew", rotations_of, false},
};

static void write_metric_outputs(const struct status *s, struct arena *a, struct buf *out)
{
	for (size_t n = 0; n < sizeof(output_numbers) / sizeof(*output_numbers); n++) {
		write_head(output_numbers[n].name, output_numbers[n].help, output_numbers[n].gauge, out);
		for (unsigned int i = 0; i < s->outputs_count; i++) {
			buf_printf(out, "kunai_%s{output=", output_numbers[n].name);
			write_label(a, s->outputs[i].name, out);
			buf_printf(out, "} %" PRIu64 "\n", output_numbers[n].get(&s->outputs[i].stats));
		}
	}
}

void status_write_metrics(const struct status *s, uint64_t stale, struct buf *out)
{
	struct arena a = {0};

	write_head("info", "version and tier of the sensor", true, out);
	buf_printf(out, "kunai_info{version=\"%s\",tier=\"%s\"} 1\n", KUNAI_VERSION, s->tier);
	write_head("uptime_seconds", "seconds since the start", true, out);
	buf_printf(out, "kunai_uptime_seconds %.3f\n", (double)s->uptime / 1e9);
	write_head("stale_seconds", "seconds since the sensor has told these numbers", true, out);
	buf_printf(out, "kunai_stale_seconds %.3f\n", (double)stale / 1e9);
	for (size_t i = 0; i < NUMBERS; i++) {
		char name[64];
		snprintf(name, sizeof(name), "%s%s%s", numbers[i].name, numbers[i].unit,
			 numbers[i].gauge ? "" : "_total");
		write_head(name, numbers[i].help, numbers[i].gauge, out);
		buf_printf(out, "kunai_%s %" PRIu64 "\n", name, number_of(s, i));
	}
	write_metric_rules(s, &a, out);
	write_metric_events(s, out);
	write_metric_outputs(s, &a, out);
	arena_fini(&a);
}
