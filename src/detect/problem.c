/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void problems_fini(struct problems *problems)
{
	for (uint32_t i = 0; i < problems->count; i++) {
		free(problems->v[i].file);
		free(problems->v[i].text);
	}
	free(problems->v);
	*problems = (struct problems){0};
}

static bool make_room(struct problems *problems)
{
	if (problems->count < problems->capacity)
		return true;
	uint32_t capacity = problems->capacity ? problems->capacity * 2 : 16;
	if (capacity > PROBLEMS_MAX)
		return false;
	struct problem *v = realloc(problems->v, capacity * sizeof(*v));
	if (!v)
		return false;
	problems->v = v;
	problems->capacity = capacity;
	return true;
}

static bool make_text(const struct place *place, const char *format, va_list args, struct buf *out)
{
	char *text = NULL;

	if (place->rule.p) {
		buf_add_str(out, STR("rule "));
		buf_add_quoted(out, place->rule);
		buf_add_str(out, STR(": "));
	}
	if (vasprintf(&text, format, args) < 0)
		return false;
	buf_add(out, text, strlen(text) + 1);
	free(text);
	return !out->failed;
}

void problems_add(struct problems *problems, enum problem_level level, const struct place *place,
		  const char *format, ...)
{
	struct buf text = {0};
	va_list args;
	bool made;

	*(level == PROBLEM_ERROR ? &problems->errors : &problems->warnings) += 1;
	if (!make_room(problems)) {
		problems->dropped++;
		return;
	}
	va_start(args, format);
	made = make_text(place, format, args, &text);
	va_end(args);
	char *file = made ? strndup(place->file.p ? place->file.p : "", place->file.len) : NULL;
	if (!file) {
		buf_fini(&text);
		problems->dropped++;
		return;
	}
	problems->v[problems->count++] = (struct problem){level, place->line, place->column, file, text.p};
}

void problem_add_text(const struct problem *problem, struct buf *out)
{
	buf_printf(out, "%s:", problem->file);
	if (problem->line)
		buf_printf(out, "%u:%u:", problem->line, problem->column);
	buf_printf(out, " %s: %s", problem->level == PROBLEM_ERROR ? "error" : "warning", problem->text);
}

int syntax_error_set(struct syntax_error *error, uint32_t offset, const char *format, ...)
{
	va_list args;

	error->offset = offset;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EINVAL;
}
