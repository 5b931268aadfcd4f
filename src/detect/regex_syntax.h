/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Regular expressions as Rust's regex crate reads them (regex-syntax 0.8), which is what rules are written in. The reader
 * accepts and refuses what Rust does and gives a tree; the tree is written again for PCRE2, with exactly Rust's
 * meaning, and for Vectorscan, with exactly that meaning on ASCII text. Greed and captures do not matter to rules
 * and are dropped. Trees live in the arena.
 */
#ifndef KUNAI_DETECT_REGEX_SYNTAX_H
#define KUNAI_DETECT_REGEX_SYNTAX_H

#include "base/arena.h"
#include "base/buf.h"
#include "detect/problem.h"

enum {
	REGEX_DEPTH_MAX = 250,      /* Rust's nest_limit */
	REGEX_REPEAT_MAX = 65535,   /* PCRE2's */
	REGEX_LENGTH_MAX = 1 << 14, /* bytes */
	REGEX_NAMES_MAX = 64,       /* named groups: their names must differ */
};

/* One character out of a set. Exact for ASCII and for the two others that fold to ASCII. */
enum { SET_LONG_S = 1, SET_KELVIN = 2 }; /* U+017F and s, U+212A and k are the same without case */

struct regex_set {
	uint64_t ascii[2];
	uint8_t extra;   /* SET_* */
	bool wide;       /* other characters may be in it */
	bool is_literal; /* exactly this one */
	uint32_t literal;
	struct str pcre; /* an atom that stands for one character of the set */
};

enum regex_kind { REGEX_EMPTY, REGEX_SET, REGEX_LOOK, REGEX_REPEAT, REGEX_CONCAT, REGEX_ALTERNATE };

enum regex_look {
	LOOK_START,
	LOOK_END,
	LOOK_LINE_START,
	LOOK_LINE_END,
	LOOK_LINE_START_CRLF,
	LOOK_LINE_END_CRLF,
	LOOK_WORD,
	LOOK_NOT_WORD,
	LOOK_WORD_START,
	LOOK_WORD_END,
	LOOK_WORD_START_HALF,
	LOOK_WORD_END_HALF,
};

#define REGEX_INFINITE UINT32_MAX

struct regex_node {
	enum regex_kind kind;
	struct regex_node *child; /* the first one */
	struct regex_node *next;  /* of the same parent */
	struct regex_set *set;
	enum regex_look look;
	bool ascii; /* of LOOK_WORD*: words are ASCII, (?-u) */
	uint32_t min, max;
};

/* Returns 0, -ENOMEM, or -EINVAL with what is wrong, at which byte of the pattern. */
int regex_parse(struct str pattern, struct arena *a, struct regex_node **ret, struct syntax_error *error);

/* The tree in PCRE2's syntax, for UTF mode. */
void regex_write_pcre(const struct regex_node *node, struct buf *out);

/* What the Vectorscan form of a tree is worth. */
struct regex_vector_facts {
	bool superset; /* a hit is to be confirmed, also on ASCII text */
	bool blind;    /* no hit means nothing on text that is not ASCII */
};

/*
 * The tree in Vectorscan's syntax, for bytes. On ASCII text it matches what the tree does, or more if superset is
 * set. On other UTF-8 text it matches where the tree does, and more, unless blind is set.
 */
void regex_write_vector(const struct regex_node *node, struct buf *out, struct regex_vector_facts *ret);

/* Bytes that are in every text that matches; absent when none are sure. Lives in the arena. */
int regex_find_literal(const struct regex_node *node, struct arena *a, struct str *ret);

#endif
