/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a log holds, an event that is read from it is written again as valid JSON. */
#include <stdlib.h>

#include "json/reader.h"
#include "json/writer.h"
#include "tests/support/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_writer *writer;
	static struct arena arena;
	static struct buf out;
	struct json_problem problem;
	struct event event;

	if (!writer)
		writer = json_writer_new();
	arena_reset(&arena);
	buf_reset(&out);
	if (json_read_event((struct str){(const char *)data, (uint32_t)size}, &arena, &event, &problem) ==
	    0) {
		json_write_event(writer, &event, &out);
		if (!json_is_event_line(out.p, out.len))
			abort();
	}
	return 0;
}
