/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>

#include "detect/regex_syntax.h"

/* ---- PCRE2 ---- */

#define WORD_UNICODE "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}]"
#define WORD_ASCII   "[0-9A-Za-z_]"

/* Around a place between two characters: word or not, before and after. */
#define AT_WORD(w)        "(?:(?<=" w ")(?!" w ")|(?<!" w ")(?=" w "))"
#define IN_WORD(w)        "(?:(?<=" w ")(?=" w ")|(?<!" w ")(?!" w "))"
#define WORD_START(w)     "(?<!" w ")(?=" w ")"
#define WORD_END(w)       "(?<=" w ")(?!" w ")"
#define NO_WORD_BEFORE(w) "(?<!" w ")"
#define NO_WORD_AFTER(w)  "(?!" w ")"
#define BOTH(form)                                   \
	{                                            \
		form(WORD_UNICODE), form(WORD_ASCII) \
	}

static const char *const looks[][2] = {
	[LOOK_START] = {"\\A", "\\A"},
	[LOOK_END] = {"\\z", "\\z"},
	[LOOK_LINE_START] = {"(?:\\A|(?<=\\n))", "(?:\\A|(?<=\\n))"},
	[LOOK_LINE_END] = {"(?=\\n|\\z)", "(?=\\n|\\z)"},
	[LOOK_LINE_START_CRLF] = {"(?:\\A|(?<=\\n)|(?<=\\r)(?!\\n))", "(?:\\A|(?<=\\n)|(?<=\\r)(?!\\n))"},
	[LOOK_LINE_END_CRLF] = {"(?:\\z|(?=\\r)|(?<!\\r)(?=\\n))", "(?:\\z|(?=\\r)|(?<!\\r)(?=\\n))"},
	[LOOK_WORD] = BOTH(AT_WORD),
	[LOOK_NOT_WORD] = BOTH(IN_WORD),
	[LOOK_WORD_START] = BOTH(WORD_START),
	[LOOK_WORD_END] = BOTH(WORD_END),
	[LOOK_WORD_START_HALF] = BOTH(NO_WORD_BEFORE),
	[LOOK_WORD_END_HALF] = BOTH(NO_WORD_AFTER),
};

static void write_counts(uint32_t min, uint32_t max, struct buf *out)
{
	if (max == REGEX_INFINITE && min < 2)
		buf_add_char(out, min ? '+' : '*');
	else if (max == REGEX_INFINITE)
		buf_printf(out, "{%u,}", min);
	else if (min == 0 && max == 1)
		buf_add_char(out, '?');
	else
		buf_printf(out, "{%u,%u}", min, max);
}

static void write_children(const struct regex_node *node, const char *between, struct buf *out,
			   void (*write)(const struct regex_node *node, struct buf *out))
{
	for (const struct regex_node *child = node->child; child; child = child->next) {
		if (child != node->child)
			buf_add_str(out, str_of(between));
		write(child, out);
	}
}

void regex_write_pcre(const struct regex_node *node, struct buf *out)
{
	switch (node->kind) {
	case REGEX_EMPTY:
		buf_add_str(out, STR("(?:)"));
		break;
	case REGEX_SET:
		buf_add_str(out, node->set->pcre);
		break;
	case REGEX_LOOK:
		buf_add_str(out, str_of(looks[node->look][node->ascii]));
		break;
	case REGEX_CONCAT:
		write_children(node, "", out, regex_write_pcre);
		break;
	case REGEX_ALTERNATE:
		buf_add_str(out, STR("(?:"));
		write_children(node, "|", out, regex_write_pcre);
		buf_add_char(out, ')');
		break;
	case REGEX_REPEAT:
		/* the text of a set is one atom; without parentheses its repetition takes no room */
		buf_add_str(out, node->child->kind == REGEX_SET ? STR("") : STR("(?:"));
		regex_write_pcre(node->child, out);
		buf_add_str(out, node->child->kind == REGEX_SET ? STR("") : STR(")"));
		write_counts(node->min, node->max, out);
		break;
	}
}

/* ---- Vectorscan ---- */

struct vector_writer {
	struct buf *out;
	struct regex_vector_facts *facts;
};

static bool in_set(const struct regex_set *set, unsigned int c)
{
	return set->ascii[c / 64] >> c % 64 & 1;
}

/* "[\x09\x20-\x7e" and, if high is set, all bytes beyond ASCII; false when there is nothing in it. */
static bool write_bytes(const struct regex_set *set, bool high, struct buf *out)
{
	bool any = high;
	size_t start = out->len;

	buf_add_char(out, '[');
	for (unsigned int c = 0; c < 0x80; c++) {
		unsigned int last = c;
		if (!in_set(set, c))
			continue;
		while (last < 0x7f && in_set(set, last + 1))
			last++;
		buf_printf(out, last > c ? "\\x%02x-\\x%02x" : "\\x%02x", c, last);
		any = true;
		c = last;
	}
	if (high)
		buf_add_str(out, STR("\\x80-\\xff"));
	buf_add_char(out, ']');
	if (!any && !out->failed)
		out->len = start;
	return any;
}

