/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/pipeline_internal.h"

#include <uuid/uuid.h>

#define LOG_MODULE "kunai::pipeline"
#include "base/log.h"

/* Lines are written when so many bytes have come together, or when there is a pause. */
enum { OUTPUT_BYTES = 128 << 10 };

void pipeline_flush(struct pipeline *p)
{
	if (p->output.len)
		outputs_write(p->outputs, p->output.p, p->output.len, p->text_output.p, p->text_output.len);
	buf_reset(&p->output);
	buf_reset(&p->text_output);
}

static bool shows_positive(const struct pipeline *p, const struct event *e)
{
	return e->type == EVENT_file_scan && e->data.file_scan.positives &&
	       p->config->scanner.show_positive_file_scan;
}

/* Whatever the rules are. */
static bool is_of_sensor(const struct event *e)
{
	return e->type == EVENT_error && e->data.error.code >= ERROR_KERNEL_SILENT &&
	       e->data.error.code <= ERROR_GUARD_LAPSED;
}

/* The kernel side found that it has to leave out events, or refused something. */
static void log_kernel_error(const struct event *e)
{
	log_warn("%s: pid=%d tgid=%d", e->data.error.message.p, e->info.task.pid, e->info.task.tgid);
}

void pipeline_print(void *context, struct event *e)
{
	struct pipeline *p = context;
	struct scanner *scanner = reloader_scanner(p->reloader);

	if (e->type == EVENT_error && e->wire &&
	    (e->wire->type == EVENT_throttle || e->wire->type == EVENT_denied))
		log_kernel_error(e);
	if (!p->config->events[e->type])
		return;
	if (!scanner_is_empty(scanner))
		scanner_scan(scanner, e);
	if (scanner_selects(scanner, e, p->config->scanner.min_severity) || shows_positive(p, e) ||
	    is_of_sensor(e)) {
		json_write_event(p->writer, e, &p->output);
		if (p->text)
			text_write_event(p->text, e, &p->text_output);
		p->accounts.printed++;
	}
	if (p->output.len >= OUTPUT_BYTES)
		pipeline_flush(p);
	actions_run(&p->actions, e);
	if (p->config->events[EVENT_file_scan] && actions_want_scan(e))
		enricher_scan_files(p->enricher, e, p->prefetch, scanner_yara(reloader_scanner(p->reloader)));
}

/* Paths are whatever their makers like: quoted, they cannot forge a line. */
static void log_positive(const struct event *e)
{
	const struct data_file_scan *scan = &e->data.file_scan;
	struct buf text = {0};
	char uuid[37];

	buf_add_str(&text, STR("file="));
	buf_add_quoted(&text, scan->path);
	buf_add_str(&text, STR(" matches detection signatures=["));
	for (uint32_t i = 0; i < scan->signatures.n; i++)
		buf_printf(&text, "%s%.*s", i ? ", " : "", STR_ARG(scan->signatures.v[i]));
	uuid_unparse_lower(scan->source_event.bytes, uuid);
	log_warn("%.*s] triggered by event uuid=%s", STR_ARG(buf_str(&text)), uuid);
	buf_fini(&text);
}

void pipeline_print_scans(struct pipeline *p)
{
	struct event e;

	for (arena_reset(&p->arena); enricher_next_scan(p->enricher, &p->arena, &e); arena_reset(&p->arena)) {
		if (e.data.file_scan.positives)
			log_positive(&e);
		pipeline_print(p, &e);
	}
}

void pipeline_begin_own(struct pipeline *p, enum event_type type, struct event *ret)
{
	arena_reset(&p->arena);
	event_make(ret, type, &p->arena);
	if (type == EVENT_start)
		enricher_fill_start(p->enricher, ret);
	else
		enricher_fill_own(p->enricher, ret);
	ret->info.event.batch = p->batch;
	ret->info.utc_time = utc_clock_convert(&p->clock, boot_time_now());
}

int pipeline_print_start(struct pipeline *p)
{
	char sha256[CONFIG_SHA256_TEXT];
	struct event e;

	int err = config_sha256(p->config, sha256);
	if (err)
		return err;
	pipeline_begin_own(p, EVENT_start, &e);
	e.data.start.kunai.version = STR(KUNAI_VERSION);
	e.data.start.kunai.config.sha256 = str_of(sha256);
	if (p->last_run.end) {
		e.data.start.kunai.previous_until = str_of(p->last_run.until);
		e.data.start.kunai.previous_end = str_of(p->last_run.end);
	}
	pipeline_print(p, &e);
	pipeline_flush(p);
	return 0;
}

void pipeline_print_error(struct pipeline *p, uint64_t code, const char *message)
{
	struct event e;

	log_warn("%s", message);
	pipeline_begin_own(p, EVENT_error, &e);
	e.data.error.code = code;
	e.data.error.message = str_of(message);
	pipeline_print(p, &e);
}
