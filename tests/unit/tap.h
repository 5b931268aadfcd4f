/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Test Anything Protocol output for the unit tests: one program a module, one line a check. */
#ifndef KUNAI_TESTS_TAP_H
#define KUNAI_TESTS_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3))) static inline bool ok(bool passed, const char *name, ...)
{
	va_list args;
	va_start(args, name);
	printf("%s %d - ", passed ? "ok" : "not ok", ++tap_count);
	vprintf(name, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
	if (!passed)
		tap_failed++;
	return passed;
}

static inline bool is_str(const char *got, const char *want, const char *name)
{
	bool same = got && want ? strcmp(got, want) == 0 : got == want;
	if (!same)
		printf("# got  %s\n# want %s\n", got ? got : "(null)", want ? want : "(null)");
	return ok(same, "%s", name);
}

static inline bool is_u64(uint64_t got, uint64_t want, const char *name)
{
	if (got != want)
		printf("# got  %" PRIu64 "\n# want %" PRIu64 "\n", got, want);
	return ok(got == want, "%s", name);
}

static inline int done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
