/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pattern, a newline, a text: the Vectorscan form of a pattern that is accepted finds what PCRE2 finds, as far as it
 * promises that.
 */
#include <hs.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "detect/regex.h"

enum { FLAGS = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY, PATTERN_MAX = 200, TEXT_MAX = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_hit(unsigned int id, unsigned long long from, unsigned long long to, unsigned int flags,
		  void *context)
{
	(void)id;
	(void)from;
	(void)to;
	(void)flags;
	*(bool *)context = true;
	return 0;
}

static bool is_ascii(struct str s)
{
	for (uint32_t i = 0; i < s.len; i++) {
		if (s.p[i] & 0x80)
			return false;
	}
	return true;
}

static void compare(const struct regex *r, hs_database_t *db, struct regex_matcher *m, struct str text)
{
	hs_scratch_t *scratch = NULL;
	bool hit = false;

	if (hs_alloc_scratch(db, &scratch) != HS_SUCCESS)
		return;
	if (hs_scan(db, text.p, text.len, 0, scratch, on_hit, &hit) != HS_SUCCESS)
		abort();
	int want = regex_match(r, m, text);
	bool ascii = is_ascii(text);
	if (want == 1 && !hit && (ascii || !r->facts.blind))
		abort();
	if (want == 0 && hit && ascii && !r->facts.superset)
		abort();
	hs_free_scratch(scratch);
}

static void check(const struct regex *r, struct str text)
{
	struct regex_matcher *m = regex_matcher_new();
	hs_compile_error_t *error = NULL;
	hs_database_t *db = NULL;

	if (hs_compile(r->vector.p, FLAGS, HS_MODE_BLOCK, NULL, &db, &error) == HS_SUCCESS)
		compare(r, db, m, text);
	hs_free_compile_error(error);
	hs_free_database(db);
	regex_matcher_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = {(const char *)data, (uint32_t)size};
	const char *newline = size ? memchr(data, '\n', size) : NULL;
	struct syntax_error error;
	struct arena a = {0};
	struct regex regex;

	if (!newline || utf8_valid_prefix(all.p, all.len) != all.len)
		return 0;
	struct str pattern = {all.p, (uint32_t)(newline - all.p)};
	struct str text = {newline + 1, all.len - pattern.len - 1};
	if (pattern.len > PATTERN_MAX || text.len > TEXT_MAX)
		return 0;
	if (regex_init(&regex, pattern, &a, &error) == 0) {
		check(&regex, text);
		regex_fini(&regex);
	} else if (error.offset > pattern.len) {
		abort();
	}
	arena_fini(&a);
	return 0;
}
