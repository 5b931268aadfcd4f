/* SPDX-License-Identifier: GPL-3.0-or-later */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "detect/regex.h"

#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>

struct regex_matcher {
	pcre2_match_data *data;
	pcre2_match_context *quick, *context;
	uint32_t searches; /* of this event that took more than the quick limit */
	uint64_t limits;
};

static int compile(struct str text, void **ret, struct syntax_error *error)
{
	char message[128];
	PCRE2_SIZE offset;
	int number;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);

	if (!context)
		return -ENOMEM;
	/* repetitions are written as groups */
	pcre2_set_parens_nest_limit(context, REGEX_PARENTHESES_MAX);
	*ret = pcre2_compile((PCRE2_SPTR)text.p, text.len,
			     PCRE2_UTF | PCRE2_NO_AUTO_CAPTURE | PCRE2_NEVER_BACKSLASH_C, &number, &offset,
			     context);
	pcre2_compile_context_free(context);
	if (*ret)
		return 0;
	if (number == PCRE2_ERROR_HEAP_FAILED)
		return -ENOMEM;
	/* what Rust takes and PCRE2 does not: sizes */
	if (pcre2_get_error_message(number, (PCRE2_UCHAR *)message, sizeof(message)) < 0)
		message[0] = '\0';
	return syntax_error_set(error, 0, "the regular expression cannot be used: %s", message);
}

static int write_forms(struct regex *r, const struct regex_node *tree, struct arena *a,
		       struct syntax_error *error)
{
	struct buf pcre = {0}, vector = {0};

	regex_write_pcre(tree, &pcre);
	regex_write_vector(tree, &vector, &r->facts);
	r->vector = arena_str(a, buf_str(&vector));
	int err = pcre.failed || vector.failed || !r->vector.p ? -ENOMEM : 0;
	if (!err)
		err = regex_find_literal(tree, a, &r->literal);
	if (!err)
		err = compile(buf_str(&pcre), &r->code, error);
	buf_fini(&pcre);
	buf_fini(&vector);
	return err;
}

int regex_init(struct regex *ret, struct str pattern, struct arena *a, struct syntax_error *error)
{
	struct regex regex = {.pattern = pattern};
	struct arena scratch = {0};
	struct regex_node *tree;

	int err = regex_parse(pattern, &scratch, &tree, error);
	if (!err)
		err = write_forms(&regex, tree, a, error);
	arena_fini(&scratch);
	if (!err)
		*ret = regex;
	return err;
}

void regex_fini(struct regex *r)
{
	pcre2_code_free(r->code);
	r->code = NULL;
}

static pcre2_match_context *make_context(uint32_t steps)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);

	if (context) {
		pcre2_set_match_limit(context, steps);
		pcre2_set_depth_limit(context, REGEX_DEPTH_LIMIT);
		pcre2_set_heap_limit(context, REGEX_HEAP_LIMIT);
	}
	return context;
}

struct regex_matcher *regex_matcher_new(void)
{
	struct regex_matcher *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->data = pcre2_match_data_create(1, NULL);
	m->quick = make_context(REGEX_QUICK_LIMIT);
	m->context = make_context(REGEX_MATCH_LIMIT);
	if (m->data && m->quick && m->context)
		return m;
	regex_matcher_free(m);
	errno = ENOMEM;
	return NULL;
}

void regex_matcher_free(struct regex_matcher *m)
{
	if (!m)
		return;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->quick);
	pcre2_match_context_free(m->context);
	free(m);
}

void regex_matcher_begin(struct regex_matcher *m)
{
	m->searches = 0;
}

static int search(const struct regex *r, const struct regex_matcher *m, struct str text,
		  pcre2_match_context *context)
{
	return pcre2_match(r->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.len, 0, PCRE2_NO_UTF_CHECK,
			   m->data, context);
}

/*
 * The library does not say how many steps it took, so that an event's are counted by searches: nearly all end within few
 * steps, and a text made to be slow for all patterns of ten thousand rules costs each of them only these.
 */
int regex_match(const struct regex *r, struct regex_matcher *m, struct str text)
{
	if (r->literal.p && !memmem(text.p, text.len, r->literal.p, r->literal.len))
		return 0;
	int result = search(r, m, text, m->quick);
	if (result == PCRE2_ERROR_MATCHLIMIT && m->searches < REGEX_EVENT_SEARCHES) {
		m->searches++;
		result = search(r, m, text, m->context);
	}
	if (result >= 0)
		return 1;
	if (result == PCRE2_ERROR_NOMATCH)
		return 0;
	m->limits++;
	return -ELOOP;
}

uint64_t regex_matcher_limits(const struct regex_matcher *m)
{
	return m->limits;
}
