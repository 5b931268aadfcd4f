/* SPDX-License-Identifier: GPL-3.0-or-later */
#define LOG_MODULE "kunai::output"

#include "cmd/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/cmd.h"

#define TELL_EVERY_NS UINT64_C(60000000000)

static struct output_spec main_spec(const struct config *config, bool text)
{
	const struct config_output *o = &config->output;
	int standard = config_output_standard(config);

	return (struct output_spec){
		.kind = standard >= 0 ? OUTPUT_STANDARD : OUTPUT_FILE,
		.standard = standard,
		.text = text && standard >= 0,
		.path = o->path,
		.file = {.rotate_size = o->rotate_size.set ? o->rotate_size.value : 0,
			 .max_age = o->rotate_interval.set ? o->rotate_interval.value : 0,
			 .max_total = o->max_size.set ? o->max_size.value : 0},
	};
}

int output_open(const struct config *config, bool text, struct outputs *ret)
{
	const struct config_output *o = &config->output;
	struct output_spec specs[OUTPUTS_MAX] = {main_spec(config, text)};
	unsigned int count = 1, failed;

	if (o->standard_too && specs[0].standard != 1)
		specs[count++] = (struct output_spec){
			.kind = OUTPUT_STANDARD, .standard = 1, .text = text, .path = "/dev/stdout"};
	if (o->socket)
		specs[count++] = (struct output_spec){.kind = OUTPUT_SOCKET, .path = o->socket};
	if (o->syslog)
		specs[count++] = (struct output_spec){.kind = OUTPUT_SYSLOG, .path = o->syslog};
	if (o->journald)
		specs[count++] = (struct output_spec){.kind = OUTPUT_JOURNAL, .path = o->journald};
	int err = outputs_open(ret, specs, count, &failed);
	return err ? cmd_fail("cannot write to the output %s: %s", specs[failed].path, strerror(-err))
		   : EXIT_SUCCESS;
}

/* Lines that wait, and the sink refused the last try. */
static bool is_broken(const struct output_stats *s)
{
	return s->error != 0 && !s->closed;
}

static void tell(const struct output_stats *s)
{
	int error = is_broken(s) ? s->error : s->drop_error;

	if (is_broken(s))
		log_error("output %s: %s; %" PRIu64 " lines wait, %" PRIu64 " were dropped so far", s->name,
			  strerror(error), s->waiting, s->dropped);
	else
		log_error("output %s: %" PRIu64 " lines were dropped so far: %s", s->name, s->dropped,
			  error == EAGAIN ? "it is too slow" : strerror(error));
}

static void watch(struct output_watch *w, unsigned int i, const struct output_stats *s, uint64_t now)
{
	bool broken = is_broken(s);

	if (w->of[i].broken && !broken) {
		log_warn("output %s works again; %" PRIu64 " lines were dropped so far", s->name, s->dropped);
		w->of[i].broken = false;
		w->of[i].dropped = s->dropped;
		return;
	}
	if (!broken && s->dropped <= w->of[i].dropped)
		return;
	if (w->of[i].told_at && now - w->of[i].told_at < TELL_EVERY_NS)
		return;
	tell(s);
	w->of[i].told_at = now;
	w->of[i].dropped = s->dropped;
	w->of[i].broken = broken;
}

void output_watch(struct output_watch *w, const struct outputs *outputs, uint64_t now)
{
	for (unsigned int i = 0; i < outputs_count(outputs); i++) {
		struct output_stats stats;
		outputs_read_stats(outputs, i, &stats);
		watch(w, i, &stats, now);
	}
}

void output_tell_end(const struct outputs *outputs)
{
	for (unsigned int i = 0; i < outputs_count(outputs); i++) {
		struct output_stats stats;
		outputs_read_stats(outputs, i, &stats);
		if (stats.dropped && !stats.closed)
			tell(&stats);
	}
}

bool output_is_stuck(const struct outputs *outputs)
{
	for (unsigned int i = 0; i < outputs_count(outputs); i++) {
		struct output_stats stats;
		outputs_read_stats(outputs, i, &stats);
		if (is_broken(&stats))
			return true;
	}
	return false;
}
