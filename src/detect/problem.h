/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is wrong with rules. The list owns its texts until problems_fini(). */
#ifndef KUNAI_DETECT_PROBLEM_H
#define KUNAI_DETECT_PROBLEM_H

#include "base/buf.h"

enum { PROBLEMS_MAX = 4096, SYNTAX_TEXT_SIZE = 256 };

enum problem_level { PROBLEM_WARNING, PROBLEM_ERROR };

/* What a path is that does not exist. */
enum path_policy { PATHS_MAY_BE_MISSING, PATHS_MUST_EXIST };

/* Borrowed. */
struct place {
	struct str file;
	uint32_t line; /* from 1; 0: not about a place in the file */
	uint32_t column;
	struct str rule; /* absent: not about one rule */
};

struct problem {
	enum problem_level level;
	uint32_t line;
	uint32_t column;
	char *file;
	char *text; /* begins with the rule's name */
};

struct problems {
	struct problem *v;
	uint32_t count;
	uint32_t capacity;
	uint32_t errors;   /* also counts the dropped ones */
	uint32_t warnings; /* too */
	uint32_t dropped;  /* beyond PROBLEMS_MAX, or memory was short */
};

void problems_fini(struct problems *problems);

void problems_add(struct problems *problems, enum problem_level level, const struct place *place,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Appends "file:line:column: error: text", without a line's end. */
void problem_add_text(const struct problem *problem, struct buf *out);

/* What a parser of one line says: what was expected, at which byte. */
struct syntax_error {
	uint32_t offset;
	char text[SYNTAX_TEXT_SIZE];
};

/* Returns -EINVAL. */
int syntax_error_set(struct syntax_error *error, uint32_t offset, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
