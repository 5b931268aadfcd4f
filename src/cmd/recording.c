/* SPDX-License-Identifier: GPL-3.0-or-later */
#define LOG_MODULE "kunai::recording"

#include "cmd/recording.h"

#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "json/reader.h"
#include "json/stream.h"

enum { BAD_SHOWN = 20 }; /* of a file; the others are counted only */

int recording_open(struct recording *ret, const char *path)
{
	*ret = (struct recording){.path = path};
	return json_stream_open(path, &ret->stream);
}

void recording_close(struct recording *r)
{
	if (r->bad > BAD_SHOWN)
		log_error("%s: %" PRIu64 " more that are no events", r->path, r->bad - BAD_SHOWN);
	json_stream_close(r->stream);
	arena_fini(&r->arena);
}

static void pass_over(struct recording *r, uint64_t line, const char *why)
{
	if (++r->bad <= BAD_SHOWN)
		log_error("%s:%" PRIu64 ": passed over: %s", r->path, line, why);
}

int recording_next(struct recording *r, struct event *ret_event, struct str *ret_json)
{
	struct json_text text;
	struct json_problem problem;
	int n;

	while ((n = json_stream_next(r->stream, &text)) == 1) {
		if (text.broken) {
			pass_over(r, text.line, "not a JSON object, or one that does not end");
			continue;
		}
		arena_reset(&r->arena);
		int err = json_read_event(text.text, &r->arena, ret_event, &problem);
		if (err == -ENOMEM)
			return err;
		if (err) {
			pass_over(r, text.line + problem.line - 1, problem.message);
			continue;
		}
		*ret_json = text.text;
		return 1;
	}
	if (n == -EIO)
		log_error("%s: cannot be read on: a damaged file?", r->path);
	return n;
}