static void write_literal(uint32_t c, struct buf *out)
{
	unsigned char bytes[4];
	int n = 0;

	if (c < 0x800) {
		bytes[n++] = (unsigned char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		bytes[n++] = (unsigned char)(0xe0 | c >> 12);
		bytes[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	} else {
		bytes[n++] = (unsigned char)(0xf0 | c >> 18);
		bytes[n++] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
		bytes[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	}
	bytes[n++] = (unsigned char)(0x80 | (c & 0x3f));
	buf_add_str(out, STR("(?:"));
	for (int i = 0; i < n; i++)
		buf_printf(out, "\\x%02x", bytes[i]);
	buf_add_char(out, ')');
}

/* Beyond ASCII any character will do, which is two to four bytes. */
static void write_set(const struct regex_set *set, struct buf *out)
{
	if (set->is_literal && set->literal >= 0x80) {
		write_literal(set->literal, out);
		return;
	}
	if (!set->wide) {
		if (!write_bytes(set, false, out))
			buf_add_str(out, STR("\\xff")); /* a byte that is in no text */
		return;
	}
	buf_add_str(out, STR("(?:"));
	if (write_bytes(set, false, out))
		buf_add_char(out, '|');
	buf_add_str(out, STR("[\\x80-\\xff]{2,4})"));
}

static void write_look(struct vector_writer *w, const struct regex_node *node)
{
	switch (node->look) {
	case LOOK_START:
		buf_add_str(w->out, STR("\\A"));
		return;
	case LOOK_END:
		buf_add_str(w->out, STR("\\z"));
		return;
	case LOOK_WORD:
	case LOOK_NOT_WORD:
		buf_add_str(w->out, node->look == LOOK_WORD ? STR("\\b") : STR("\\B"));
		w->facts->blind = true;
		return;
	default:
		buf_add_str(w->out, STR("(?:)"));
		w->facts->superset = true;
	}
}

static void write_vector(struct vector_writer *w, const struct regex_node *node);

static void write_repeat(struct vector_writer *w, const struct regex_node *node)
{
	const struct regex_node *child = node->child;

	/* what may be left out and needs no character is as good as not there */
	if (child->kind == REGEX_EMPTY || (child->kind == REGEX_LOOK && node->min == 0)) {
		buf_add_str(w->out, STR("(?:)"));
		return;
	}
	if (child->kind == REGEX_LOOK) {
		write_look(w, child);
		return;
	}
	if (child->kind == REGEX_SET && child->set->wide && node->max == REGEX_INFINITE && node->min < 2 &&
	    !child->set->is_literal) {
		/* .* in bytes: much smaller */
		write_bytes(child->set, true, w->out);
		write_counts(node->min, node->max, w->out);
		return;
	}
	buf_add_str(w->out, STR("(?:"));
	write_vector(w, child);
	buf_add_char(w->out, ')');
	write_counts(node->min, node->max, w->out);
}

static void write_vector(struct vector_writer *w, const struct regex_node *node)
{
	switch (node->kind) {
	case REGEX_EMPTY:
		buf_add_str(w->out, STR("(?:)"));
		break;
	case REGEX_SET:
		write_set(node->set, w->out);
		break;
	case REGEX_LOOK:
		write_look(w, node);
		break;
	case REGEX_REPEAT:
		write_repeat(w, node);
		break;
	case REGEX_CONCAT:
		for (const struct regex_node *child = node->child; child; child = child->next)
			write_vector(w, child);
		break;
	case REGEX_ALTERNATE:
		buf_add_str(w->out, STR("(?:"));
		for (const struct regex_node *child = node->child; child; child = child->next) {
			write_vector(w, child);
			if (child->next)
				buf_add_char(w->out, '|');
		}
		buf_add_char(w->out, ')');
		break;
	}
}

void regex_write_vector(const struct regex_node *node, struct buf *out, struct regex_vector_facts *ret)
{
	struct vector_writer w = {out, ret};

	*ret = (struct regex_vector_facts){0};
	write_vector(&w, node);
}

/* ---- literals ---- */

struct literal_search {
	struct buf run;
	struct buf best;
};

static void end_run(struct literal_search *s)
{
	if (s->run.len > s->best.len) {
		buf_reset(&s->best);
		buf_add_str(&s->best, buf_str(&s->run));
	}
	buf_reset(&s->run);
}

static void search(struct literal_search *s, const struct regex_node *node)
{
	switch (node->kind) {
	case REGEX_EMPTY:
	case REGEX_LOOK:
		break;
	case REGEX_SET:
		if (node->set->is_literal && node->set->literal < 0x80)
			buf_add_char(&s->run, (char)node->set->literal);
		else
			end_run(s);
		break;
	case REGEX_CONCAT:
		for (const struct regex_node *child = node->child; child; child = child->next)
			search(s, child);
		break;
	case REGEX_REPEAT:
		end_run(s);
		if (node->min > 0) {
			search(s, node->child);
			end_run(s);
		}
		break;
	case REGEX_ALTERNATE:
		end_run(s);
		break;
	}
}

int regex_find_literal(const struct regex_node *node, struct arena *a, struct str *ret)
{
	struct literal_search s = {0};

	search(&s, node);
	end_run(&s);
	*ret = s.best.len ? arena_str(a, buf_str(&s.best)) : (struct str){0};
	bool failed = s.run.failed || s.best.failed || (s.best.len && !ret->p);
	buf_fini(&s.run);
	buf_fini(&s.best);
	return failed ? -ENOMEM : 0;
}
