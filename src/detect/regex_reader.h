/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of regex_parse(): where it is in the pattern, and what its parts share. Nodes live in the arena. */
#ifndef KUNAI_DETECT_REGEX_READER_H
#define KUNAI_DETECT_REGEX_READER_H

#include "detect/regex_class.h"

enum flag {
	FLAG_CASE = 1,  /* i */
	FLAG_LINES = 2, /* m */
	FLAG_DOT = 4,   /* s */
	FLAG_CRLF = 8,  /* R */
	FLAG_SWAP = 16, /* U */
	FLAG_UNICODE = 32,
	FLAG_VERBOSE = 64, /* x */
};

struct regex_reader {
	struct str text;
	uint32_t at;
	unsigned int flags;
	unsigned int depth;
	struct arena *arena;
	struct syntax_error *error;
	struct str names[REGEX_NAMES_MAX];
	unsigned int name_count;
};

/* What an escape can be. */
struct regex_escape {
	enum { ESCAPE_LITERAL, ESCAPE_PERL, ESCAPE_PROPERTY, ESCAPE_LOOK } kind;
	uint32_t c;
	enum regex_look look;
	struct str property;
	bool negated;
};

/* Returns -EINVAL; at is a byte of the pattern. */
int reader_refuse(struct regex_reader *p, uint32_t at, const char *text);

/* Characters, not bytes; at the end they are UINT32_MAX. */
bool reader_at_end(const struct regex_reader *p);
uint32_t reader_peek(const struct regex_reader *p);
uint32_t reader_peek_second(struct regex_reader *p);
uint32_t reader_next(struct regex_reader *p);
bool reader_take(struct regex_reader *p, char c);
void reader_skip_blanks(struct regex_reader *p);
bool reader_is_blank(uint32_t c);
bool reader_is_alpha(uint32_t c);

/* Nodes. 0 or -ENOMEM; NULL without memory. */
struct regex_node *reader_new_node(struct regex_reader *p, enum regex_kind kind);
int reader_make_look(struct regex_reader *p, enum regex_look look, struct regex_node **ret);
int reader_make_set(struct regex_reader *p, struct class *c, struct regex_node **ret);
int reader_make_literal(struct regex_reader *p, uint32_t c, struct regex_node **ret);
int reader_make_dot(struct regex_reader *p, struct regex_node **ret);

/* regex_escape.c: behind the backslash. */
int reader_parse_escape(struct regex_reader *p, struct regex_escape *ret);

/* regex_bracket.c: \d, \p{...} into a class; a class from its bracket on. */
int reader_add_escape(struct regex_reader *p, const struct regex_escape *e, uint32_t from, struct class *c);
int reader_parse_bracket(struct regex_reader *p, struct regex_node **ret);

#endif
