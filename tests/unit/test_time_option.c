/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points of time as people write them, at a moment and in a place of ours. */
#include "cmd/time_option.h"

#include <stdlib.h>
#include <time.h>

#include "tests/unit/tap.h"

#define SECOND UINT64_C(1000000000)

/* 2026-03-29 10:00:00 in Berlin, eight hours after its clocks went an hour ahead. */
#define NOW UINT64_C(1774771200)

static void is_time(const char *text, uint64_t seconds)
{
	uint64_t ns = 0;

	int err = time_option_parse(text, NOW * SECOND, &ns);
	ok(err == 0 && ns == seconds * SECOND, "%s", text);
	if (ns != seconds * SECOND)
		printf("# %+lld s\n", (long long)(ns / SECOND) - (long long)NOW);
}

int main(void)
{
	static const char *const wrong[] = {"",       "-",         "1",           "ago",      "24:00",
					    "7:60",   "06:00x",    "today ",      "todayish", "yesterday 6",
					    "--1h",   "1h agoago", "17:48 today", "now now",  "2026-13-01",
					    "06:00Z", "2026-02-29"};
	uint64_t ns;

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	is_time("now", NOW);
	is_time("09:30", NOW - 1800);
	is_time("9:30:01", NOW - 1799);
	is_time("01:00", NOW - 8 * 3600);
	is_time("today", NOW - 9 * 3600);
	is_time("today 09:30", NOW - 1800);
	is_time("yesterday", NOW - 33 * 3600);
	is_time("yesterday 10:00", NOW - 23 * 3600);
	is_time("2026-03-28T10:00", NOW - 23 * 3600);
	is_time("2026-03-28T10:00:00Z", NOW - 22 * 3600);
	is_time("1h 30m", NOW - 5400);
	is_time("-1h", NOW - 3600);
	is_time("-1h30m", NOW - 5400);
	is_time("1h ago", NOW - 3600);
	is_time("17:48", NOW + 7 * 3600 + 48 * 60);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ok(time_option_parse(wrong[i], NOW * SECOND, &ns) < 0, "no time: '%s'", wrong[i]);
	return done_testing();
}
